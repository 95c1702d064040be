"""What came back on a campaign's messages: each count opens to the customers behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from campaigns.audit import standing
from campaigns.models import Campaign, Message
from customers.models import Consent, Event
from surveys.models import Invitation

# How other rooms refer to a message.
_REF = Concat(Value("message:"), Cast(OuterRef("pk"), CharField()))
_LEFT = Consent.objects.filter(customer=OuterRef("customer"), state=Consent.State.WITHDRAWN, proof=_REF)
_BOUNCED = Event.objects.filter(customer=OuterRef("customer"), kind="message.bounced", ref=_REF)
_ANSWERED = Invitation.objects.filter(customer=OuterRef("customer"), origin=_REF, answer__isnull=False)
_SENT = Q(state=Message.State.SENT)


@dataclass(frozen=True)
class Kind:
    """One way of responding, and the messages that it happened to."""

    name: str
    label: str
    meaning: str
    where: Q


KINDS = (
    Kind(
        "opened", "Opened", "Opened by a person; what machines opened is left out.", _SENT & Q(opened_at__isnull=False)
    ),
    Kind("clicked", "Clicked", "A person followed a link; machines left out.", _SENT & Q(clicked_at__isnull=False)),
    Kind("answered", "Answered", "Answered the survey that it asked.", Q(Exists(_ANSWERED))),
    Kind("unsubscribed", "Unsubscribed", "By its link, and have not agreed again since.", Q(Exists(_LEFT))),
    Kind("bounced", "Came back", "A mail server reported later that it did not arrive.", Q(Exists(_BOUNCED))),
)
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True)
class Response:
    """So many messages of a campaign, of so many that were sent."""

    kind: Kind
    messages: int
    sent: int

    @property
    def percent(self) -> float | None:
        return 100 * self.messages / self.sent if self.sent else None


def responses(campaign: Campaign, *, asks: bool) -> list[Response]:
    """Every kind of response, answers only where the campaign asks. One query."""
    kinds = [kind for kind in KINDS if asks or kind.name != "answered"]
    counts = {kind.name: Count("pk", filter=kind.where) for kind in kinds}
    found = _messages(campaign).aggregate(sent=Count("pk", filter=_SENT), **counts)
    return [Response(kind, found[kind.name], found["sent"]) for kind in kinds]


def responded(campaign: Campaign, kind: Kind) -> QuerySet[Message]:
    """The messages behind a count."""
    return _messages(campaign).filter(kind.where)


def _messages(campaign: Campaign) -> QuerySet[Message]:
    return standing().filter(step__campaign=campaign)
