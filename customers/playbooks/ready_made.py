"""Playbooks that most companies want, to be made one's own. They come switched off, to be looked through first."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from customers.models import Playbook, PlaybookStep, Segment, Stage
from customers.segments import saving
from retention.workspace.models import User

KEY_ACCOUNTS = "Key accounts"


@dataclass(frozen=True)
class ReadyMade:
    """`steps`: the day, what to do, why."""

    name: str
    description: str
    rule: dict[str, Any]
    steps: list[tuple[int, str, str]] = field(default_factory=list)


SHELF = {
    "onboarding": ReadyMade(
        "Onboarding",
        "The first three months of a new customer, until they get out of it what they came for.",
        {"rule": Playbook.Rule.STAGE, "stage": Stage.NEW},
        [
            (0, "Welcome them", "Say who looks after them, and ask what they want to have reached in three months."),
            (3, "See that they have begun", "Who has not begun within days rarely does later."),
            (14, "Go through the first two weeks", "What works, what does not, who else should be shown it."),
            (30, "Compare with what they wanted", "Hold what they named at the start against what they do."),
            (90, "Close the first three months", "Agree what comes next, and when you talk again."),
        ],
    ),
    "renewal": ReadyMade(
        "Renewal 90/60/30",
        "From three months before a contract renews, so that nothing about it is news in the last week.",
        {"rule": Playbook.Rule.RENEWAL, "days_before": 90, "ends_early": True},
        [
            (-90, "Look at how the contract is used", "What they pay for and do not use is what they will ask about."),
            (-60, "Talk about the next term", "Ask about plans and budgets while there is time to change something."),
            (-30, "Send the offer for the next term", "In writing, with what has changed and why."),
            (-7, "Get the answer", "Yes, no, or what is in the way."),
        ],
    ),
    "save": ReadyMade(
        "Save",
        "For customers who have gone quiet: find out why, remove the reason, see whether they come back.",
        {"rule": Playbook.Rule.STAGE, "stage": Stage.AT_RISK, "ends_early": True},
        [
            (0, "Call and ask what has changed", "A person, not a message; note what they say on their page."),
            (3, "Remove what is in the way", "Training, a repair, a smaller plan, an offer within your limits."),
            (14, "Ask whether it is better", "And look whether they use or order more."),
            (30, "Decide how to go on", "Saved, or to be let go with good grace."),
        ],
    ),
    "review": ReadyMade(
        "Quarterly review",
        "Once a quarter with each key account: what was reached, what comes next.",
        {"rule": Playbook.Rule.QUARTER, "segment": KEY_ACCOUNTS},
        [
            (0, "Put the quarter's figures together", "Usage, orders, cases, answers; what was promised."),
            (7, "Invite to the review", "Those who decide, not only those who use it."),
            (21, "Hold the review", "What was reached, what was not, what comes next."),
            (23, "Send what was agreed", "Within two days, with names and dates."),
        ],
    ),
}


@transaction.atomic
def take(key: str, by: User) -> tuple[Playbook, bool]:
    """The playbook of that name, and whether this made it. Raises KeyError."""
    offer = SHELF[key]
    if there := Playbook.objects.filter(name__iexact=offer.name).first():
        return there, False
    rule = {**offer.rule, "segment": _key_accounts(by)} if "segment" in offer.rule else offer.rule
    playbook = Playbook.objects.create(name=offer.name, description=offer.description, created_by=by, **rule)
    PlaybookStep.objects.bulk_create(
        PlaybookStep(playbook=playbook, position=place, offset_days=day, title=title, reason=reason)
        for place, (day, title, reason) in enumerate(offer.steps, 1)
    )
    return playbook, True


def _key_accounts(by: User) -> Segment:
    """The segment of that name, or a new one."""
    there = Segment.objects.filter(name=KEY_ACCOUNTS).first()
    if there is None:
        rule = {"all": [{"field": "key_account", "op": "is", "value": "yes"}]}
        there = Segment(name=KEY_ACCOUNTS, description="Customers marked as key accounts.", rule=rule)
        saving.save(there, by)
    return there
