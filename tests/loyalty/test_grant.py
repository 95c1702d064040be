"""Granting on the spot, asking above the limits, taking back."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils.timezone import now as really

from customers.models import Customer, Event
from loyalty.granting import Agreed, NotTheirs, Refused, WeighsDifferently, Wish, make, mark_used, withdraw
from loyalty.models import Budget, Offer
from retention.common import clock
from retention.workspace.models import User, Workspace
from tests.loyalty.giving import credit, limits, offer, paying

pytestmark = pytest.mark.django_db


def spent(**whose: object) -> int:
    return int(sum(row.spent for row in Budget.objects.filter(**whose)))


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_it_works(anna: User, boreal: Customer) -> None:
    limits(offer_most=100, customer_year_most=150, month_most=1000)
    made = offer(boreal, anna, credit(80))
    assert made.state == Offer.State.GRANTED
    assert (made.cost, made.answerable, made.over) == (Decimal(80), anna, [])
    assert (spent(customer=boreal), spent(person=anna)) == (80, 80)
    told = Event.objects.get()
    assert (told.kind, told.ref, told.payload["said"]) == ("offer.granted", f"offer:{made.pk}", "a credit of 80.00 EUR")
    over = offer(boreal, anna, credit(90))
    assert over.state == Offer.State.ASKED
    (said,) = over.over
    assert said == "For this customer this year: 90.00 EUR with 80.00 EUR given before is 20.00 EUR above 150.00 EUR"
    assert (spent(customer=boreal), spent(person=anna)) == (80, 80)
    assert kinds() == ["offer.granted", "offer.requested"]


def test_without_any_limits_set_everything_is_asked_for(anna: User, boreal: Customer) -> None:
    made = offer(boreal, anna, credit(1))
    assert (made.state, made.approver) == (Offer.State.ASKED, None)
    assert made.expires_at is not None


def test_an_approver_is_never_oneself_nor_somebody_who_left(anna: User, bea: User, boreal: Customer) -> None:
    row = limits(offer_most=0, approver=anna)
    assert offer(boreal, anna, credit(1)).approver is None
    assert offer(boreal, bea, credit(1)).approver == anna
    row.approver = bea
    row.save()
    User.objects.filter(pk=bea.pk).update(is_active=False)
    assert offer(boreal, anna, credit(1)).approver is None


def test_sent_twice_it_is_one_offer(anna: User, boreal: Customer) -> None:
    limits()
    once = uuid.uuid4()
    assert offer(boreal, anna, credit(5), once=once) == offer(boreal, anna, credit(5), once=once)
    assert spent(customer=boreal) == 5


def test_what_was_not_looked_at_is_not_granted(anna: User, boreal: Customer) -> None:
    limits(month_most=100)
    wish = Wish(boreal.pk, credit(80), "price", "", uuid.uuid4())
    for agreed in (None, Agreed(Decimal(70), asks=False), Agreed(Decimal(80), asks=True)):
        with pytest.raises(WeighsDifferently):
            make(wish, anna, agreed)
    offer(boreal, anna, credit(50))  # meanwhile the budget has become smaller
    with pytest.raises(WeighsDifferently) as refused:
        make(wish, anna, Agreed(Decimal(80), asks=False))
    assert refused.value.weighed.over
    assert Offer.objects.count() == 1


def test_withdrawing_gives_the_cost_back(anna: User, bea: User, boss: User, boreal: Customer) -> None:
    limits(month_most=100)
    made = offer(boreal, anna, credit(100))
    with pytest.raises(NotTheirs):
        withdraw(made.pk, bea)
    withdraw(made.pk, anna)
    assert (spent(customer=boreal), spent(person=anna)) == (0, 0)
    with pytest.raises(Refused):
        withdraw(made.pk, boss)
    assert offer(boreal, anna, credit(100)).state == Offer.State.GRANTED
    assert kinds() == ["offer.granted", "offer.withdrawn", "offer.granted"]


def test_what_was_used_stays(anna: User, boreal: Customer) -> None:
    limits()
    made = offer(boreal, anna, credit(10))
    mark_used(made.pk, anna)
    mark_used(made.pk, anna)
    with pytest.raises(Refused):
        withdraw(made.pk, anna)
    assert kinds() == ["offer.granted", "offer.used"]
    asked = offer(boreal, anna, credit(10))
    withdraw(asked.pk, anna)
    with pytest.raises(Refused):
        mark_used(asked.pk, anna)


def test_months_and_years_are_those_of_the_workspaces_zone(anna: User, boreal: Customer) -> None:
    Workspace.objects.update(time_zone="Pacific/Auckland")
    limits(customer_year_most=100, month_most=100)
    with clock.at(datetime(2026, 12, 31, 10, tzinfo=UTC)):
        assert offer(boreal, anna, credit(100)).state == Offer.State.GRANTED
    with clock.at(datetime(2026, 12, 31, 11, tzinfo=UTC)):  # midnight in Auckland
        assert offer(boreal, anna, credit(100)).state == Offer.State.GRANTED
        assert offer(boreal, anna, credit(1)).state == Offer.State.ASKED


def test_a_withdrawal_goes_back_into_the_month_it_came_from(anna: User, boreal: Customer) -> None:
    limits(month_most=100)
    with clock.at(datetime(2026, 10, 15, tzinfo=UTC)):
        made = offer(boreal, anna, credit(60))
    with clock.at(datetime(2026, 11, 15, tzinfo=UTC)):
        offer(boreal, anna, credit(40))
        withdraw(made.pk, anna)
    rows = Budget.objects.filter(person=anna).order_by("begins").values_list("spent", flat=True)
    assert list(rows) == [0, 40]


@pytest.mark.parametrize(
    "change",
    [
        {"cost": 1},
        {"state": "asked"},
        {"state": "declined"},
        {"granted_at": really()},
        {"answerable": None},
        {"amount": 1},
        {"outcome": "kept"},
        {"kind": "free_months"},
    ],
)
def test_the_database_refuses_to_rewrite_what_was_granted(
    anna: User, boreal: Customer, change: dict[str, object]
) -> None:
    limits()
    made = offer(boreal, anna, credit(10))
    with pytest.raises(DatabaseError), transaction.atomic():
        Offer.objects.filter(pk=made.pk).update(**change)


def test_the_database_itself_refuses_to_pass_a_ceiling(anna: User, boreal: Customer) -> None:
    limits(month_most=100)
    made = offer(boreal, anna, credit(60))
    for whose in ({"customer_ceiling": None, "month_ceiling": 100}, {"customer_ceiling": 100, "month_ceiling": None}):
        copy = Offer.objects.get(pk=made.pk)
        copy.pk, copy.once = None, uuid.uuid4()
        for name, ceiling in whose.items():
            setattr(copy, name, ceiling)
        with pytest.raises(IntegrityError, match="budget_within_ceiling"), transaction.atomic():
            copy.save(force_insert=True)
    assert spent(person=anna) == 60


def test_currencies_are_never_added_up(anna: User) -> None:
    limits(month_most=100)
    customer = paying("Two")
    offer(customer, anna, credit(80))
    Workspace.objects.update(currency="GBP")
    assert offer(customer, anna, credit(80)).state == Offer.State.GRANTED
    assert sorted(Budget.objects.filter(person=anna).values_list("currency", "spent")) == [
        ("EUR", Decimal(80)),
        ("GBP", Decimal(80)),
    ]
