"""The audit of a campaign.

    enrolled = held out + sent + failed + suppressed + expired + cancelled + unconfirmed + in flight

The two sides are counted from different tables, so that the equation can fail, and would show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from campaigns.models import Arm, Campaign, Enrolment, Message
from campaigns.models.messages import OPEN

State = Message.State


@dataclass(frozen=True)
class Group:
    """One term of the equation: what it is called, what it means, which messages it counts."""

    name: str
    label: str
    meaning: str
    states: tuple[str, ...]


GROUPS = (
    Group("held_out", "held out", "Get nothing, so that the effect can be measured.", ()),
    Group("sent", "sent", "The mail server took the message.", (State.SENT,)),
    Group("failed", "failed", "Refused for good, or could not be written.", (State.FAILED,)),
    Group(
        "suppressed",
        "suppressed",
        "Had unsubscribed, were on the suppression list, or were held out by another campaign by then.",
        (State.SUPPRESSED,),
    ),
    Group("expired", "expired", "Could not be sent in time.", (State.EXPIRED,)),
    Group("cancelled", "cancelled", "Ordered first, or the campaign was finished.", (State.CANCELLED,)),
    Group("unknown", "unconfirmed", "It may have arrived: the mail server never answered.", (State.UNKNOWN,)),
    Group("in_flight", "in flight", "Wait for their time, or are being sent now.", OPEN),
)
BY_NAME = {group.name: group for group in GROUPS}


@dataclass(frozen=True)
class Term:
    group: Group
    customers: int


@dataclass(frozen=True)
class Audit:
    """The equation of one campaign."""

    enrolled: int
    terms: list[Term]

    @property
    def balanced(self) -> bool:
        return self.enrolled == sum(term.customers for term in self.terms)

    def __getitem__(self, name: str) -> int:
        return {term.group.name: term.customers for term in self.terms}[name]


def audit(campaign: Campaign) -> Audit:
    """Count both sides of one campaign's equation."""
    return audits([campaign.pk])[campaign.pk]


def audits(campaign_ids: Sequence[int]) -> dict[int, Audit]:
    """The equations of several campaigns, in three queries."""
    arms = (
        Enrolment.objects.filter(campaign__in=campaign_ids)
        .values("campaign")
        .annotate(enrolled=Count("id"), held_out=Count("id", filter=Q(arm=Arm.CONTROL)))
    )
    enrolled = {row["campaign"]: (int(row["enrolled"]), int(row["held_out"])) for row in arms}
    counts = standing().filter(step__campaign__in=campaign_ids).values_list("step__campaign", "state")
    states = {
        (campaign, state): n
        for part in (counts.exclude(state__in=OPEN), counts.filter(state__in=OPEN))  # an index serves each
        for campaign, state, n in part.annotate(n=Count("id"))
    }
    return {
        campaign: _equation(
            *enrolled.get(campaign, (0, 0)),
            {state: n for (of, state), n in states.items() if of == campaign},
        )
        for campaign in campaign_ids
    }


def _equation(enrolled: int, held_out: int, states: dict[str, int]) -> Audit:
    terms = [
        Term(group, sum(states.get(state, 0) for state in group.states) if group.states else held_out)
        for group in GROUPS
    ]
    return Audit(enrolled, terms)


def standing() -> QuerySet[Message]:
    """Messages that stand for their enrolment: those that a person had sent again do not count any more."""
    given_up = Message.objects.filter(resend_of__isnull=False).values("resend_of")
    return Message.objects.exclude(pk__in=given_up)


def behind(campaign: Campaign, group: str) -> QuerySet[Enrolment]:
    """The enrolments that a term counts; all of them for "enrolled"."""
    enrolments = Enrolment.objects.filter(campaign=campaign).order_by("-id")
    if group == "held_out":
        return enrolments.filter(arm=Arm.CONTROL)
    if group in BY_NAME:
        counted = standing().filter(step__campaign=campaign, state__in=BY_NAME[group].states)
        return enrolments.filter(pk__in=counted.values("enrolment"))
    return enrolments
