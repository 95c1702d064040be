"""The catalogue of event kinds. Nothing else is recorded: `record` refuses it, and a test reads the tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of event: its stored name, and how the timeline says it.

    A consequence is recorded by folding or by a segment's refresh: what it means for facts and segments is in already.
    """

    name: str
    label: str
    room: str
    is_usage: bool = False
    is_consequence: bool = False


_KINDS = (
    Kind("customer.created", "Became known", "customers"),
    Kind("order.placed", "Placed an order", "customers"),
    Kind("order.cancelled", "Cancelled an order", "customers"),
    Kind("subscription.started", "Started a subscription", "customers"),
    Kind("subscription.ended", "Ended a subscription", "customers"),
    Kind("usage", "Used the product", "customers", is_usage=True),
    Kind("stage.changed", "Moved to another stage", "customers", is_consequence=True),
    Kind("segment.entered", "Entered a segment", "customers", is_consequence=True),
    Kind("segment.left", "Left a segment", "customers", is_consequence=True),
    Kind("task.opened", "Task opened", "customers"),
    Kind("task.closed", "Task closed", "customers"),
    Kind("consent.granted", "Agreed to messages", "customers"),
    Kind("consent.withdrawn", "Unsubscribed", "customers"),
    Kind("survey.invited", "Was asked for an answer", "surveys"),
    Kind("survey.answered", "Answered a survey", "surveys"),
    Kind("campaign.enrolled", "Entered a campaign", "campaigns"),
    Kind("campaign.held_out", "Held out as control", "campaigns"),
    Kind("campaign.goal_met", "Met a campaign's goal", "campaigns"),
    Kind("message.sent", "Was sent a message", "campaigns"),
    Kind("message.failed", "A message failed", "campaigns"),
    Kind("message.bounced", "A message bounced", "campaigns"),
    Kind("message.opened", "Opened a message", "campaigns"),
    Kind("message.clicked", "Clicked in a message", "campaigns"),
)

CATALOGUE: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
USAGE: tuple[str, ...] = tuple(kind.name for kind in _KINDS if kind.is_usage)
CONSEQUENCES: tuple[str, ...] = tuple(kind.name for kind in _KINDS if kind.is_consequence)
