"""How this room's rows go along when two customers are made one (customers/duplicates/moving.py)."""

from typing import Any

from django.db import connection
from django.db.models import Q

from customers.duplicates.consents import unite
from customers.duplicates.moving import CARRIED, WORDS, Pair, carrier, change, plainly, set_aside
from customers.models import (
    Channel,
    Consent,
    Contact,
    ContactConsent,
    CustomerFacts,
    CustomerMonth,
    Event,
    HandedCustomer,
    HandPick,
    Health,
    HealthChange,
    Likeness,
    MrrMovement,
    PlaybookRun,
    SegmentMembership,
    StagePeriod,
    Task,
    Verdict,
)
from customers.records.consent import same_place

plainly(
    "customers.Order.customer",
    "customers.Case.customer",
    "customers.SuccessPlan.customer",
    "customers.Interaction.customer",
    # The database lets the terms go with their subscription: they refer to it together with its customer.
    "customers.Subscription.customer",
    "customers.FormerId.customer",
)
CARRIED.add("customers.SubscriptionTerm.customer")
WORDS.update(
    {
        "customers.Order": "orders",
        "customers.Subscription": "subscriptions",
        "customers.Contact": "people",
        "customers.Case": "cases",
        "customers.SuccessPlan": "success plans",
        "customers.HandedCustomer": "places in hand-overs",
        "customers.Interaction": "interactions",
        "customers.Task": "tasks",
        "customers.PlaybookRun": "runs of playbooks",
        "customers.Event": "entries of the timeline",
        "customers.SegmentMembership": "stays in segments",
        "customers.HandPick": "decisions by hand about segments",
    }
)

OF_LOSER = "t.customer_id = %(loser)s"
MOVED = {"customer_id": "%(survivor)s"}


@carrier(
    "customers.CustomerFacts.customer",
    "customers.CustomerMonth.customer",
    "customers.MrrMovement.customer",
    "customers.StagePeriod.customer",
    "customers.Health.customer",
    "customers.HealthChange.customer",
)
def set_aside_what_is_folded(pair: Pair) -> None:
    """It follows from the rows that go along, and is folded anew for whoever stays."""
    for model in (CustomerFacts, CustomerMonth, MrrMovement, StagePeriod, Health, HealthChange):
        set_aside(pair, model, OF_LOSER)


@carrier("customers.Dirty.customer", "customers.MatchKey.customer")
def forget_marks(pair: Pair) -> None:
    """Marks and keys are of the day; whoever comes back is marked anew."""
    with connection.cursor() as cursor:
        for table in ("customers_dirty", "customers_matchkey"):
            cursor.execute(f"DELETE FROM {table} WHERE customer_id = %s", [pair.loser_id])  # noqa: S608


@carrier("customers.Event.customer")
def carry_events(pair: Pair) -> None:
    """All of them; what would be the same to the key that tells repetitions gets a key of its own."""
    key = """CASE WHEN EXISTS (SELECT FROM customers_event own WHERE own.customer_id = %(survivor)s
                               AND own.kind = t.kind AND own.dedup_key = t.dedup_key)
             THEN md5(t.dedup_key) || ':' || %(loser)s ELSE t.dedup_key END"""
    change(pair, Event, {**MOVED, "dedup_key": key}, OF_LOSER)


@carrier("customers.Task.customer")
def carry_tasks(pair: Pair) -> None:
    """Where both have a task of one origin, both stay."""
    origin = """CASE WHEN EXISTS (SELECT FROM customers_task own WHERE own.customer_id = %(survivor)s
                                  AND own.origin = t.origin AND t.origin <> '')
                THEN left(t.origin, 90) || ' of ' || %(loser)s ELSE t.origin END"""
    change(pair, Task, {**MOVED, "origin": origin}, OF_LOSER)


@carrier("customers.PlaybookRun.customer")
def carry_runs(pair: Pair) -> None:
    """All of them; a playbook that runs for both goes on once, and the tasks of the other run stay as tasks."""
    also = """t.state = 'running' AND EXISTS (SELECT FROM customers_playbookrun own WHERE own.state = 'running'
              AND own.customer_id = %(survivor)s AND own.playbook_id = t.playbook_id)"""
    ended = {
        "state": "'stopped'",
        "ended_at": "GREATEST(%(at)s, t.started_at)",
        "end_reason": "'It runs for whom they were made one with'",
    }
    change(pair, PlaybookRun, ended, f"{OF_LOSER} AND {also}")
    origin = """CASE WHEN EXISTS (SELECT FROM customers_playbookrun own WHERE own.customer_id = %(survivor)s
                                  AND own.playbook_id = t.playbook_id AND own.origin = t.origin)
                THEN left(t.origin, 50) || ' of ' || %(loser)s ELSE t.origin END"""
    change(pair, PlaybookRun, {**MOVED, "origin": origin}, OF_LOSER)


@carrier("customers.Consent.customer", first=True)
def carry_consents(pair: Pair) -> None:
    """On each channel the strictest of both holds. Who agreed at a place did not agree for another one."""
    places = {Channel.EMAIL: (pair.addresses, pair.address), Channel.SMS: (pair.phones, pair.phone)}

    def still(said: Consent) -> bool:
        had, stays = places[Channel(said.channel)]
        return said.state == Consent.State.WITHDRAWN or same_place(said.channel, had[said.customer_id], stays)

    unite(pair, Consent, pair.survivor_id, pair.loser_id, still)


