"""Many grant at the same moment, each on a connection of their own: no budget is passed, and nobody is left waiting.

The planted bugs below show what holds it: without the lock the database still refuses, and without the lock and the
database's check the same run does pass the budget.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from loyalty import deciding, spending
from loyalty.granting import WeighsDifferently
from loyalty.models import Budget, Offer
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.customers.at_once import elsewhere, until, waiting
from tests.loyalty.giving import credit, limits, offer, paying, somebody

pytestmark = pytest.mark.django_db(transaction=True)
MANY, EACH, MOST = 8, 30, 100
FIT = MOST // EACH


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do them all at the same moment; gives what became of each: "done", or the name of what was raised."""
    start = threading.Barrier(len(acts))

    def one(act: Callable[[], object]) -> str:
        try:
            start.wait(120)
            act()
        except (WeighsDifferently, deciding.BeyondOwnLimits, IntegrityError) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def given() -> Decimal:
    """What all that is granted costs, added up from the offers themselves."""
    return sum((made.cost for made in Offer.objects.filter(state=Offer.State.GRANTED)), Decimal(0))


def by_one_for_many() -> list[str]:
    """One person's month, many customers."""
    limits(month_most=MOST)
    anna = somebody("anna")
    customers = [paying(f"C{number}") for number in range(MANY)]
    return at_once(*(lambda who=who: offer(who, anna, credit(EACH)) for who in customers))


def by_many_for_one() -> list[str]:
    """One customer's year, many people."""
    limits(customer_year_most=MOST)
    customer = paying()
    people = [somebody(f"p{number}") for number in range(MANY)]
    return at_once(*(lambda by=by: offer(customer, by, credit(EACH)) for by in people))


@pytest.mark.parametrize("grant_all", [by_one_for_many, by_many_for_one])
def test_it_works(grant_all: Callable[[], list[str]]) -> None:
    came = grant_all()
    assert given() == FIT * EACH
    granted = Offer.objects.filter(state=Offer.State.GRANTED).count()
    asked = Offer.objects.filter(state=Offer.State.ASKED).count()
    # Whoever was too late either saw it in time and asked, or is shown that it weighs differently now.
    assert (granted, asked) == (FIT, came.count("done") - FIT)
    assert came.count("WeighsDifferently") == MANY - came.count("done")


def test_approvals_and_grants_on_the_spot_share_one_budget() -> None:
    bea, anna = somebody("bea"), somebody("anna")
    limits(approver=bea, offer_most=0)
    limits(bea, month_most=MOST)
    customers = [paying(f"C{number}") for number in range(MANY)]
    asked = [offer(who, anna, credit(EACH)).pk for who in customers[: MANY // 2]]
    approvals = [lambda pk=pk: deciding.approve(pk, bea, "") for pk in asked]
    grants = [lambda who=who: offer(who, bea, credit(EACH)) for who in customers[MANY // 2 :]]
    at_once(*approvals, *grants)
    assert given() == FIT * EACH


def test_crossing_grants_never_wait_for_each_other() -> None:
    """Two people, two customers, all four ways at once: locks are taken in one order, so no deadlock."""
    limits(month_most=10_000, customer_year_most=10_000)
    people, customers = [somebody("a"), somebody("b")], [paying("A"), paying("B")]
    acts = [lambda by=by, who=who: offer(who, by, credit(1)) for _ in range(3) for by in people for who in customers]
    assert at_once(*acts) == ["done"] * 12


def test_one_request_is_granted_once() -> None:
    anna = somebody("anna")
    asked = offer(paying(), anna, credit(EACH))
    bosses = [somebody(f"boss{number}", Role.ADMINISTRATOR) for number in range(4)]

    def approve(boss: User) -> None:
        try:
            deciding.approve(asked.pk, boss, "")
        except deciding.Decided:
            raise IntegrityError from None

    came = at_once(*(lambda boss=boss: approve(boss) for boss in bosses))
    assert sorted(came) == ["IntegrityError"] * 3 + ["done"]
    assert given() == EACH


@contextmanager
def without_lock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The budgets are only read, and everybody has read them before anybody writes."""
    everybody = threading.Barrier(MANY)

    def read(customer_id: int, person_id: int, period: spending.Period) -> spending.Spent:
        found = spending.read(customer_id, person_id, period)
        everybody.wait(120)
        return found

    with monkeypatch.context() as planted:
        planted.setattr(spending, "lock", read)
        yield


@contextmanager
def without_check() -> Iterator[None]:
    drop = "ALTER TABLE loyalty_budget DROP CONSTRAINT budget_within_ceiling"
    back = "ALTER TABLE loyalty_budget ADD CONSTRAINT budget_within_ceiling CHECK (ceiling IS NULL OR spent <= ceiling)"
    with connection.cursor() as cursor:
        cursor.execute(drop)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE loyalty_budget")
            cursor.execute(back)


@pytest.mark.parametrize("grant_all", [by_one_for_many, by_many_for_one])
def test_without_the_lock_the_database_still_refuses(
    grant_all: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with without_lock(monkeypatch):
        came = grant_all()
    assert came.count("IntegrityError") == MANY - FIT
    assert given() == FIT * EACH


@pytest.mark.parametrize("grant_all", [by_one_for_many, by_many_for_one])
def test_the_planted_bug_is_found(grant_all: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    with without_check(), without_lock(monkeypatch):
        grant_all()
        assert given() == MANY * EACH, "without lock and check the budget is passed, and this test sees it"


def test_a_form_sent_twice_at_once_is_one_offer() -> None:
    limits()
    anna, customer, once = somebody("anna"), paying(), Offer._meta.get_field("once").default()
    assert at_once(*[lambda: offer(customer, anna, credit(EACH), once=once)] * 4) == ["done"] * 4
    assert given() == EACH


def test_limits_lowered_while_a_grant_waits_hold_for_it() -> None:
    limit, anna, customer = limits(offer_most=MOST), somebody("anna"), paying()
    offer(customer, anna, credit(1))
    came: list[str] = []
    with transaction.atomic():
        Budget.objects.select_for_update().get(customer=customer)
        other = elsewhere(lambda: came.extend(at_once(lambda: offer(customer, anna, credit(EACH)))))
        until(lambda: waiting() == 1)
        limit.offer_most = Decimal(EACH - 1)
        limit.save()
    other.join()
    assert came == ["WeighsDifferently"]
    assert given() == 1
