"""Two customers with something in every table, some of it the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection

from campaigns.models import Campaign, ContactSlot, EmailStep, Enrolment, Message, Recipient, Refusal
from customers.contacts import consent as contact_consent
from customers.duplicates import merging, moving
from customers.duplicates.merging import Wanted
from customers.events.recording import Happening, record
from customers.models import (
    Case,
    Consent,
    Contact,
    Customer,
    HandChange,
    HandedCustomer,
    HandOver,
    HandPick,
    Interaction,
    Likeness,
    Merge,
    Order,
    Segment,
    SegmentMembership,
)
from customers.records import consent
from customers.work.tasks import open_task
from loyalty.models import Offer
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from surveys.models import Answer, Invitation, Survey
from tests.customers.router import route
from tests.customers.subscribing import subscription

#: What a merge and its undoing add or follow from the rest: everything else is as it was.
NOT_COMPARED = {
    "customers.Merge",
    "customers.MergedRow",
    "customers.Unmatched",
    "customers.MatchKey",
    "customers.Dirty",
}
#: When it was folded or saved, and when the queue looks again.
MOMENTS = {"folded_at", "updated_at", "stage_since"}


@dataclass(frozen=True)
class Shared:
    """What both customers have to do with."""

    by: User
    segments: list[Segment]
    survey: Survey
    campaign: Campaign
    step: EmailStep


def boss() -> User:
    return User.objects.get_or_create(email="boss@example.test", defaults={"role": Role.ADMINISTRATOR})[0]


def shared() -> Shared:
    segments = [Segment.objects.create(name=f"Segment {n}", rule={"all": []}) for n in range(2)]
    campaign = Campaign.objects.create(name="Win back", segment=segments[0])
    step = EmailStep.objects.create(campaign=campaign, subject="Hello", body="Come back")
    Campaign.objects.filter(pk=campaign.pk).update(state="running", launched_at=clock.now())
    return Shared(boss(), segments, Survey.objects.create(name="NPS"), campaign, step)


def fill(who: Customer, among: Shared, number: int) -> None:
    """Something in each table; `number` tells the two customers apart where ids must differ."""
    now = clock.now()
    sale = {"ordered_at": now - timedelta(days=number), "amount": 10 + number, "currency": "EUR"}
    order = Order.objects.create(external_id=f"o{number}", customer=who, **sale)
    record(
        [
            Happening(who.pk, "usage", now, dedup_key="today"),
            Happening(who.pk, "order.placed", now, "web", f"order:{order.pk}"),
        ]
    )
    subscription(who, now - timedelta(days=40))
    Case.objects.create(customer=who, external_id=f"case{number}", subject="Late", opened_at=now)
    ada = Contact.objects.create(customer=who, name=f"Ada {number}", email="ada@acme.test", is_main=True)
    contact_consent.grant(ada, "phone", "call", "", now)
    Contact.objects.create(customer=who, name=f"Own {number}")
    Interaction.objects.create(customer=who, kind="note", text="Said", happened_at=now, contact=ada, author=among.by)
    open_task(who.pk, "Call", "", now, None, "playbook:1")
    consent.grant(who.pk, "email", "form", "", now)
    asked = Invitation.objects.create(survey=among.survey, customer=who, origin="hand", expires_at=now)
    Answer.objects.create(survey=among.survey, customer=who, invitation=asked, score=9, answered_at=now)
    _in_segments(who, among, number)
    _handed(who, among)
    _in_campaign(who, among)
    _offered(who, among)


def _handed(who: Customer, among: Shared) -> None:
    """Both in one hand-over."""
    colleague, _ = User.objects.get_or_create(email="colleague@example.test", defaults={"role": Role.ACCOUNT_MANAGER})
    row, _ = HandOver.objects.get_or_create(giver=among.by, receiver=colleague, by=among.by)
    HandedCustomer.objects.create(handover=row, customer=who)


def _in_segments(who: Customer, among: Shared, number: int) -> None:
    picks = HandChange.objects.create(segment=among.segments[1], act="in", by=among.by)
    HandPick.objects.create(change=picks, segment=among.segments[1], customer=who, verdict="in" if number else "out")
    for segment in among.segments[: number + 1]:
        SegmentMembership.objects.create(segment=segment, customer=who, entered_at=clock.now())
        Segment.objects.filter(pk=segment.pk).update(size=segment.memberships.filter(left_at=None).count())
    Segment.objects.filter(pk=among.segments[1].pk).update(by_hand=number + 1)


def enrol(who: Customer, among: Shared, arm: str = "treated", state: str = "pending") -> Enrolment:
    stay = SegmentMembership.objects.filter(customer=who).latest("pk")
    way = Enrolment.objects.create(
        campaign=among.campaign, customer=who, occurrence=stay.pk, arm=arm, gates=[], entered_at=clock.now()
    )
    if arm == "treated":
        write(way, among.step, state)
    return way


PATHS = {
    "pending": (),
    "claimed": ("claimed",),
    "sending": ("claimed", "sending"),
    "sent": ("claimed", "sending", "sent"),
}


def write(way: Enrolment, step: EmailStep, state: str) -> Message:
    now = clock.now()
    made = Message.objects.create(
        dedupe_key=f"{way.pk}:{step.pk}", enrolment=way, step=step, customer=way.customer, due_at=now,
        send_by=now + timedelta(days=3),
    )  # fmt: skip
    for each in PATHS[state]:
        Message.objects.filter(pk=made.pk).update(state=each)
    return made


def _in_campaign(who: Customer, among: Shared) -> None:
    way = enrol(who, among)
    message = way.messages.get()
    Refusal.objects.create(
        campaign=among.campaign,
        customer=who,
        occurrence=way.occurrence + 9_000,
        gate="rest",
        gates=[],
        refused_at=clock.now(),
    )
    own = f"{who.external_id}@acme.test"
    Message.objects.filter(pk=message.pk).update(address=own)
    Recipient.objects.create(step=among.step, address=own, customer=who)
    ContactSlot.objects.create(customer=who, channel="email", day=clock.now().date(), number=1, message=message)


def _offered(who: Customer, among: Shared, cost: int = 10) -> None:
    granted(who, among.by, cost, ceiling=50)


def granted(who: Customer, by: User, cost: int, ceiling: int) -> None:
    now = clock.now()
    given = {"kind": "credit", "amount": 10, "cost": Decimal(cost), "currency": "EUR", "reason": "price"}
    Offer.objects.create(
        customer=who, state="granted", asked_by=by, granted_at=now, answerable=by,
        month=now.date().replace(day=1), customer_ceiling=Decimal(ceiling), **given,
    )  # fmt: skip


def two() -> tuple[Customer, Customer, Shared]:
    """The one who stays and the one who goes, with facts folded."""
    among = shared()
    made = [
        Customer.objects.create(external_id=f"c{n}", name=f"Acme {n}", email="info@acme.test", tags=[f"t{n}"])
        for n in range(2)
    ]
    third = Customer.objects.create(external_id="third", name="Third")
    for number, who in enumerate(made):
        fill(who, among, number)
        Likeness.objects.create(low=who, high=third, score=50, reasons=[])
    route()
    return made[0], made[1], among


def united(survivor: Customer, loser: Customer, **wanted: Any) -> Merge:
    tags = tuple(dict.fromkeys([*survivor.tags, *loser.tags]))
    return merging.merge(Wanted(survivor.pk, loser.pk, tags, **wanted), boss())


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but those of the merge itself, its events and what is folded at a moment."""
    found = {}
    for model in apps.get_models():
        if model._meta.label in NOT_COMPARED or model._meta.app_label in ("sessions", "contenttypes", "auth"):
            continue
        columns = [each.column for each in model._meta.concrete_fields if each.column not in MOMENTS]
        listed = ", ".join(f'"{name}"::text' for name in columns)
        with connection.cursor() as cursor:
            where = "WHERE kind NOT LIKE 'customer.%merged'" if model._meta.label == "customers.Event" else ""
            cursor.execute(f"SELECT {listed} FROM {model._meta.db_table} {where} ORDER BY 1")
            found[model._meta.label] = cursor.fetchall()
    return found


