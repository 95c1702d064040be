"""Two customers are made one: everything either had is the one's, and what each said no to stays a no."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import Client

from campaigns import carrying as campaigns_carrying
from campaigns.models import Enrolment, Message
from customers.duplicates import consents, merging, moving, undoing
from customers.duplicates.merging import ChangedMeanwhile, Wanted
from customers.duplicates.moving import CannotMerge
from customers.models import (
    Consent,
    Contact,
    ContactConsent,
    Customer,
    CustomerFacts,
    Event,
    FormerId,
    HandPick,
    Likeness,
    Merge,
    Order,
    Segment,
    SubscriptionTerm,
)
from customers.records import consent
from loyalty.models import Budget
from retention.common import clock
from tests.customers.duplicates import full
from tests.customers.duplicates.full import enrol, everything, united
from tests.customers.known import customer
from tests.customers.router import route

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    survivor, loser, among = full.two()
    events = Event.objects.count()
    made = united(survivor, loser, theirs=frozenset({"name"}), why="The same firm")
    assert not Customer.objects.filter(pk=loser.pk).exists()
    stands = Customer.objects.get(pk=survivor.pk)
    assert (stands.name, stands.tags, stands.external_id) == ("Acme 1", ["t0", "t1"], "c0")
    assert Order.objects.filter(customer=survivor).count() == 2
    assert SubscriptionTerm.objects.filter(customer=survivor).count() == 2
    assert Event.objects.filter(customer=survivor).count() == events + 1
    told = Event.objects.get(kind="customer.merged")
    assert (told.payload["why"], told.payload["by"], made.by) == ("The same firm", str(among.by), among.by)
    route()
    assert CustomerFacts.objects.get(customer=survivor).orders == 2


def test_every_relation_to_a_customer_is_carried() -> None:
    """A new table that refers to customers says in its room's carrying.py how its rows go along."""
    assert full.uncarried() == set()
    assert full.relations() == moving.CARRIED


def test_a_relation_that_nobody_carries_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nobody carries cases. The test above would say so, and the database lets nothing be lost."""
    survivor, loser, _ = full.two()
    monkeypatch.setattr(moving, "CARRIED", moving.CARRIED - {"customers.Case.customer"})
    assert full.uncarried() == {"customers.Case.customer"}
    carriers = [
        each for each in moving._carriers if each[1].__closure__ is None or not _carries(each[1], "customers.Case")
    ]
    monkeypatch.setattr(moving, "_carriers", carriers)
    with pytest.raises(IntegrityError), transaction.atomic():
        united(survivor, loser)
    assert Customer.objects.filter(pk=loser.pk).exists()


def _carries(carry: moving.Carrier, label: str) -> bool:
    return any(cell.cell_contents == label for cell in carry.__closure__ or ())


def test_nothing_stays_with_whoever_is_gone() -> None:
    survivor, loser, _ = full.two()
    united(survivor, loser)
    for relation in full.relations():
        label, _, name = relation.rpartition(".")
        assert not apps.get_model(label)._default_manager.filter(**{name: loser.pk}).exists(), relation


@pytest.mark.parametrize(
    ("mine", "theirs", "holds"),
    [
        ("granted", "withdrawn", "withdrawn"),
        ("withdrawn", "granted", "withdrawn"),
        ("granted", "nothing", "granted"),
        ("nothing", "granted", "granted"),
        ("nothing", "withdrawn", "withdrawn"),
        ("nothing", "nothing", None),
    ],
)
def test_the_strictest_consent_holds(mine: str, theirs: str, holds: str | None) -> None:
    one, other = customer("a", email="a@x.test"), customer("b", email="A@X.test ")
    full.say(one.pk, mine, clock.now())
    full.say(other.pk, theirs, clock.now())
    united(one, other)
    assert Consent.objects.values_list("state", flat=True).first() == holds


def test_who_agreed_at_an_address_did_not_agree_for_another() -> None:
    one, other = customer("a", email="a@x.test"), customer("b", email="b@x.test")
    full.say(other.pk, "granted", clock.now())
    united(one, other)
    assert not Consent.objects.exists()


@pytest.mark.parametrize(("number", "holds"), [("0049 (30) 1", True), ("+49 30 2", False)])
def test_who_agreed_to_text_messages_at_a_number_did_not_agree_for_another(number: str, holds: bool) -> None:
    one, other = customer("a", phone="+49 30 1"), customer("b", phone=number)
    consent.grant(other.pk, "sms", "web", "", clock.now())
    united(one, other)
    assert Consent.objects.filter(customer=one, channel="sms").exists() is holds


def test_people_with_one_address_are_one() -> None:
    survivor, loser, _ = full.two()
    theirs = Contact.objects.get(customer=loser, email="ada@acme.test")
    ContactConsent.objects.filter(contact=theirs).update(state="withdrawn")
    united(survivor, loser)
    ada = Contact.objects.get(email="ada@acme.test")
    assert (ada.customer_id, ada.is_main, ada.interactions.count()) == (survivor.pk, True, 2)
    assert ada.consents.get().state == "withdrawn"
    assert Contact.objects.filter(customer=survivor, is_main=True).count() == 1


def test_what_is_decided_by_hand_and_the_sums_of_segments() -> None:
    survivor, loser, among = full.two()
    united(survivor, loser)
    assert HandPick.objects.get(ended_by=None).verdict == "out"
    for segment in Segment.objects.all():
        assert segment.size == segment.memberships.filter(left_at=None).count()
        assert segment.by_hand == segment.hand_picks.filter(ended_by=None).count()
    assert among.segments[0].memberships.filter(left_at=None).count() == 1


def test_budgets_add_up() -> None:
    survivor, loser, _ = full.two()
    united(survivor, loser)
    assert [each.spent for each in Budget.objects.exclude(customer=None)] == [20]


@pytest.mark.parametrize(
    ("mine", "theirs", "waiting"),
    [
        ("pending", "pending", 1),
        ("sent", "pending", 0),
        ("pending", "sent", 0),
        ("claimed", "claimed", 1),
        ("sent", "sent", 0),
        ("pending", "control", 0),
        ("control", "pending", 0),
    ],
)
def test_nobody_gets_a_message_twice(mine: str, theirs: str, waiting: int) -> None:
    among = full.shared()
    for number, (name, state) in enumerate((("a", mine), ("b", theirs))):
        who = customer(name)
        full._in_segments(who, among, number)
        enrol(who, among, *(("control",) if state == "control" else ("treated", state)))
    one, other = Customer.objects.order_by("pk")
    united(one, other)
    assert Message.objects.filter(state__in=["pending", "claimed", "sending"], customer=one).count() == waiting
    assert Enrolment.objects.filter(customer=one, left_at=None).count() == 1


def test_the_planted_holes_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a merge that lets messages be, and one that takes what was said first."""
    monkeypatch.setattr(campaigns_carrying, "_TWICE", "FALSE")
    with pytest.raises(AssertionError), transaction.atomic():
        test_nobody_gets_a_message_twice("sent", "pending", 0)
    monkeypatch.setattr(consents, "strictest", lambda said: said[0] if said else None)
    with pytest.raises(AssertionError), transaction.atomic():
        test_the_strictest_consent_holds("granted", "withdrawn", "withdrawn")


