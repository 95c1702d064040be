"""NPS over windows, by score and by segment. What a score is, is said in surveys.scoring."""

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import F, Q, QuerySet
from django.db.models import Window as Place
from django.db.models.functions import RowNumber

from customers.models import Segment
from metrics import definitions
from metrics.definition import Definition
from metrics.figures import Figure, Tally
from metrics.inference import Interval
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies, period
from metrics.windows import Window
from surveys.models import Answer
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER, Nps, counted, nps_by, tallies

SCORES = range(11)


def _answers(scope: Scope, windows: Sequence[Window]) -> QuerySet[Answer]:
    """Answers given in the windows by the scope's customers."""
    answers = Answer.objects.filter(answered_at__gte=windows[0].start, answered_at__lt=windows[-1].end)
    members = scope.members()
    return answers if members is None else answers.filter(customer_id__in=members)


def latest(scope: Scope) -> QuerySet[Answer]:
    """The answers that count: the latest of each respondent in the scope's window."""
    return Answer.objects.filter(pk__in=counted(_answers(scope, [scope.window])).values("pk"))


def _score(i: int, score: Q) -> Q:
    return Q(period=i, typed_in=False) & score


def _gave(score: int) -> Part:
    return Part(f"Respondents who gave {score}", lambda i: _score(i, Q(score=score)))


class Answers(Source):
    """One row per respondent and window with their latest answer in it, and one per answer that staff typed in."""

    definitions = (definitions.NPS,)
    parts = {
        "promoters": Part("Promoters (9 and 10)", lambda i: _score(i, PROMOTER)),
        "respondents": Part("Respondents", lambda i: _score(i, Q())),
        "passives": Part("Passives (7 and 8)", lambda i: _score(i, PASSIVE)),
        "detractors": Part("Detractors (0 to 6)", lambda i: _score(i, DETRACTOR)),
        "typed_in": Part("Answers typed in by staff", lambda i: Q(period=i, typed_in=True)),
        **{f"score_{score}": _gave(score) for score in SCORES},
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        window = period("answered_at", windows)
        answers = _answers(scope, windows)
        newest_first = Place(RowNumber(), [window, F("customer_id")], [F("answered_at").desc(), F("pk").desc()])
        last = answers.filter(typed_in=False).annotate(place=newest_first).filter(place=1).values("pk")
        counting = answers.filter(Q(pk__in=last) | Q(typed_in=True)).annotate(period=window)
        return counting.values("customer_id", "period", "score", "typed_in")

    def figures(self, scope: Scope, windows: Sequence[Window] | None = None) -> dict[str, list[Figure]]:
        """As every source, with the scores, which may be weighted, from surveys.scoring: one query more."""
        spans = windows or [scope.window]
        scores = nps_by(_answers(scope, spans), period("answered_at", spans))
        found = super().figures(scope, spans)
        return {name: [with_score(p, scores.get(i)) for i, p in enumerate(points)] for name, points in found.items()}

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        return self.told(
            definition,
            scope,
            value=None,
            numerator=tallies["promoters"],
            denominator=tallies["respondents"],
            excluded=(tallies["typed_in"],),
            beside=(tallies["passives"], tallies["detractors"]),
        )

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers)
        columns = (
            Column("score", "Score", "number"),
            Column("answered_at", "Answered", "day"),
            Column("comment", "Why", "text"),
        )
        return columns, rows.values("customer_id", "score", "answered_at", "comment")

    def of(self, scope: Scope, score: Nps) -> Figure:
        """The figure of a score that is already known."""
        promoters = Tally("promoters", self.parts["promoters"].label, score.promoters)
        respondents = Tally("respondents", self.parts["respondents"].label, score.respondents)
        return with_score(
            self.told(definitions.NPS, scope, value=None, numerator=promoters, denominator=respondents), score
        )


def with_score(figure: Figure, score: Nps | None) -> Figure:
    """The figure with its value and 95 % interval in points; as it is where nobody answered.

    Where all are promoters, all passives or all detractors the margin comes to 0, which says nothing: no interval then.
    """
    if score is None or score.score is None:
        return figure
    if not score.margin:
        return replace(figure, value=score.score)
    low, high = score.score - score.margin, score.score + score.margin
    return replace(figure, value=score.score, interval=Interval(max(-100.0, low), min(100.0, high)))


def by_segment(scope: Scope) -> list[Figure]:
    """NPS of the customers now in each segment where anybody answered, best first. Two queries."""
    present = latest(scope).filter(customer__memberships__left_at__isnull=True)
    groups = present.order_by().values_list("customer__memberships__segment").annotate(**tallies())
    scores = {segment: Nps(*found) for segment, *found in groups if segment is not None}
    named = Segment.objects.in_bulk(scores)
    found = [Answers().of(replace(scope, segment=named[key]), score) for key, score in scores.items()]
    return sorted(found, key=lambda figure: -float(figure.value or 0))


def distribution(scope: Scope) -> list[Tally]:
    """How many respondents gave each score, 0 to 10. One query."""
    (tallies,) = Answers().count(scope, [scope.window])
    return [tallies[f"score_{score}"] for score in SCORES]