@carrier("customers.Contact.customer", first=True)
def carry_contacts(pair: Pair) -> None:
    """People with one address are one person; of two main contacts the survivor's stays it."""
    for keeper, other in _same_people(pair):
        _make_one(pair, keeper, other)
    main = """t.is_main AND t.removed_at IS NULL AND EXISTS (SELECT FROM customers_contact own
              WHERE own.customer_id = %(survivor)s AND own.is_main AND own.removed_at IS NULL)"""
    change(pair, Contact, {"is_main": "FALSE"}, f"{OF_LOSER} AND {main}")
    change(pair, Contact, MOVED, OF_LOSER)


def _same_people(pair: Pair) -> list[tuple[Contact, Contact]]:
    """The one who stays and the one who goes: whoever was not removed stays, else the survivor's."""
    mine, theirs = (
        {each.email.lower(): each for each in Contact.objects.filter(customer=customer_id).exclude(email="")}
        for customer_id in (pair.survivor_id, pair.loser_id)
    )
    both = [(mine[address], theirs[address]) for address in sorted(mine.keys() & theirs.keys())]
    return [(b, a) if a.removed_at and not b.removed_at else (a, b) for a, b in both]


FILLED = ("name", "role", "phone", "language", "time_zone", "birthday")


def _make_one(pair: Pair, keeper: Contact, other: Contact) -> None:
    unite(pair, ContactConsent, keeper.pk, other.pk, lambda _said: True)
    for relation in Contact._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and relation.related_model is not ContactConsent:
            column = relation.field.column  # type: ignore[union-attr]
            values, where = {column: "%(keeper)s"}, f"t.{column} = %(other)s"
            change(pair, relation.related_model, values, where, keeper=keeper.pk, other=other.pk)  # type: ignore[arg-type]
    _fill(pair, keeper, other)
    set_aside(pair, Contact, "t.id = %(id)s", id=other.pk)


def _fill(pair: Pair, keeper: Contact, other: Contact) -> None:
    """What only the one who goes has told."""
    told: dict[str, Any] = {name: getattr(other, name) for name in FILLED if not getattr(keeper, name)}
    told = {name: value for name, value in told.items() if value}
    values = {name: f"%({name})s" for name in told}
    values["attributes"] = "(SELECT o.attributes FROM customers_contact o WHERE o.id = %(other)s) || t.attributes"
    change(pair, Contact, values, "t.id = %(id)s", id=keeper.pk, other=other.pk, **told)


@carrier("customers.SegmentMembership.customer")
def carry_memberships(pair: Pair) -> None:
    """All stays; where both are in a segment now, the loser's ends."""
    also = """EXISTS (SELECT FROM customers_segmentmembership own WHERE own.customer_id = %(survivor)s
                      AND own.segment_id = t.segment_id AND own.left_at IS NULL)"""
    end = f"CASE WHEN t.left_at IS NULL AND {also} THEN GREATEST(%(at)s, t.entered_at) ELSE t.left_at END"
    change(pair, SegmentMembership, {**MOVED, "left_at": end}, OF_LOSER)


@carrier("customers.HandPick.customer")
def carry_picks(pair: Pair) -> None:
    """Of two decisions about one segment the stricter stays: whoever is kept out of it is kept out."""
    other = """t.ended_by_id IS NULL AND EXISTS (
        SELECT FROM customers_handpick o WHERE o.segment_id = t.segment_id AND o.ended_by_id IS NULL
        AND o.customer_id = %({whose})s {and_out})"""
    weaker = other.format(whose="loser", and_out=f"AND o.verdict = '{Verdict.OUT}'")
    set_aside(pair, HandPick, f"t.customer_id = %(survivor)s AND t.verdict = '{Verdict.IN}' AND {weaker}")
    set_aside(pair, HandPick, f"{OF_LOSER} AND {other.format(whose='survivor', and_out='')}")
    change(pair, HandPick, MOVED, OF_LOSER)


@carrier("customers.HandedCustomer.customer")
def carry_handed(pair: Pair) -> None:
    """Where both went along in one hand-over, whoever stays has gone."""
    also = """EXISTS (SELECT FROM customers_handedcustomer own
                      WHERE own.customer_id = %(survivor)s AND own.handover_id = t.handover_id)"""
    set_aside(pair, HandedCustomer, f"{OF_LOSER} AND {also}")
    change(pair, HandedCustomer, MOVED, OF_LOSER)


@carrier("customers.Likeness.low", "customers.Likeness.high")
def carry_likenesses(pair: Pair) -> None:
    """The one between the two has come true. Others go along: whoever is not the one is not the other either."""
    mine, theirs = _by_other(pair.survivor_id), _by_other(pair.loser_id)
    for other, one in theirs.items():
        own = mine.get(other)
        stays = other != pair.survivor_id and (own is None or bool(one.dismissed_at and not own.dismissed_at))
        gone = own if stays else one
        if gone:
            set_aside(pair, Likeness, "t.id = %(id)s", id=gone.pk)
        if stays:
            ends = {"low_id": "LEAST(%(other)s, %(survivor)s)", "high_id": "GREATEST(%(other)s, %(survivor)s)"}
            change(pair, Likeness, ends, "t.id = %(id)s", id=one.pk, other=other)


def _by_other(customer_id: int) -> dict[int, Likeness]:
    found = Likeness.objects.filter(Q(low=customer_id) | Q(high=customer_id)).order_by("id")
    return {each.high_id if each.low_id == customer_id else each.low_id: each for each in found}
