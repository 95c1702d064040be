"""Overlap, what sets a segment apart, and the shelf of ready-made ones: right counts that open to their customers."""

import statistics
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from customers.models import Customer, CustomerFacts, CustomField, Segment, SegmentMembership
from customers.segments import apart, compiling, membership, patience, rules
from customers.segments.operators import Moment
from customers.segments.overlap import Part, overlap, shared_with_all, stays
from customers.segments.ready_made import READY_MADE
from tests.baseline import assert_query_count
from tests.customers.facts.world import DAY, customer
from tests.customers.segments.people import populated
from tests.customers.segments.test_compiling import picked

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
MOMENT = Moment(NOW, UTC)
SignIn = Callable[[str], Client]


def people(count: int) -> list[Customer]:
    """Number n has n orders; the even ones are French, the others German, of the last it is not known."""
    made = [customer(number) for number in range(count)]
    for number, who in enumerate(made):
        who.country = "France" if number % 2 == 0 else "" if number == count - 1 else "Germany"
        who.tags = ["vip"] if number % 4 == 0 else []
        who.joined_at = NOW - number * DAY
        who.save()
        CustomerFacts.objects.create(customer=who, orders=number, revenue=number * 10)
    return made


def segment(name: str, *who: Customer) -> Segment:
    one = Segment.objects.create(name=name, rule={"field": "orders", "op": "at_least", "value": 0}, computed_at=NOW)
    for each in who:
        SegmentMembership.objects.create(segment=one, customer=each, entered_at=NOW)
    Segment.objects.filter(pk=one.pk).update(size=len(who))
    one.refresh_from_db()
    return one


def ids(first: Segment, second: Segment, part: Part) -> set[int]:
    return set(stays(first, second, part).values_list("customer", flat=True))


