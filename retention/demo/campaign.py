"""The win-back campaign, run through the product's own enrolment, goals and records.

Planted: of those who get the e-mail, 18 in 100 order again because of it, on top of those who would have anyway. A
quarter is held out, so that the product can find that out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

from campaigns import goals
from campaigns.delivery.channels import Fate, Outcome
from campaigns.delivery.claiming import claim
from campaigns.delivery.recording import record
from campaigns.enrolment import take_in
from campaigns.models import Campaign, EmailStep, Link, Message
from campaigns.tracking.leaving import unsubscribe
from customers.models import Order, Segment
from retention.common import clock
from retention.demo import writing
from retention.demo.buying import Purchase, basket
from retention.demo.people import Person
from retention.demo.span import DAYS, Span
from retention.workspace.models import User
from surveys.models import Survey

NAME = "Win back: 60 days without an order"
HELD_OUT = Decimal(25)
EFFECT, AGAIN = 0.18, 0.4
FAILED, OPENED, CLICKED, UNSUBSCRIBED = 0.015, 0.46, 0.3, 0.012
SHOP = "https://harbourfinch.example.test/back"
BODY = """<p>Hello {{ customer.first_name }},</p>
<p>your last order was {{ orders.days_since_last }} days ago. Is there something we can do better?</p>
<p>If it is only that the last bag lasted long: your next one comes without delivery costs.</p>
<p><a href="https://harbourfinch.example.test/back">Order again</a></p>
<p>Warm regards<br>{{ company.name }}</p>"""
ASK_BODY = """<p>Hello {{ customer.first_name }},</p>
<p>you have had your first order for a week now. How likely are you to recommend us?</p>
<p>{% for url in survey.score_urls %}<a href="{{ url }}">{{ forloop.index0 }}</a> {% endfor %}</p>"""


def launched(segment: Segment, by: User) -> Campaign:
    """The campaign, launched now."""
    campaign = Campaign.objects.create(name=NAME, segment=segment, holdout_share=HELD_OUT, rest_days=0, created_by=by)
    step = EmailStep.objects.create(
        campaign=campaign, subject="We miss you, {{ customer.first_name }}", preheader="No delivery costs", body=BODY
    )
    Link.objects.create(step=step, url=SHOP)
    started = Campaign.objects.filter(pk=campaign.pk)
    started.update(state=Campaign.State.RUNNING, launched_at=clock.now(), launched_by=by)
    return started.get()


def draft(segment: Segment, survey: Survey, by: User) -> None:
    """A campaign that is written and waits to be launched."""
    campaign = Campaign.objects.create(name="Ask after the first order", segment=segment, created_by=by)
    EmailStep.objects.create(campaign=campaign, wait_hours=7 * 24, subject="One question", body=ASK_BODY, survey=survey)


@dataclass(frozen=True)
class Reader:
    """Somebody whom an e-mail reached, and what they do about it; days of the span, or None."""

    message_id: int
    person: Person
    opens: float | None
    clicks: float | None
    orders: float | None
    leaves: float | None


class WinBack:
    """The campaign's course. `people` by their keys; `span` to turn days into instants."""

    def __init__(self, rng: Random, span: Span, campaign: Campaign, people: dict[str, Person]) -> None:
        self._rng = rng
        self._span = span
        self._campaign = campaign
        self._people = people

    def go_on(self, since: datetime, day: float) -> list[tuple[Person, Purchase]]:
        """From `since` up to now, which is `day`: goals met, customers taken in, e-mails sent, read and clicked.

        Gives the orders that the e-mails bring about in the days to come.
        """
        meet_goals(since)
        take_in(self._campaign)
        readers = [self._reader(message_id, key, day) for message_id, key in self._send()]
        self._see(readers)
        return list(self._brought(readers))

    def _send(self) -> list[tuple[int, str]]:
        """Take every due message past the point of no return, and write down what the mail server said.

        Gives (message, customer's key) of those that arrived.
        """
        held = claim(MANY)
        ids = [each.message_id for each in held.messages]
        writing.run(DEPART, token=held.token, messages=ids, now=clock.now())
        failed = [each for each in ids if self._rng.random() < FAILED]
        record(held.token, [_outcome(each, each in failed) for each in ids])
        arrived = Message.objects.filter(pk__in=ids, state=Message.State.SENT).order_by("pk")
        return list(arrived.values_list("pk", "customer__external_id"))

    def _reader(self, message_id: int, key: str, day: float) -> Reader:
        rng = self._rng
        comes_back = rng.random() < EFFECT
        opens = self._later(day, 0.4) if comes_back or rng.random() < OPENED else None
        clicks = self._later(opens, 0.01) if opens and (comes_back or rng.random() < CLICKED) else None
        orders = self._later(clicks, 4) if comes_back and clicks else None
        leaves = self._later(opens, 0.01) if opens and not clicks and rng.random() < UNSUBSCRIBED else None
        return Reader(message_id, self._people[key], opens, clicks, orders, leaves)

    def _later(self, day: float, mean: float) -> float | None:
        """A while later, `mean` days on average and at most four weeks; None once that is not in the span any more."""
        later = day + min(28, self._rng.expovariate(1 / mean))
        return later if later < DAYS else None

    def _see(self, readers: list[Reader]) -> None:
        for statement, at in ((OPEN, "opens"), (CLICK, "clicks")):
            seen = [(each.message_id, getattr(each, at)) for each in readers if getattr(each, at)]
            writing.run(
                statement,
                messages=[message_id for message_id, _ in seen],
                instants=[self._span.instant(day) for _, day in seen],
                campaign=self._campaign.pk,
                name=self._campaign.name,
                url=SHOP,
            )
        for each in readers:
            if each.leaves:
                message = Message.objects.select_related("customer").get(pk=each.message_id)
                unsubscribe(message, "link in an e-mail", self._span.instant(each.leaves))

    def _brought(self, readers: list[Reader]) -> Iterator[tuple[Person, Purchase]]:
        for each in readers:
            if each.orders:
                yield each.person, Purchase(each.orders, basket(self._rng, each.person))
                again = self._later(each.orders + 20, 12) if self._rng.random() < AGAIN else None
                if again:
                    yield each.person, Purchase(again, basket(self._rng, each.person))


