"""The catalogue of event kinds. Nothing else is recorded: `record` refuses it, and a test reads the tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of event: its stored name, and how the timeline says it.

    A consequence is recorded by folding or by a segment's refresh: what it means for facts and segments is in already.
    `sentence` is filled from the payload, with `segment`, `from`, `to` and `amount` in words; where the payload lacks a
    part, the label alone is said.
    A kind that `is_told` is what other systems may tell by the API.
    """

    name: str
    label: str
    room: str
    is_usage: bool = False
    is_consequence: bool = False
    is_told: bool = False
    sentence: str = ""


REPORTED = "reported"
_KINDS = (
    Kind("customer.created", "Became known", "customers"),
    Kind(
        "customer.merged",
        "Was merged with another customer",
        "customers",
        sentence="{by} merged {name} ({external_id}) into this customer",
    ),
    Kind(
        "customer.unmerged",
        "A merge was undone",
        "customers",
        sentence="{by} undid the merge of {name} ({external_id}) into {into}",
    ),
    Kind("customer.edited", "Was edited", "customers", sentence="{by} changed {said}"),
    Kind("customer.changed", "Was changed with others", "customers", sentence="{by} changed many at once: {said}"),
    Kind("order.placed", "Placed an order", "customers", sentence="Placed order {external_id} of {amount}"),
    Kind("order.cancelled", "Cancelled an order", "customers", sentence="Cancelled order {external_id} of {amount}"),
    Kind(
        "subscription.started",
        "Started a subscription",
        "customers",
        sentence="Started the subscription {plan} for {amount}",
    ),
    Kind(
        "subscription.changed",
        "Changed a subscription",
        "customers",
        sentence="Changed the subscription {plan}: {said}",
    ),
    Kind("subscription.renewed", "Renewed a subscription", "customers", sentence="Renewed the subscription {plan}"),
    Kind(
        "subscription.cancelled",
        "Cancelled a subscription",
        "customers",
        sentence="Cancelled the subscription {plan} for {until}: {reason}",
    ),
    Kind("subscription.resumed", "Resumed a subscription", "customers", sentence="Resumed the subscription {plan}"),
    Kind("subscription.ended", "Ended a subscription", "customers", sentence="Ended the subscription {plan}"),
    Kind(
        "renewal.forecast",
        "A renewal was forecast",
        "customers",
        sentence="{by} forecast the renewal of {plan} on {until}: {said}",
    ),
    Kind("usage", "Used the product", "customers", is_usage=True, is_told=True),
    Kind(REPORTED, "Another system told something", "customers", is_told=True, sentence="{name}"),
    Kind(
        "stage.changed",
        "Moved to another stage",
        "customers",
        is_consequence=True,
        sentence="Moved from {from} to {to}",
    ),
    Kind(
        "segment.entered",
        "Entered a segment",
        "customers",
        is_consequence=True,
        sentence="Entered the segment {segment}",
    ),
    Kind("segment.left", "Left a segment", "customers", is_consequence=True, sentence="Left the segment {segment}"),
    Kind(
        "health.dropped",
        "Health dropped",
        "customers",
        is_consequence=True,
        sentence="Health dropped from {from} to {to}: {reason}",
    ),
    Kind(
        "health.recovered",
        "Health recovered",
        "customers",
        is_consequence=True,
        sentence="Health recovered from {from} to {to}: {reason}",
    ),
    Kind("task.opened", "Task opened", "customers", sentence="Task opened: {title}"),
    Kind("task.changed", "Task changed", "customers", sentence="Task {said}: {title}"),
    Kind("task.closed", "Task closed", "customers", sentence="Task closed: {title}"),
    Kind("task.taken_back", "Task taken back", "customers", sentence="Task taken back: {title}"),
    Kind("playbook.started", "A playbook began", "customers", sentence="The playbook “{name}” began"),
    Kind("playbook.finished", "A playbook was finished", "customers", sentence="The playbook “{name}” is finished"),
    Kind(
        "playbook.stopped",
        "A playbook was stopped",
        "customers",
        sentence="The playbook “{name}” was stopped: {reason}",
    ),
    Kind("case.opened", "Opened a case", "customers", sentence="Opened the case “{subject}”"),
    Kind("case.answered", "A case was answered", "customers", sentence="Got an answer to the case “{subject}”"),
    Kind("case.resolved", "A case was resolved", "customers", sentence="The case “{subject}” was resolved"),
    Kind("case.reopened", "A case was opened again", "customers", sentence="The case “{subject}” was opened again"),
    Kind("case.changed", "A case was changed with others", "customers", sentence="{by}, case “{subject}”: {said}"),
    Kind("case.rated", "Rated a case", "customers", sentence="Rated the help with “{subject}” with {rating} out of 5"),
    Kind("consent.granted", "Agreed to messages", "customers", sentence="Agreed to messages by {channel}"),
    Kind("consent.withdrawn", "Unsubscribed", "customers", sentence="Unsubscribed from messages by {channel}"),
    Kind(
        "consent.lapsed",
        "Consent lapsed with the address it was given for",
        "customers",
        sentence="Consent to messages by {channel} lapsed with the address or number it was given for",
    ),
    Kind("contact.added", "A person was added", "customers", sentence="{name} was added to the people"),
    Kind("contact.removed", "A person was removed", "customers", sentence="{name} was removed from the people"),
    Kind("contact.agreed", "A person agreed to be approached", "customers", sentence="{name} agreed to {by}"),
    Kind("contact.withdrew", "A person opted out", "customers", sentence="{name} opted out of {by}"),
    Kind(
        "contact.lapsed",
        "A person's consent lapsed with the address it was given for",
        "customers",
        sentence="{name}: consent to {by} lapsed with the address or number it was given for",
    ),
    Kind("interaction.logged", "An interaction was logged", "customers", sentence="{by} logged a {what}"),
    Kind(
        "import.undone",
        "What a file had brought was taken back",
        "customers",
        sentence="Taken back of what {file} had brought: {said}",
    ),
    Kind("interaction.removed", "An interaction was removed", "customers", sentence="{by} removed a {what}"),
    Kind(
        "customer.handed_over",
        "Was handed to another manager",
        "customers",
        sentence="{by} handed them over from {giver} to {receiver}",
    ),
    Kind(
        "customer.handed_back",
        "A hand-over was taken back",
        "customers",
        sentence="{by} took the hand-over to {giver} back: they are {receiver}'s again",
    ),
    Kind("plan.begun", "A success plan was begun", "customers", sentence="{by} began the plan {title}"),
    Kind("plan.agreed", "A success plan was agreed", "customers", sentence="Agreed the plan {title} with {by}"),
    Kind("plan.shared", "A success plan was shared", "customers", sentence="{by} shared the plan {title}"),
    Kind("plan.closed", "A success plan was closed", "customers", sentence="{by} closed the plan {title}: {said}"),
    Kind("plan.reopened", "A success plan goes on", "customers", sentence="{by} took up the plan {title} again"),
    Kind("milestone.done", "A milestone was reached", "customers", sentence="Reached the milestone {title}"),
    Kind(
        "milestone.reopened",
        "A milestone is open again",
        "customers",
        sentence="{by} opened the milestone {title} again",
    ),
    Kind(
        "milestone.moved",
        "A milestone was moved",
        "customers",
        sentence="{by} moved the milestone {title} from {was} to {due}",
    ),
    Kind(
        "milestone.slipped", "A milestone slipped", "customers", sentence="The milestone {title} was not done by {due}"
    ),
    Kind("survey.invited", "Was asked for an answer", "surveys"),
    Kind("survey.answered", "Answered a survey", "surveys", sentence="Answered a survey with {score} out of 10"),
    Kind("offer.requested", "An offer was asked for", "loyalty", sentence="{by} asked for approval to give {said}"),
    Kind("offer.approved", "An offer was approved", "loyalty", sentence="{by} approved {said}"),
    Kind("offer.declined", "An offer was declined", "loyalty", sentence="{by} declined {said}"),
    Kind("offer.expired", "An offer was not decided in time", "loyalty", sentence="Nobody decided in time on {said}"),
    Kind("offer.granted", "Was given an offer", "loyalty", sentence="{by} gave {said}, at a cost of {amount}"),
    Kind("offer.used", "Used an offer", "loyalty", sentence="Used {said}"),
    Kind("offer.withdrawn", "An offer was withdrawn", "loyalty", sentence="{by} withdrew {said}"),
    Kind("offer.kept", "Stayed 90 days after an offer", "loyalty", sentence="Still active 90 days after {said}"),
    Kind("offer.lost", "Was gone 90 days after an offer", "loyalty", sentence="Not active 90 days after {said}"),
    Kind("campaign.enrolled", "Entered a campaign", "campaigns", sentence="Entered the campaign {name}"),
    Kind(
        "campaign.held_out", "Held out as control", "campaigns", sentence="Held out as control of the campaign {name}"
    ),
    Kind("campaign.goal_met", "Met a campaign's goal", "campaigns", sentence="Met the goal of the campaign {name}"),
    Kind("message.sent", "Was sent a message", "campaigns", sentence="Was sent a message of {name}"),
    Kind("message.failed", "A message failed", "campaigns", sentence="A message of {name} failed: {reason}"),
    Kind("message.bounced", "A message bounced", "campaigns", sentence="A message of {name} bounced"),
    Kind("address.suppressed", "Was put on the suppression list", "campaigns", sentence="Gets nothing any more: {why}"),
    Kind(
        "address.released",
        "Was taken off the suppression list",
        "campaigns",
        sentence="{by} took the address off the suppression list",
    ),
    Kind("message.opened", "Opened a message", "campaigns", sentence="Opened a message of {name}"),
    Kind("message.clicked", "Clicked in a message", "campaigns", sentence="Clicked in a message of {name}"),
)

CATALOGUE: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
USAGE: tuple[str, ...] = tuple(kind.name for kind in _KINDS if kind.is_usage)
CONSEQUENCES: tuple[str, ...] = tuple(kind.name for kind in _KINDS if kind.is_consequence)