def test_no_merge_while_one_is_on_the_wire() -> None:
    survivor, loser, _ = full.two()
    for state in full.PATHS["sending"]:
        Message.objects.filter(customer=loser).update(state=state)
    before = everything()
    with pytest.raises(CannotMerge, match="being sent"):
        united(survivor, loser)
    assert everything() == before


GUARDED = [
    "UPDATE customers_event SET customer_id = {other}",
    "UPDATE customers_event SET kind = 'usage', payload = '{{}}', occurred_at = now()",
    "UPDATE customers_event SET payload = '{{\"x\": 1}}'",
    "UPDATE campaigns_message SET customer_id = {other}",
    "UPDATE campaigns_enrolment SET customer_id = {other}",
    "UPDATE campaigns_message SET state = 'cancelled'; UPDATE campaigns_message SET state = 'pending'",
    "UPDATE customers_merge SET loser_id = {other}",
    "UPDATE customers_merge SET why = 'x'",
]


CASES = [(statement, True) for statement in GUARDED] + [(each, False) for each in GUARDED if "merge SET" not in each]


@pytest.mark.parametrize(("statement", "merging_too"), CASES)
def test_the_guards_refuse_everything_else(statement: str, *, merging_too: bool) -> None:
    """Also in the very transaction of a merge: only from its loser to its survivor does anything move."""
    survivor, loser, _ = full.two()
    other = Customer.objects.get(external_id="third").pk
    if merging_too:
        united(survivor, loser)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(other=other))


def test_the_planted_hole_is_seen() -> None:
    """Planted: without its guard an event can be given to anybody, so the test above can fail."""
    survivor, _, _ = full.two()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE customers_event DISABLE TRIGGER event_stays")
        cursor.execute("UPDATE customers_event SET customer_id = %s WHERE kind = 'order.placed'", [survivor.pk])
    assert set(Event.objects.filter(kind="order.placed").values_list("customer", flat=True)) == {survivor.pk}


def test_a_form_sent_twice_is_one_merge() -> None:
    one, other = customer("a"), customer("b")
    wanted = Wanted(one.pk, other.pk, (), once=uuid.uuid4())
    first = merging.merge(wanted, full.boss())
    assert merging.merge(wanted, full.boss()) == first
    assert merging.merge(Wanted(one.pk, other.pk, ()), full.boss()) == first
    assert Event.objects.filter(kind="customer.merged").count() == 1


def test_what_somebody_changed_meanwhile_is_not_merged_over() -> None:
    one, other = customer("a"), customer("b")
    opened = {other.pk: other.updated_at - timedelta(seconds=1)}
    with pytest.raises(ChangedMeanwhile):
        united(one, other, opened=opened)
    with pytest.raises(CannotMerge):
        united(one, one)
    with pytest.raises(Customer.DoesNotExist):
        merging.merge(Wanted(one.pk, 0, ()), full.boss())


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_merge() -> None:
    one, other = customer("a"), customer("b")
    by = full.boss()

    def run(pair: tuple[int, int]) -> str:
        try:
            return f"merge {merging.merge(Wanted(*pair, ()), by).pk}"
        except Customer.DoesNotExist:
            return "gone"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        same = list(pool.map(run, [(one.pk, other.pk)] * 2))
    assert len(set(same)) == 1
    assert Merge.objects.count() == 1
    third = customer("c")
    with ThreadPoolExecutor(2) as pool:
        crossed = list(pool.map(run, [(one.pk, third.pk), (third.pk, one.pk)]))
    assert sorted(each.split()[0] for each in crossed) == ["gone", "merge"]
    assert Customer.objects.count() == 1


def test_undone_it_is_as_before() -> None:
    survivor, loser, among = full.two()
    before = everything()
    made = united(survivor, loser, theirs=frozenset({"name", "phone", "owner"}))
    undoing.undo(made.pk, among.by)
    after = everything()
    assert {label: (before[label], after[label]) for label in before if before[label] != after[label]} == {}
    assert set(Event.objects.filter(kind="customer.unmerged").values_list("customer", flat=True)) == {
        survivor.pk,
        loser.pk,
    }
    assert not FormerId.objects.exists()
    assert Likeness.objects.count() == 2