def meet_goals(since: datetime) -> None:
    """Let the orders from `since` up to now meet the campaign's goal, and those leave whose time is over."""
    placed = Order.objects.filter(ordered_at__gt=since, ordered_at__lte=clock.now(), state=Order.State.COMPLETED)
    goals.meet([goals.Placed(*row) for row in placed.values_list("customer_id", "ordered_at")])
    goals.close()


def _outcome(message_id: int, failed: bool) -> Outcome:
    if failed:
        return Outcome(message_id, Fate.FAILED, 550, "5.1.1 No such mailbox")
    return Outcome(message_id, Fate.SENT, 250, "2.0.0 Ok")


MANY = 100_000
DEPART = """
    WITH gone AS (
        UPDATE campaigns_message message
           SET state = 'sending', attempts = 1, address = customer.email
          FROM customers_customer customer
         WHERE customer.id = message.customer_id AND message.id = ANY(%(messages)s) AND message.token = %(token)s
        RETURNING message.id
    )
    INSERT INTO campaigns_attempt (id, message_id, token, started_at, outcome, reply)
    SELECT gen_random_uuid(), id, %(token)s, %(now)s, '', '' FROM gone
"""
_SEEN = """
    WITH seen AS (
        UPDATE campaigns_message message SET {column} = given.at
          FROM unnest(%(messages)s::bigint[], %(instants)s::timestamptz[]) AS given (message_id, at)
         WHERE message.id = given.message_id
        RETURNING message.id, message.customer_id, given.at
    )
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, '{kind}', at, at, 'e-mail', 'message:' || id,
           jsonb_build_object('message', id, 'campaign', %(campaign)s::bigint, 'name', %(name)s::text) || {more},
           'message:' || id || ':{word}'
      FROM seen
    ON CONFLICT DO NOTHING
"""
OPEN = _SEEN.format(column="opened_at", kind="message.opened", word="open", more="'{}'")
CLICK = _SEEN.format(
    column="clicked_at", kind="message.clicked", word="click", more="jsonb_build_object('url', %(url)s::text)"
)
