"""Imports, merges and hand-overs, done and taken back in any order: nothing is lost, and every id leads to somebody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.duplicates import merging, undoing
from customers.duplicates.merging import Wanted
from customers.duplicates.moving import CannotMerge
from customers.duplicates.undoing import CannotUndo
from customers.handover import handing
from customers.handover.handing import Refused, Wish
from customers.ingest import former_ids, imports
from customers.ingest.imports import NothingToUndo
from customers.ingest.undo import judging
from customers.models import Customer, FormerId, HandOver, Import, ImportKept, Merge, Order
from customers.records.filters import Filters
from retention.workspace import jobs
from retention.workspace.models import Job, User
from retention.workspace.roles import Role
from tests.customers.ingest.bringing import CUSTOMERS, ORDERS, bring, mapping

pytestmark = pytest.mark.django_db

IDS = ("a", "b", "c")
PEOPLE = "customer_id,name,email,joined_at,tags,consent\n" + "".join(f"{name},{name.upper()},,,,\n" for name in IDS)
BOUGHT = "order_id,customer_id,ordered_at,amount,currency,email\n" + "".join(
    f"{name}1,{name},2024-05-01,5,EUR,\n" for name in IDS
)
OURS = "error of ours"


@dataclass
class World:
    """Two managers and what was done so far. `own`: orders that came when their customer was one."""

    anna: User
    ben: User
    own: set[str] = field(default_factory=set)

    def known(self) -> set[str]:
        """Every id that leads to somebody."""
        return {name for model in (Customer, FormerId) for name in model.objects.values_list("external_id", flat=True)}

    def orders(self) -> set[str]:
        return set(Order.objects.filter(customer__isnull=False).values_list("external_id", flat=True))


def leads_to(name: str) -> Customer | None:
    former = FormerId.objects.filter(external_id=name).select_related("customer").first()
    return former.customer if former else Customer.objects.filter(external_id=name).first()


def import_people(world: World, _: int) -> None:
    assert bring(mapping(CUSTOMERS), PEOPLE)[0].state == Job.State.DONE


def import_orders(world: World, _: int) -> None:
    there = world.orders()
    assert bring(mapping(ORDERS), BOUGHT)[0].state == Job.State.DONE
    new = Order.objects.filter(customer__isnull=False).exclude(external_id__in=there)
    world.own -= world.orders() - there
    rows = new.values_list("external_id", "customer__external_id")
    world.own |= {order for order, name in rows if order[0] == name}


def merge(world: World, which: int) -> None:
    pair = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")][which % 4]
    survivor, loser = map(leads_to, pair)
    if survivor and loser:
        merging.merge(Wanted(survivor.pk, loser.pk, ()), world.anna)


def undo_merge(world: World, which: int) -> None:
    made = list(Merge.objects.filter(undone_at=None).order_by("pk"))
    if made:
        undoing.undo(made[which % len(made)].pk, world.anna)


def undo_import(world: World, which: int) -> None:
    made = list(Import.objects.order_by("pk"))
    if not made:
        return
    job = imports.undo(made[which % len(made)], dry_run=False)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert OURS not in job.error, job.error


def hand_over(world: World, _: int) -> None:
    Customer.objects.filter(owner=None).update(owner=world.anna)
    handing.hand_over(Wish(world.anna, world.ben, Filters()), world.anna)


def undo_hand_over(world: World, which: int) -> None:
    made = list(HandOver.objects.filter(undone_at=None).order_by("pk"))
    if made:
        handing.undo(made[which % len(made)].pk, world.anna)


Act: TypeAlias = Callable[[World, int], None]
Steps: TypeAlias = list[tuple[Act, int]]
ACTS: tuple[Act, ...] = (
    import_people, import_orders, merge, undo_merge, undo_import, hand_over, undo_hand_over,
)  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def take(world: World, act: Act, which: int) -> None:
    before, bought = world.known(), world.orders()
    try:
        with transaction.atomic():
            act(world, which)
    except (CannotMerge, CannotUndo, Refused, NothingToUndo):
        pass
    if act is not undo_import:
        assert world.known() >= before, "an id leads nowhere"
        assert world.orders() >= bought, "an order is lost"
    merged = Merge.objects.filter(undone_at=None).values_list("loser_id", flat=True)
    assert set(FormerId.objects.values_list("pk", flat=True)) == set(merged)
    assert not Customer.objects.filter(pk__in=merged).exists()


def undo_all_merges(world: World) -> None:
    for made in Merge.objects.filter(undone_at=None).order_by("-pk"):
        undoing.undo(made.pk, world.anna)


def live_through(steps: Steps) -> None:
    """Do all of it, then take every merge back: whoever and whatever is known then is known of their own."""
    anna, ben = (
        User.objects.create_user(f"{name}@example.test", role=Role.ACCOUNT_MANAGER) for name in ("anna", "ben")
    )
    world = World(anna, ben)
    for act, which in steps:
        take(world, act, which)
    known, bought = world.known(), world.orders()
    undo_all_merges(world)
    assert not FormerId.objects.exists()
    assert (world.known(), world.orders()) == (known, bought)
    own = Order.objects.filter(external_id__in=world.own, customer__isnull=False)
    assert all(order[0] == name for order, name in own.values_list("external_id", "customer__external_id"))


@settings(max_examples=3, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), min_size=4, max_size=8))
def test_it_works(steps: Steps) -> None:
    with undone():
        live_through(steps)


def test_somebody_who_comes_again_by_their_old_id_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: Steps = [(import_people, 0), (merge, 0), (import_people, 0)]
    with undone():
        live_through(steps)
    monkeypatch.setattr(former_ids, "follow", lambda _: None)
    with pytest.raises(CannotUndo):
        live_through(steps)


def anna_and_ben() -> World:
    anna, ben = (User.objects.create_user(f"{name}@example.test", role=Role.ACCOUNT_MANAGER) for name in "ab")
    return World(anna, ben)


def stayed() -> list[tuple[str, str]]:
    return list(ImportKept.objects.order_by("row_id").values_list("name", "reason"))


def test_who_was_merged_away_when_their_import_was_undone_stays_with_the_import() -> None:
    world = anna_and_ben()
    for act in (import_people, merge, undo_import):  # b goes into a, who stays for it; c goes with the import
        act(world, 0)
    assert stayed() == [("A", judging.CHANGED), ("B", judging.MERGED)]
    undo_merge(world, 0)
    assert world.known() == {"a", "b"}
    undo_import(world, 0)
    assert stayed() == [("A", judging.CHANGED), ("B", judging.CHANGED)], "as if the merge had been undone before"


def test_who_was_merged_away_when_their_hand_over_was_taken_back_is_given_back_with_the_merge() -> None:
    world = anna_and_ben()
    import_people(world, 0)
    b = Customer.objects.filter(external_id="b")
    b.update(owner=world.anna)
    for act in (hand_over, merge, undo_hand_over, undo_merge):
        act(world, 0)
    assert b.get().owner == world.anna
    assert b.get().events.filter(kind="customer.handed_back").exists()
    assert set(Customer.objects.exclude(external_id="b").values_list("owner", flat=True)) == {world.anna.pk}


def test_a_hand_over_that_was_taken_back_before_the_merge_is_over() -> None:
    world = anna_and_ben()
    import_people(world, 0)
    for act in (hand_over, undo_hand_over, hand_over, merge, undo_merge):
        act(world, 0)
    assert set(Customer.objects.values_list("owner", flat=True)) == {world.ben.pk}, "it was over before the merge"
