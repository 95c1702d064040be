"""By hand: who is put in is in, who is kept out is out, whatever the rule; said by whom, and undone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.facts import dirty
from customers.models import Customer, HandChange, HandPick, Segment, SegmentMembership
from customers.segments import by_hand, list_files, membership, references, saving
from customers.segments.preview import preview
from customers.segments.rules import NOBODY
from retention.workspace.models import User, Workspace
from tests.customers.facts.world import DAY, customer
from tests.customers.router import route
from tests.customers.segments import oracle
from tests.customers.segments.people import populated
from tests.customers.segments.strategies import RULES
from tests.customers.segments.test_membership import inside, together, wanted

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
FRENCH = {"field": "country", "op": "is", "value": "France"}
Act = HandChange.Act


def people(*countries: str) -> list[Customer]:
    made = [customer(number) for number, _ in enumerate(countries)]
    for who, country in zip(made, countries, strict=True):
        who.country = country
        who.email = f"{who.external_id}@example.test"
        who.save()
    dirty.mark([who.id for who in made])
    route()
    return made


def segment(rule: dict[str, Any] | None = None, name: str = "French") -> Segment:
    one = Segment.objects.create(name=name, rule=rule or FRENCH)
    membership.refresh([one.pk])
    return one


def decide(one: Segment, act: str, *who: Customer, by: User | None = None) -> HandChange:
    change = HandChange(segment=one, act=act, reason="Because", by=by)
    return by_hand.decide(change, [each.id for each in who])


@pytest.fixture
def administrator() -> User:
    return User.objects.create(email="ada@example.test")


@pytest.fixture(autouse=True)
def _now(at: Callable[[datetime], None]) -> None:
    at(NOW)


def test_it_works() -> None:
    """Put in against the rule, kept out against the rule, and both left to the rule again."""
    paul, ann = people("France", "Spain")
    one = segment()
    assert inside(one) == {paul.id}
    decide(one, Act.IN, ann)
    decide(one, Act.OUT, paul)
    assert inside(one) == {ann.id}
    membership.refresh()
    one.refresh_from_db()
    assert (inside(one), one.size, one.by_hand) == ({ann.id}, 1, 2)
    decide(one, Act.RULE, paul, ann)
    one.refresh_from_db()
    assert (inside(one), one.size, one.by_hand) == ({paul.id}, 1, 0)


def test_what_happens_to_a_customer_does_not_shake_a_decision() -> None:
    paul, ann = people("France", "Spain")
    one = segment()
    decide(one, Act.OUT, paul)
    decide(one, Act.IN, ann)
    Customer.objects.filter(pk=paul.pk).update(country="Spain")
    dirty.mark([paul.id, ann.id])
    route()
    Customer.objects.filter(pk=paul.pk).update(country="France")
    dirty.mark([paul.id])
    route()
    assert inside(one) == {ann.id}


def test_a_later_decision_takes_the_place_of_an_earlier() -> None:
    (paul,) = people("France")
    one = segment()
    decide(one, Act.OUT, paul)
    change = decide(one, Act.IN, paul)
    assert (change.customers, inside(one)) == (1, {paul.id})
    assert decide(one, Act.IN, paul).customers == 0
    assert HandPick.objects.filter(ended_by=None).count() == 1


def test_a_segment_that_refers_to_it_follows() -> None:
    paul, ann = people("France", "Spain")
    one = segment()
    other = segment({"field": "segment", "op": "is_not_in", "value": one.pk}, "Not French")
    assert inside(other) == {ann.id}
    decide(one, Act.OUT, paul)
    assert inside(other) == {paul.id, ann.id}


def test_undoing_brings_back_what_was_and_leaves_what_came_since(administrator: User) -> None:
    paul, ann, eve = people("France", "Spain", "Spain")
    one = segment()
    decide(one, Act.OUT, paul)
    change = decide(one, Act.IN, paul, ann, eve)
    decide(one, Act.OUT, ann)
    assert inside(one) == {paul.id, eve.id}
    assert by_hand.undo(change, administrator) == 2
    assert inside(one) == set()
    change.refresh_from_db()
    assert (change.undone_by, change.undone_at) == (administrator, NOW)
    with pytest.raises(by_hand.NothingToUndo):
        by_hand.undo(change, administrator)


def test_a_change_undone_does_not_come_back_with_the_next_undone(administrator: User) -> None:
    (ann,) = people("Spain")
    one = segment()
    first = decide(one, Act.IN, ann)
    second = decide(one, Act.OUT, ann)
    by_hand.undo(first, administrator)
    by_hand.undo(second, administrator)
    assert inside(one) == set()
    assert not HandPick.objects.filter(ended_by=None).exists()


def test_a_list_has_nobody_but_whom_it_is_told() -> None:
    _paul, ann = people("France", "Spain")
    one = segment(NOBODY, "List")
    decide(one, Act.IN, ann)
    membership.refresh()
    membership.refresh_crossings()
    assert inside(one) == {ann.id}


def test_the_preview_counts_as_the_segment_does() -> None:
    paul, ann, eve = people("France", "Spain", "France")
    one = segment()
    decide(one, Act.OUT, paul)
    decide(one, Act.IN, ann)
    one.refresh_from_db()
    found = preview(references.whole(one), Workspace.current())
    assert (found.count, {row["pk"] for row in found.sample}) == (2, {ann.id, eve.id})


DECISIONS = st.lists(
    st.tuples(st.sampled_from(list(Act)), st.integers(0, 2), st.sets(st.integers(0, 4), min_size=1)), max_size=4
)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    seed=st.integers(0, 2**32),
    written=st.lists(RULES, min_size=3, max_size=3),
    steps=st.lists(st.tuples(st.integers(1, 1500), DECISIONS, st.booleans()), min_size=1, max_size=3),
)
def test_small_refreshes_with_decisions_equal_a_full_pass(
    seed: int, written: list[dict[str, Any]], steps: list[tuple[int, list[tuple[Act, int, set[int]]], bool]]
) -> None:
    """However decisions, happenings and leaps of time follow one another, and as the words of rule and decision say."""
    with transaction.atomic():
        with time_machine.travel(NOW, tick=False):
            world = populated(seed, NOW, customers=5, happenings=30)
            segments = [segment(rule, f"Segment {number}") for number, rule in enumerate(written)]
            referring = segment({"field": "segment", "op": "is_in", "value": segments[0].pk}, "Referring")
        for hours, decisions, takes_back in steps:
            world.now += hours * DAY / 24
            with time_machine.travel(world.now, tick=False):
                world.grow(3)
                for act, number, whom in decisions:
                    decide(segments[number], act, *(world.customers[each] for each in whom))
                if takes_back and (last := HandChange.objects.filter(undone_at=None).first()):
                    by_hand.undo(last, User.objects.all()[0])
                route()
                membership.refresh_crossings()
                for one in Segment.objects.all():
                    assert inside(one) == wanted(one), one.rule
                    assert one.size == len(inside(one))
                for one in segments:
                    assert inside(one) == told(one, world.now)
                assert inside(referring) == inside(segments[0])
        transaction.set_rollback(True)


def told(one: Segment, now: datetime) -> set[int]:
    """Who should be in by the plain words: the latest decision about each, else the rule."""
    zone = Workspace.current().zone
    latest = {pick.customer_id: pick.verdict for pick in HandPick.objects.filter(segment=one, ended_by=None)}
    everybody = Customer.objects.select_related("facts")
    return {
        who.id
        for who in everybody
        if latest.get(who.id, "in" if oracle.holds(one.rule, who, now, zone) else "out") == "in"  # type: ignore[arg-type]
    }


def test_without_the_decisions_the_oracle_sees_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The property above can fail: a refresh that asks the rule alone forgets them."""
    (paul,) = people("France")
    one = segment()
    decide(one, Act.OUT, paul)
    monkeypatch.setattr(references, "whole", lambda segment: references.read(segment.rule, segment.pk))
    membership.refresh()
    assert inside(one) == {paul.id} != told(one, NOW)


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "values"),
        [
            (b"c0\nc1\n", ["c0", "c1"]),
            (b"\xef\xbb\xbfemail\r\na@example.test\r\n", ["a@example.test"]),
            (b"Name;E-Mail\nAnn;a@example.test\nEve;\n", ["a@example.test"]),
            (b'name,Customer ID\n"Ann, Dr",c1\n\nEve, c2 \n', ["c1", "c2"]),
            (b"c0\nc0\n  \n", ["c0"]),
        ],
    )
    def test_values_are_found_in_their_column(self, content: bytes, values: list[str]) -> None:
        assert list_files.read(content, list_files.SMALL) == values

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"email\n", b"PK\0\0", b"caf\xe9\n"])
    def test_what_is_no_list_is_refused(self, content: bytes) -> None:
        with pytest.raises(list_files.FileRefused):
            list_files.read(content, list_files.SMALL)

    def test_ids_and_addresses_find_customers_and_the_rest_is_told(self) -> None:
        paul, ann, eve = people("", "", "")
        Customer.objects.filter(pk=eve.pk).update(email="C1@example.test")
        found = list_files.find(["c0", "c1@EXAMPLE.test", "nobody", "x@example.test"])
        assert found.customer_ids == sorted([paul.id, ann.id, eve.id])
        assert found.unmatched == ["nobody", "x@example.test"]


def test_the_times_of_stays_are_kept() -> None:
    (ann,) = people("Spain")
    one = segment()
    decide(one, Act.IN, ann)
    decide(one, Act.RULE, ann)
    stay = SegmentMembership.objects.get(segment=one)
    assert (stay.entered_at, stay.left_at) == (NOW, NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_rule", [False, True])
def test_whoever_is_asked_what_would_follow_decides_before_anybody_else(by_rule: bool) -> None:
    one, who = segment(), customer(1)

    def elsewhere() -> None:
        with transaction.atomic():
            Segment.objects.select_for_update(nowait=True).get(pk=one.pk)

    with transaction.atomic():
        if by_rule:
            saving.foresee(one)
        else:
            by_hand.foresee(HandChange(segment=one, act=Act.IN), [who.pk])
        with pytest.raises(OperationalError, match="could not obtain lock"):
            together(elsewhere)
    together(elsewhere)
