"""Reads of the survey pages: how many were asked and answered, how a score came about, how it moved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.db.models import BooleanField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import TruncMonth

from customers.models import Event
from surveys.models import Answer, Invitation
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER, Nps, counted, nps_by

GROUPS: dict[str, tuple[str, Q]] = {
    "promoter": ("Promoters (9–10)", PROMOTER),
    "passive": ("Passives (7–8)", PASSIVE),
    "detractor": ("Detractors (0–6)", DETRACTOR),
}


@dataclass(frozen=True)
class Responses:
    """How many were asked, how many of these got the question, and how many of these answered."""

    asked: int = 0
    delivered: int = 0
    answered: int = 0

    @property
    def rate(self) -> float | None:
        """Answered / delivered, 0–100 %; None where nothing was delivered."""
        return 100 * self.answered / self.delivered if self.delivered else None


def responses(invitations: QuerySet[Invitation]) -> dict[int, Responses]:
    """Per survey id. Delivered: what brought the question was sent and did not bounce; an answer proves it too."""
    tallies = (
        invitations.annotate(got_it=_delivered())
        .values_list("survey_id")
        .annotate(
            asked=Count("pk"),
            delivered=Count("pk", filter=Q(got_it=True) | Q(answer__isnull=False)),
            answered=Count("pk", filter=Q(answer__isnull=False)),
        )
    )
    return {survey: Responses(*found) for survey, *found in tallies}


def _delivered() -> Combinable:
    about_it = Event.objects.filter(customer=OuterRef("customer"), ref=OuterRef("origin"))
    sent, bounced = about_it.filter(kind="message.sent"), about_it.filter(kind="message.bounced")
    return Value(True, BooleanField()) & Exists(sent) & ~Exists(bounced)


def by_score(answers: QuerySet[Answer]) -> list[int]:
    """How many respondents gave 0, 1, … 10, each counted as in the NPS."""
    counts = dict(
        Answer.objects.filter(pk__in=counted(answers).values("pk")).values_list("score").annotate(n=Count("pk"))
    )
    return [counts.get(score, 0) for score in range(11)]


@dataclass(frozen=True)
class Month:
    """A month's NPS: the latest answer by each respondent of that month."""

    start: datetime
    nps: Nps


def by_month(answers: QuerySet[Answer], zone: tzinfo, months: Iterable[datetime]) -> list[Month]:
    """The NPS of each calendar month of `zone`, `months` being their first instants; one query."""
    scores = nps_by(answers, TruncMonth("answered_at", tzinfo=zone))
    return [Month(start, scores.get(start, Nps())) for start in months]


def last_months(now: datetime, zone: tzinfo, count: int) -> list[datetime]:
    """The first instants of the `count` calendar months of `zone` up to the present one, oldest first."""
    local = now.astimezone(zone)
    ends = range(local.year * 12 + local.month - count, local.year * 12 + local.month)
    return [datetime(index // 12, index % 12 + 1, 1, tzinfo=zone) for index in ends]


def with_marks(answers: QuerySet[Answer], among: QuerySet[Answer]) -> QuerySet[Answer]:
    """Answers with their customers, newest first; `counts` says whether the NPS of `among` counts them."""
    counts = Exists(Answer.objects.filter(pk=OuterRef("pk"), pk__in=counted(among).values("pk")))
    return answers.annotate(counts=counts).select_related("customer", "entered_by").order_by("-answered_at", "-pk")
