"""Why a customer did or did not get a campaign's message: every gate, every turn, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns.gates import BY_NAME
from campaigns.models import Arm, Campaign, Enrolment, Message, Refusal, Suppression
from customers.models import SegmentMembership
from retention.workspace.templatetags.shell import exact


@dataclass(frozen=True)
class Finding:
    """What one gate found of a customer."""

    title: str
    passed: bool
    words: str
    found: str


@dataclass
class Visit:
    """One time a customer came up for a campaign, and what became of it."""

    campaign: Campaign
    at: datetime
    headline: str
    good: bool
    findings: list[Finding] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    enrolment: Enrolment | None = None


def visits(customer_id: int, campaign: Campaign | None = None) -> list[Visit]:
    """Every time the customer came up for a campaign (or this one), latest first; in three queries."""
    enrolments = Enrolment.objects.filter(customer=customer_id).select_related("campaign")
    refusals = Refusal.objects.filter(customer=customer_id).select_related("campaign")
    if campaign:
        enrolments, refusals = enrolments.filter(campaign=campaign), refusals.filter(campaign=campaign)
    sent = Message.objects.filter(customer=customer_id).prefetch_related("tries").order_by("id")
    by_enrolment: dict[int, list[Message]] = {}
    for message in sent:
        by_enrolment.setdefault(message.enrolment_id, []).append(message)
    came = [_enrolled(enrolment, by_enrolment.get(enrolment.pk, [])) for enrolment in enrolments]
    return sorted(came + [_refused(refusal) for refusal in refusals], key=lambda visit: visit.at, reverse=True)


def _enrolled(enrolment: Enrolment, messages: list[Message]) -> Visit:
    headline, good = _what_became(enrolment, messages)
    return Visit(
        enrolment.campaign, enrolment.entered_at, headline, good, findings(enrolment.gates), messages, enrolment
    )


def _what_became(enrolment: Enrolment, messages: list[Message]) -> tuple[str, bool]:
    if enrolment.arm == Arm.CONTROL:
        return "Got nothing: held out as control, by lot.", False
    if not messages:
        return "Taken in; nothing was written yet.", False
    return _of_message(messages[-1])


_SAID = {
    Message.State.PENDING: "Will get it: it waits for its time.",
    Message.State.CLAIMED: "It is being sent.",
    Message.State.SENDING: "It is being sent.",
    Message.State.SENT: "Got it.",
    Message.State.FAILED: "Did not get it: it failed.",
    Message.State.UNKNOWN: "May have got it: the mail server never answered.",
    Message.State.SUPPRESSED: "Did not get it.",
    Message.State.EXPIRED: "Did not get it.",
    Message.State.CANCELLED: "Did not get it.",
}


def _of_message(message: Message) -> tuple[str, bool]:
    said = _SAID[Message.State(message.state)]
    return f"{said} {message.reason}".strip(), message.state == Message.State.SENT


def _refused(refusal: Refusal) -> Visit:
    gate = BY_NAME.get(refusal.gate)
    headline = f"Was not taken in. {gate.failed if gate else refusal.gate}"
    return Visit(refusal.campaign, refusal.refused_at, headline, good=False, findings=findings(refusal.gates))


def findings(gates: Iterable[dict[str, Any]]) -> list[Finding]:
    """What is stored of the gates, in words."""
    return [
        Finding(
            gate.title, entry["passed"], gate.passed if entry["passed"] else gate.failed, _readable(entry.get("found"))
        )
        for entry in gates
        if (gate := BY_NAME.get(entry["gate"]))
    ]


_WORDS = {"granted": "", "withdrawn": "unsubscribed"} | dict(Suppression.Reason.choices)


def _readable(found: str | None) -> str:
    """An instant as a day and time of the reader's zone; states in words; anything else as it is."""
    if not found:
        return ""
    if found in _WORDS:
        return str(_WORDS[found]).lower()
    try:
        instant = datetime.fromisoformat(found)
    except ValueError:
        return found
    return exact(instant)


def absences(customer_id: int, campaigns: Sequence[Campaign]) -> dict[int, str]:
    """Why a customer never came up for these campaigns, by campaign; in one query."""
    inside = SegmentMembership.objects.filter(
        segment__in=[campaign.segment_id for campaign in campaigns], customer=customer_id, left_at=None
    )
    entered = dict(inside.values_list("segment", "entered_at"))
    return {campaign.pk: _absence(campaign, entered.get(campaign.segment_id)) for campaign in campaigns}


def _absence(campaign: Campaign, entered_at: datetime | None) -> str:
    if campaign.launched_at is None:
        return "The campaign has not been launched."
    if entered_at is None:
        return f"Is not in the segment “{campaign.segment}”."
    if not campaign.take_present and entered_at < campaign.launched_at:
        return f"Was in the segment “{campaign.segment}” before the launch; this campaign takes later ones only."
    return "Is in the segment and has not come up yet."