class TestOverlap:
    def test_it_works(self) -> None:
        made = people(6)
        first, second = segment("First", *made[:4]), segment("Second", *made[3:])
        SegmentMembership.objects.filter(segment=second, customer=made[5]).update(left_at=NOW)
        found = overlap(first, second)
        assert (found.both, found.first, found.second, found.either) == (1, 3, 1, 5)
        assert ids(first, second, Part.BOTH) == {made[3].id}
        assert ids(first, second, Part.FIRST) == {who.id for who in made[:3]}
        assert ids(first, second, Part.SECOND) == {made[4].id}
        assert shared_with_all(first) == {second.pk: 1}

    def test_the_page_opens_to_the_customers(self, signed_in: SignIn) -> None:
        made = people(5)
        first, second = segment("First", *made[:3]), segment("Second", *made[2:])
        client, page = signed_in("analyst"), f"/segments/{first.pk}/overlap/"
        assert "Second" in client.get(page).content.decode()
        text = client.get(f"{page}?with={second.pk}&part=second").content.decode()
        assert "Only in “Second”: 2" in text
        assert "Customer 4" in text
        assert "Customer 0" not in text
        for odd in ("?with=x", "?with=999999", f"?with={second.pk}&part=x&page=99"):
            assert client.get(f"{page}{odd}").status_code == 200

    def test_it_says_when_it_takes_too_long(self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
        one, _other = segment("First"), segment("Second")
        monkeypatch.setattr("customers.segments.overlap._SHARED", "SELECT 1, pg_sleep(5) WHERE %(segment)s > 0")
        monkeypatch.setattr(patience, "PATIENCE_MS", 50)
        text = signed_in("analyst").get(f"/segments/{one.pk}/overlap/").content.decode()
        assert "takes too long" in text


class TestApart:
    def test_it_works(self) -> None:
        """Against the same worked out in Python."""
        made = people(20)
        one = segment("Buyers", *made[10:])
        found = {(each.column.key, each.value): each for each in apart.apart(one, MOMENT).contrasts}
        orders = found["orders", ""]
        expected = (statistics.mean(range(10, 20)) - statistics.mean(range(20))) / statistics.stdev(range(20))
        assert orders.effect == pytest.approx(expected)
        assert (orders.members, orders.all, orders.known_members, orders.known_all) == (14.5, 9.5, 10, 20)
        joined = found["joined_at", ""]
        assert (joined.members, joined.all) == (14.5, 9.5)
        french = found["country", "France"]
        assert (french.members, french.all, french.known_members, french.known_all) == (5 / 9, 10 / 19, 9, 19)
        assert french.having == 5
        assert french.lift == pytest.approx((5 / 9) / (10 / 19))
        assert ("stage", "prospect") not in found  # everybody is one

    def test_the_greatest_difference_is_first(self) -> None:
        made = people(20)
        effects = [abs(each.effect) for each in apart.apart(segment("Buyers", *made[10:]), MOMENT).contrasts]
        assert effects == sorted(effects, reverse=True) != []

    def test_a_tag_is_a_share_of_everybody(self) -> None:
        made = people(24)
        one = segment("Vips", *[who for who in made if who.tags], *made[1:6:2])
        tag = next(each for each in apart.apart(one, MOMENT).contrasts if each.value == "vip")
        assert (tag.members, tag.all, tag.known_members, tag.known_all) == (6 / 9, 6 / 24, 9, 24)

    def test_custom_fields_are_compared(self) -> None:
        CustomField.objects.create(key="seats", label="Seats", type="number")
        made = people(20)
        for number, who in enumerate(made):
            Customer.objects.filter(pk=who.pk).update(attributes={"seats": number})
        found = apart.apart(segment("Large", *made[10:]), MOMENT).contrasts
        assert next(each for each in found if each.column.key == "custom.seats").members == 14.5

    def test_a_sample_says_that_it_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = people(20)
        monkeypatch.setattr(apart, "SAMPLE", 12)
        found = apart.apart(segment("Buyers", *made), MOMENT)
        assert found.sampled == 12
        assert all(each.known_members <= 12 for each in found.contrasts)

    def test_each_difference_opens_to_its_customers(self, signed_in: SignIn) -> None:
        made = people(20)
        one, client = segment("Buyers", *made[10:]), signed_in("analyst")
        page = f"/segments/{one.pk}/apart/"
        text = client.get(page).content.decode()
        assert f'href="{page}country/?value=France"' in text
        french = client.get(f"{page}country/?value=France").content.decode()
        assert "5 customers" in french
        assert "Customer 12" in french
        assert "Customer 11" not in french
        orders = client.get(f"{page}orders/").content.decode()
        assert orders.index("Customer 19") < orders.index("Customer 10")
        assert "10 customers" in orders
        assert client.get(f"{page}orders/?page=7").status_code == 200
        assert client.get(f"{page}orders/?value=many").status_code == 200
        assert client.get(f"{page}passwords/").status_code == 404

    def test_what_its_rule_asks_for_comes_last(self, signed_in: SignIn) -> None:
        """Of another segment's rule that it refers to as well: both compare orders, and nothing differs more."""
        made = people(20)
        one = segment("Buyers", *made[10:])
        refers = segment("Likewise", *made[10:])
        refers.rule = {"field": "segment", "op": "is_in", "value": one.pk}
        refers.save()
        for which in (one, refers):
            text = signed_in("analyst").get(f"/segments/{which.pk}/apart/").content.decode()
            places = [text.index(part) for part in ("/apart/revenue/", "What its rule asks for", "/apart/orders/")]
            assert places == sorted(places)

    def test_a_rule_that_is_no_longer_understood_asks_for_nothing(self, signed_in: SignIn) -> None:
        one = segment("Buyers", *people(20)[10:])
        Segment.objects.filter(pk=one.pk).update(rule={"field": "gone", "op": "at_least", "value": 0})
        text = signed_in("analyst").get(f"/segments/{one.pk}/apart/").content.decode()
        assert "/apart/orders/" in text
        assert "What its rule asks for" not in text

    def test_of_nobody_nothing_is_said(self, signed_in: SignIn) -> None:
        text = signed_in("analyst").get(f"/segments/{segment('Empty').pk}/apart/").content.decode()
        assert "Nothing to compare yet" in text


class TestShelf:
    def test_counts_are_those_of_the_rules(self) -> None:
        with time_machine.travel(NOW, tick=False):
            populated(3, NOW)
        parsed = [rules.parse(offer.rule) for offer in READY_MADE.values()]
        query = compiling.counts(parsed, MOMENT)
        with patience.patiently() as cursor:
            cursor.execute(query.text, query.params)
            counted = dict(zip(READY_MADE, cursor.fetchone(), strict=True))
        assert counted == {key: len(picked(offer.rule)) for key, offer in READY_MADE.items()}

    def test_one_click_makes_it_ones_own(self, signed_in: SignIn, at: Callable[[datetime], None]) -> None:
        at(NOW)
        people(3)
        client = signed_in("marketer")
        assert "Champions" not in client.get("/segments/ready-made/").content.decode()
        assert "Value: champions" in client.get("/segments/ready-made/").content.decode()
        client.post("/segments/ready-made/stage-prospect/")
        one = Segment.objects.get()
        assert (one.name, one.size) == ("Prospects", 3)
        response = client.post("/segments/ready-made/stage-prospect/")
        assert (response.status_code, Segment.objects.count()) == (302, 1)
        assert "Open yours" in client.get("/segments/ready-made/").content.decode()
        assert client.post("/segments/ready-made/gold/").status_code == 404

    def test_the_analyst_sees_and_takes_nothing(self, signed_in: SignIn) -> None:
        client = signed_in("analyst")
        assert "Make it mine" not in client.get("/segments/ready-made/").content.decode()
        assert client.post("/segments/ready-made/stage-prospect/").status_code == 403

    def test_there_is_one_for_each_stage_and_each_group(self) -> None:
        membership.refresh()
        assert sum(key.startswith("stage-") for key in READY_MADE) == 8
        assert sum(key.startswith("value-") for key in READY_MADE) == 10
        assert len({offer.name for offer in READY_MADE.values()}) == len(READY_MADE)


def test_the_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    made = people(20)
    first, second, client = segment("First", *made[:15]), segment("Second", *made[5:]), signed_in("analyst")
    assert_query_count("segments ready-made", client, "/segments/ready-made/")
    assert_query_count("segment overlap with all", client, f"/segments/{first.pk}/overlap/")
    assert_query_count("segment overlap", client, f"/segments/{first.pk}/overlap/?with={second.pk}")
    assert_query_count("segment apart", client, f"/segments/{first.pk}/apart/")
    assert_query_count("segment apart field", client, f"/segments/{first.pk}/apart/orders/")
