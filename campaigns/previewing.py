"""A text as a customer would see it, before anything is sent: previews, proofreading, test messages."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from campaigns.delivery.channels import Channel, Fate, Letter, Unreachable
from campaigns.models import Campaign, EmailStep
from campaigns.rendering.composing import Addresses, compose, frame, page, wire_address
from campaigns.rendering.sandbox import Broken, Rendered, Result, Sandbox, Texts, Unfit
from campaigns.rendering.variables import about
from campaigns.tracking.addresses import example_unsubscribe_address
from customers.models import Customer
from retention.common import clock
from retention.common.links import public_url
from retention.workspace.models import User, Workspace

SAMPLE = 25
_sandbox = Sandbox()


class NotSent(Exception):
    """The test message did not leave; the text says why."""


@dataclass(frozen=True)
class Preview:
    """A text filled in for one customer: the mail's own page, or what is wrong."""

    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    problem: str = ""


def preview(texts: Texts, customer: Customer, *, asks: bool) -> Preview:
    """The e-mail as `customer` would see it. `asks`: whether it carries a survey."""
    workspace = Workspace.current()
    (result,) = _fill_in(texts, [customer.pk], workspace, asks=asks)
    if isinstance(result, Unfit):
        hint = "" if asks or "survey" not in result.reason else ". Choose a survey for this e-mail"
        return Preview(problem=f"{result.reason}{hint}")
    html = page(frame(workspace, clock.now()), result, example_unsubscribe_address())
    return Preview(result.subject, result.preheader, html, result.text)


def proofread(step: EmailStep, campaign: Campaign) -> list[str]:
    """What is wrong with the text for any of some customers of the segment, each problem once. Empty: it is fine."""
    members = campaign.segment.memberships.filter(left_at=None).order_by("id")
    customer_ids = list(members.values_list("customer", flat=True)[:SAMPLE])
    texts = Texts(step.subject, step.preheader, step.body)
    results = _fill_in(texts, customer_ids or _anybody(), Workspace.current(), asks=step.survey_id is not None)
    unfit = {result.reason for result in results if isinstance(result, Unfit)}
    linked = {address for result in results if isinstance(result, Rendered) for address in result.addresses}
    return sorted(unfit) + [
        f"The link to {address} is only a placeholder" for address in sorted(filter(_made_up, linked))
    ]


#: Kept for examples (RFC 2606): nothing that is meant for customers is there.
PLACEHOLDERS = ("example.com", "example.net", "example.org")


def _made_up(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return ".".join(host.split(".")[-2:]) in PLACEHOLDERS


def check_syntax(texts: Texts) -> str:
    """What is wrong with the text whoever it is for; empty where nothing is."""
    (result,) = _rendered(texts, [{}], strict=False)
    return result.reason if isinstance(result, Unfit) else ""


def send_test(texts: Texts, customer: Customer, to: User, channel: Channel, *, asks: bool) -> str:
    """Send the e-mail, as `customer` would see it, to a colleague. Its links are not tracked. Raises NotSent.

    Gives what the channel said: a name in the outbox, where it stays there.
    """
    workspace = Workspace.current()
    (result,) = _fill_in(texts, [customer.pk], workspace, asks=asks)
    if isinstance(result, Unfit):
        raise NotSent(result.reason)
    letter = _test_letter(result, workspace, to)
    try:
        channel.open()
        (outcome,) = channel.send([letter], 20)
    except Unreachable as trouble:
        raise NotSent(str(trouble)) from trouble
    finally:
        channel.close()
    if outcome.fate != Fate.SENT:
        raise NotSent(" ".join(filter(None, [str(outcome.code or ""), outcome.reply])))
    return outcome.reply


def _test_letter(result: Rendered, workspace: Workspace, to: User) -> Letter:
    around, recipient = frame(workspace, clock.now()), wire_address(to.email)
    addresses = Addresses(result.addresses, example_unsubscribe_address(), "")
    marked = Rendered(f"[Test] {result.subject}", result.preheader, result.pieces, result.text)
    content = compose(around, marked, recipient, uuid.uuid4().hex, addresses)
    return Letter(0, around.sender, recipient, content)


def _fill_in(texts: Texts, customer_ids: Sequence[int], workspace: Workspace, *, asks: bool) -> list[Result]:
    people = about(customer_ids, workspace, clock.now())
    own = {"unsubscribe_url": example_unsubscribe_address(), "survey": _example_survey() if asks else {}}
    return _rendered(texts, [{**people[customer_id], **own} for customer_id in customer_ids], strict=True)


def _rendered(texts: Texts, variables: Sequence[dict[str, Any]], *, strict: bool) -> list[Result]:
    try:
        return _sandbox.render(texts, variables, strict=strict)
    except Broken as trouble:
        return [Unfit(str(trouble))] * len(variables)


def _example_survey() -> dict[str, Any]:
    url = public_url("/s/preview/")
    return {"url": url, "score_urls": [f"{url}?score={score}" for score in range(11)]}


def _anybody() -> list[int]:
    return list(Customer.objects.order_by("id").values_list("id", flat=True)[:1])