def relations() -> set[str]:
    """Every relation to Customer there is, as app.Model.field."""
    return {
        f"{each.related_model._meta.label}.{each.field.name}"  # type: ignore[union-attr]
        for each in Customer._meta.get_fields(include_hidden=True)
        if each.auto_created and not each.concrete
    }


def uncarried() -> set[str]:
    return relations() - moving.CARRIED


def any_two(*sides: dict[str, Any]) -> tuple[Customer, Customer]:
    """Two customers of whom each has what a property test gives."""
    among, made = shared(), []
    for number, side in enumerate(sides):
        given = {"email": side["email"], "attributes": side["attributes"]}
        who = Customer.objects.create(external_id=f"c{number}", **given)
        _fill_as(who, among, side)
        made.append(who)
    route()
    return made[0], made[1]


def _fill_as(who: Customer, among: Shared, side: dict[str, Any]) -> None:
    now = clock.now()
    for n in range(side["orders"]):
        sale = {"ordered_at": now - timedelta(days=n), "amount": n, "currency": "EUR"}
        Order.objects.create(external_id=f"{who.pk}-{n}", customer=who, **sale)
        record([Happening(who.pk, "usage", now, dedup_key=str(n))])
    say(who.pk, side["said"], now)
    ada = Contact.objects.create(customer=who, name="Ada", email="ada@acme.test", is_main=True)
    if side["contact"] == "removed":
        Contact.objects.filter(pk=ada.pk).update(removed_at=now)
    elif side["contact"] != "nothing":
        keep = contact_consent.grant if side["contact"] == "granted" else contact_consent.withdraw
        keep(ada, "phone", "call", "", now)
    if side["pick"]:
        picks = HandChange.objects.create(segment=among.segments[1], act=side["pick"], by=among.by)
        HandPick.objects.create(change=picks, segment=among.segments[1], customer=who, verdict=side["pick"])
    SegmentMembership.objects.create(segment=among.segments[0], customer=who, entered_at=now)
    for segment in among.segments:
        counts = {"size": segment.memberships.filter(left_at=None).count(), "by_hand": segment.hand_picks.count()}
        Segment.objects.filter(pk=segment.pk).update(**counts)
    if side["state"] == "control":
        enrol(who, among, "control")
    elif side["state"] != "none":
        enrol(who, among, state=side["state"])


def say(customer_id: int, what: str, at: datetime) -> None:
    if what != "nothing":
        (consent.grant if what == "granted" else consent.withdraw)(customer_id, "email", "form", "", at)


def said(customer_id: int) -> str:
    return Consent.objects.filter(customer=customer_id).values_list("state", flat=True).first() or "nothing"
