"""Every figure by name, and the source that computes it and opens it."""

from collections.abc import Mapping

from campaigns.models import Campaign
from metrics.cohorts import CellSource, Convention
from metrics.definitions import DEFINITIONS
from metrics.effect import Enrolled
from metrics.foretelling import Foretold
from metrics.looking_after import Books, Renewing, Talks, TasksDone, Untouched
from metrics.purchases import Purchases, SecondOrders
from metrics.ranking import HIGHEST, Between, Ordered
from metrics.recurring import Recurring, currency_asked
from metrics.retention import Active, Gained, Interrupted
from metrics.satisfaction import Answers
from metrics.sources import Source
from retention.common.sent import whole

PLAIN: tuple[type[Source], ...] = (
    *(Active, Gained, Interrupted, Purchases, SecondOrders, Answers),
    *(Books, Renewing, Talks, TasksDone, Untouched, Foretold, Ordered),
)
LONGEST_COHORT = 1_200  # months


class UnknownFigure(Exception):
    """There is no such figure, or its address lacks what says which one it is."""


def source(name: str, query: Mapping[str, str]) -> Source:
    """The source of a figure; `query` says which campaign or which cell of the cohort grid. Raises UnknownFigure."""
    definition = DEFINITIONS.get(name)
    for kind in PLAIN:
        if definition in kind.definitions:
            return kind()
    if definition in CellSource.definitions:
        return _cell(query)
    if definition in Enrolled.definitions:
        return Enrolled(_campaign(query))
    if definition in Between.definitions:
        return _between(query)
    if definition in Recurring.definitions:
        return Recurring(currency_asked(query))
    raise UnknownFigure(name)


def _cell(query: Mapping[str, str]) -> CellSource:
    period = whole(query.get("period", ""))
    if query.get("orders") not in list(Convention) or period is None or period > LONGEST_COHORT:
        raise UnknownFigure
    return CellSource(Convention(query["orders"]), period)


def _between(query: Mapping[str, str]) -> Between:
    ends = [int(text) for key in ("low", "high") if (text := query.get(key, "")).isdecimal() and len(text) < 4]
    if len(ends) != 2 or not 0 <= ends[0] <= ends[1] <= HIGHEST:
        raise UnknownFigure
    return Between(*ends)


def _campaign(query: Mapping[str, str]) -> Campaign:
    campaign = Campaign.objects.filter(pk=whole(query.get("campaign", "")) or 0).first()
    if campaign is None:
        raise UnknownFigure
    return campaign
