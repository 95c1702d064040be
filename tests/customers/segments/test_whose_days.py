"""Days begin at midnight: the workspace's, or each customer's own; and whoever crosses one is looked at again."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from customers.facts import folding
from customers.models import Contact, Customer, Event
from customers.segments import compiling, rules
from customers.segments.operators import Moment
from customers.segments.rules import RuleRefused

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def customer(zone: str = "", joined: str | None = None, **fields: Any) -> Customer:
    made = Customer.objects.create(
        external_id=f"c{Customer.objects.count()}", time_zone=zone, joined_at=joined and instant(joined), **fields
    )
    folding.fold([made.id])
    return made


def run(text: str, params: tuple[Any, ...]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return {customer_id for (customer_id,) in cursor.fetchall()}


def picked(rule: dict[str, Any], now: str) -> set[int]:
    query = compiling.members(rules.parse(rule), Moment(instant(now), BERLIN))
    return run(query.text, query.params)


def crossed(rule: dict[str, Any], since: str, now: str) -> set[int]:
    query = compiling.crossing(rules.parse(rule), instant(since), Moment(instant(now), BERLIN))
    return run(query.text, query.params) if query else set()


JOINED_TODAY = {"field": "joined_at", "op": "is_today", "days_of": "customer"}


def test_it_works() -> None:
    """While it is the 15th of May in Berlin it is still the 14th in Hawaii, and already so in Tokyo hours before."""
    berlin = customer("", "2026-05-14T22:30:00")
    hawaii = customer("Pacific/Honolulu", "2026-05-14T22:30:00")
    customer("Asia/Tokyo", "2026-05-13T14:30:00")
    assert picked(JOINED_TODAY, "2026-05-15T07:30:00") == {berlin.id, hawaii.id}
    assert picked(JOINED_TODAY | {"days_of": "workspace"}, "2026-05-15T07:30:00") == {berlin.id, hawaii.id}
    assert picked(JOINED_TODAY, "2026-05-15T10:30:00") == {berlin.id}
    assert picked(JOINED_TODAY, "2026-05-14T14:45:00") == {hawaii.id}
    assert picked(JOINED_TODAY, "2026-05-14T15:15:00") == {hawaii.id}


def test_a_midnight_takes_across_those_alone_for_whom_it_strikes() -> None:
    berlin, tokyo = customer("Europe/Berlin", "2026-05-14T12:00:00"), customer("Asia/Tokyo", "2026-05-14T12:00:00")
    assert crossed(JOINED_TODAY, "2026-05-14T14:59:00", "2026-05-14T15:00:00") == {tokyo.id}
    assert crossed(JOINED_TODAY, "2026-05-14T21:59:00", "2026-05-14T22:00:00") == {berlin.id}
    assert (
        compiling.crossing(
            rules.parse(JOINED_TODAY), instant("2026-05-14T21:01:00"), Moment(instant("2026-05-14T21:02:00"), BERLIN)
        )
        is None
    )


@pytest.mark.parametrize(
    ("joined", "now", "held"),
    [
        # On 29 March the clocks go forward: the day has 23 hours, and begins and ends an hour apart of UTC.
        ("2026-03-28T22:59:00", "2026-03-29T12:00:00", False),
        ("2026-03-28T23:00:00", "2026-03-29T12:00:00", True),
        ("2026-03-29T21:59:00", "2026-03-29T12:00:00", True),
        ("2026-03-29T22:00:00", "2026-03-29T12:00:00", False),
        # On 25 October they go back: it has 25.
        ("2026-10-24T22:00:00", "2026-10-25T12:00:00", True),
        ("2026-10-25T22:59:00", "2026-10-25T12:00:00", True),
        ("2026-10-25T23:00:00", "2026-10-25T12:00:00", False),
    ],
)
@pytest.mark.parametrize("whose", ["workspace", "customer"])
def test_a_day_on_which_clocks_change(joined: str, now: str, held: bool, whose: str) -> None:
    customer("Europe/Berlin", joined)
    assert bool(picked(JOINED_TODAY | {"days_of": whose}, now)) == held


def test_the_last_seven_days_begin_at_midnight() -> None:
    customer("", "2026-05-08T21:59:00")
    late = customer("", "2026-05-08T22:00:00")
    last_week = {"field": "joined_at", "op": "on_last_days", "value": 7}
    assert picked(last_week, "2026-05-15T20:00:00") == {late.id}
    assert crossed(last_week, "2026-05-15T21:59:00", "2026-05-15T22:00:00") == {late.id}


def test_birthdays_this_week() -> None:
    """The week of Monday 25 May; born on 29 February counts on the 28th where there is none."""
    people = {born: customer() for born in ("1980-05-24", "1980-05-25", "1975-05-31", "1980-06-01", "2026-05-27")}
    for born, who in people.items():
        Contact.objects.create(
            customer=who, name="Ada", birthday=date.fromisoformat(born), is_main=True, created_at=LONG_AGO
        )
    this_week = {"field": "main_contact.birthday", "op": "anniversary_this_week"}
    expected = {people["1980-05-25"].id, people["1975-05-31"].id}
    assert picked(this_week, "2026-05-27T12:00:00") == expected
    where = [{"field": "birthday", "op": "anniversary_this_week", "days_of": "customer"}]
    anybody = {"field": "contact_count", "op": "at_least", "value": {"times": 1}, "where": where}
    assert picked(anybody, "2026-05-27T12:00:00") == expected
    assert crossed(this_week, "2026-05-31T21:00:00", "2026-05-31T23:00:00") >= {*expected, people["1980-06-01"].id}


def test_days_that_events_and_attributes_say() -> None:
    who = customer(attributes={"trial": "2026-05-20", "garbled": "2026-02-30"})
    Event.objects.create(
        customer=who, kind="usage", occurred_at=instant("2026-05-01T12:00:00"), payload={"at": "2026-05-19T22:30:00Z"}
    )
    Event.objects.create(customer=who, kind="usage", occurred_at=instant("2026-05-01T12:00:00"), payload={"paid": True})
    at = {"field": "events.usage", "op": "exactly", "value": {"times": 1}}
    for rule in (
        {"field": "attributes.trial", "op": "in_next_days", "value": 5},
        {"field": "attributes.trial", "op": "is_this_month"},
        at | {"where": [{"field": "payload.at", "op": "before", "value": "2026-05-21"}]},
        at | {"where": [{"field": "payload.at", "op": "on_or_after", "value": "2026-05-20"}]},
        at | {"where": [{"field": "payload.paid", "op": "is_yes"}]},
    ):
        assert picked(rule, "2026-05-15T12:00:00") == {who.id}, rule
    for op in ("more_than_days_ago", "more_than_days_ahead"):
        assert picked({"field": "attributes.garbled", "op": op, "value": 1}, "2026-05-15T12:00:00") == set()


@pytest.mark.parametrize("zone", ["no/zone", "Foo", "1/2", "'; --", "mon/tue", "Europe/Nowhere", "am", "BC", "%s/%s"])
def test_what_is_no_zone_holds_nobody_up(zone: str) -> None:
    who = customer(zone, "2026-05-14T22:30:00")
    assert picked(JOINED_TODAY, "2026-05-15T07:30:00") == {who.id}
    assert crossed(JOINED_TODAY, "2026-05-15T21:00:00", "2026-05-15T22:00:00") == {who.id}


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"field": "joined_at", "op": "is_today", "days_of": "moon"}, "days_of"),
        ({"field": "joined_at", "op": "within_days", "value": 7, "days_of": "customer"}, "days_of"),
        ({"field": "orders", "op": "at_least", "value": 7, "days_of": "customer"}, "days_of"),
        ({"field": "order_count", "op": "at_least", "value": {"times": 1}, "days_of": "customer"}, "days_of"),
    ],
)
def test_days_of_is_refused_where_it_says_nothing(written: dict[str, Any], place: str) -> None:
    with pytest.raises(RuleRefused) as refusal:
        rules.parse(written)
    assert refusal.value.place == place
