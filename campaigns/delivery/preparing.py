"""From claimed messages to letters: customers read in one query, texts rendered in batches, links signed."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from campaigns.delivery.channels import Letter
from campaigns.delivery.claiming import Claimed
from campaigns.delivery.departure import Ready
from campaigns.models import EmailStep
from campaigns.rendering.composing import Addresses, BadAddress, Frame, compose, frame, wire_address
from campaigns.rendering.sandbox import Rendered, Result, Sandbox, Texts
from campaigns.rendering.variables import Values, about
from campaigns.tracking.addresses import click_address, open_address, unsubscribe_address
from campaigns.tracking.targets import Targets
from retention.common import clock
from retention.workspace.models import Workspace
from surveys.invitations import invitation_url, invite
from surveys.models import Invitation

SCORES = range(11)


class Prepared(NamedTuple):
    """A message that is ready to go: its letter, or what makes a letter impossible; the survey it asks to answer."""

    ready: Ready
    letter: Letter | None
    problem: str = ""
    invitation: Invitation | None = None


class Preparing:
    """Prepares batches for one worker; keeps the steps, their links and the rendering process between batches."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._targets = Targets()
        self._steps: dict[int, EmailStep] = {}

    def prepare(self, messages: Sequence[Claimed], workspace: Workspace) -> list[Prepared]:
        """A Prepared for each message, grouped by step; none for those whose customer is gone."""
        now = clock.now()
        around = frame(workspace, now)
        people = about({each.customer_id for each in messages}, workspace, now)
        # Whoever was merged with another customer meanwhile is not there; their messages are back in the queue.
        messages = [each for each in messages if each.customer_id in people]
        prepared: list[Prepared] = []
        for step_id, group in groupby(sorted(messages, key=lambda each: each.step_id), lambda each: each.step_id):
            prepared += self._of_step(self._step(step_id), list(group), people, around, now)
        return prepared

    def _step(self, step_id: int) -> EmailStep:
        """A step of a launched campaign: it does not change any more."""
        if step_id not in self._steps:
            self._steps[step_id] = EmailStep.objects.select_related("survey").get(pk=step_id)
        return self._steps[step_id]

    def _of_step(
        self, step: EmailStep, messages: list[Claimed], people: dict[int, Values], around: Frame, now: datetime
    ) -> list[Prepared]:
        invitations = _invitations(step, messages, now)
        outs = {each.message_id: unsubscribe_address(each.message_id) for each in messages}
        variables = [
            {
                **people[each.customer_id],
                "unsubscribe_url": outs[each.message_id],
                "survey": _links(invitations.get(each.message_id)),
            }
            for each in messages
        ]
        results = self._sandbox.render(texts_of(step), variables)
        links = self._targets.ids(
            step.pk, (a for each in results if isinstance(each, Rendered) for a in each.addresses)
        )
        return [
            _letter(each, people[each.customer_id], result, around, links, outs[each.message_id])._replace(
                invitation=invitations.get(each.message_id)
            )
            for each, result in zip(messages, results, strict=True)
        ]


def texts_of(step: EmailStep) -> Texts:
    return Texts(step.subject, step.preheader, step.body)


def _invitations(step: EmailStep, messages: list[Claimed], now: datetime) -> dict[int, Invitation]:
    """Each message's own; none where the step asks nothing."""
    if step.survey is None:
        return {}
    origins = {each.message_id: f"message:{each.message_id}" for each in messages}
    found = invite(step.survey, [each.customer_id for each in messages], list(origins.values()), now)
    return {message_id: found[origin] for message_id, origin in origins.items()}


def _links(invitation: Invitation | None) -> dict[str, Any]:
    """The survey's links for a text; empty where the step asks nothing."""
    if invitation is None:
        return {}
    return {
        "url": invitation_url(invitation),
        "score_urls": [invitation_url(invitation, score) for score in SCORES],
    }


def _letter(
    message: Claimed, person: Values, result: Result, around: Frame, links: dict[str, int], out: str
) -> Prepared:
    address = person["customer"]["email"]
    ready = Ready(message.message_id, message.customer_id, address)
    if not isinstance(result, Rendered):
        return Prepared(ready, None, result.reason)
    try:
        recipient = wire_address(address)
    except BadAddress:
        return Prepared(ready, None, "The address is not one that mail can go to.")
    clicks = [click_address(message.message_id, links[a]) if a in links else a for a in result.addresses]
    addresses = Addresses(clicks, out, open_address(message.message_id))
    content = compose(around, result, recipient, message.dedupe_key, addresses)
    return Prepared(ready, Letter(message.message_id, around.sender, recipient, content))
