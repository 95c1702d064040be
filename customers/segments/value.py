"""Segments by value: buyers in fifths by recency, frequency and money, and ten named groups (METRICS, RFM).

Fifths of everybody cannot follow every order of anybody, so they are taken once a day, as the values at which each
begins; what a customer scores on that scale follows their own facts at once. Ties share the lower fifth.
"""

from dataclasses import dataclass

from django.db import connection

from customers.models import CustomerFacts, ValueScale
from customers.segments.operators import Moment

#: With so many buyers a day's new ones shift the fifths but little.
SETTLED = 10_000
_SCORE = "CASE WHEN f.orders > 0 THEN 1 + width_bucket({value}, v.{scale}) END"
#: Scores from 1 to 5, 5 the best, over the aliases `f` (facts) and `v` (the scale).
RECENCY = _SCORE.format(value="extract(epoch FROM f.last_order_at)::float8", scale="recency")
FREQUENCY = _SCORE.format(value="f.orders::float8", scale="frequency")
MONEY = _SCORE.format(value="f.revenue::float8", scale="money")


@dataclass(frozen=True)
class Group:
    """A named group of buyers, by the scores for recency and frequency that it spans."""

    key: str
    label: str
    about: str
    recency: range
    frequency: range


def _fifths(low: int, high: int) -> range:
    return range(low, high + 1)


GROUPS = (
    Group("champions", "Champions", "Bought lately, and most often.", _fifths(5, 5), _fifths(4, 5)),
    Group("loyal", "Loyal", "Buy often, and have not long ago.", _fifths(3, 4), _fifths(4, 5)),
    Group("potential_loyalists", "Potential loyalists", "Bought lately, more than once.", _fifths(4, 5), _fifths(2, 3)),
    Group("new", "New", "Bought very lately, for the first time or nearly.", _fifths(5, 5), _fifths(1, 1)),
    Group("promising", "Promising", "Bought lately, seldom so far.", _fifths(4, 4), _fifths(1, 1)),
    Group("need_attention", "Need attention", "In the middle of both.", _fifths(3, 3), _fifths(3, 3)),
    Group("about_to_sleep", "About to sleep", "Bought some while ago, and seldom.", _fifths(3, 3), _fifths(1, 2)),
    Group("at_risk", "At risk", "Bought often, but not for long.", _fifths(1, 2), _fifths(3, 4)),
    Group("cannot_lose", "Cannot lose", "Bought most often, but not for long.", _fifths(1, 2), _fifths(5, 5)),
    Group("hibernating", "Hibernating", "Bought seldom, and long ago.", _fifths(1, 2), _fifths(1, 2)),
)


def group_of(recency: int, frequency: int) -> Group:
    return next(group for group in GROUPS if recency in group.recency and frequency in group.frequency)


_NAMES = ", ".join(f"'{group_of(recency, frequency).key}'" for recency in range(1, 6) for frequency in range(1, 6))
#: The group by name; unknown for whoever never bought.
GROUP = f"(ARRAY[{_NAMES}])[5 * ({RECENCY}) - 5 + ({FREQUENCY})]"


def take_if_due(moment: Moment) -> None:
    """Take the scale anew where the one there is was taken on another day of the workspace, or of a few buyers only."""
    scale = ValueScale.objects.filter(id=1).first()
    if scale is None or Moment(scale.taken_at, moment.zone).today != moment.today or _has_doubled(scale.buyers):
        take(moment)


def _has_doubled(buyers: int) -> bool:
    """Whether a company that was just setting up now has more than twice as many buyers."""
    return buyers < SETTLED and CustomerFacts.objects.filter(orders__gt=0)[2 * buyers : 2 * buyers + 1].exists()


def take(moment: Moment) -> None:
    """Take the scale as things are: three sorts of the buyers. Recency counts in days of the workspace's zone."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"now": moment.now, "zone": str(moment.zone)})


def _edges(of: str) -> str:
    """The least value of each fifth from the second on. A value is in fifth k when at least (k-1)/5 are below it."""
    edge = "COALESCE(min(value) FILTER (WHERE 5 * below >= {0} * (SELECT n FROM total)), 'Infinity'::float8)"
    return f"""(SELECT ARRAY[{", ".join(edge.format(fifth) for fifth in range(1, 5))}]
                FROM (SELECT {of} AS value, rank() OVER (ORDER BY {of}) - 1 AS below FROM buyers) ranked)"""  # noqa: S608 - constants of this module


_TAKE = f"""
    WITH buyers AS (
        SELECT extract(epoch FROM date_trunc('day', last_order_at, %(zone)s))::float8 AS recency,
               orders::float8 AS frequency, revenue::float8 AS money
        FROM customers_customerfacts WHERE orders > 0),
    total AS (SELECT count(*) AS n FROM buyers)
    INSERT INTO customers_valuescale (id, taken_at, buyers, recency, frequency, money)
    SELECT 1, %(now)s, n, {_edges("recency")}, {_edges("frequency")}, {_edges("money")} FROM total
    ON CONFLICT (id) DO UPDATE SET taken_at = EXCLUDED.taken_at, buyers = EXCLUDED.buyers,
        recency = EXCLUDED.recency, frequency = EXCLUDED.frequency, money = EXCLUDED.money
"""  # noqa: S608 - constants of this module
