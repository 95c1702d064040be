"""Two folds of the same customers at once: what the slower one did not see must not be lost."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from customers.facts import folding
from customers.models import Customer, CustomerFacts, Order
from tests.customers.at_once import elsewhere, until, waiting
from tests.customers.facts.world import DAY, customer

NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)


def order(who: Customer) -> None:
    Order.objects.create(external_id=f"{who.id}", customer=who, ordered_at=NOW - DAY, amount=10, currency="EUR")


def orders_after_a_slow_fold_and_a_fast_one() -> int:
    """One fold stops at a row that is held, having read the orders; another order comes in; another fold begins."""
    held, watched = customer(1), customer(2)
    folding.fold([held.id, watched.id])
    order(held)
    with transaction.atomic():
        CustomerFacts.objects.select_for_update().get(customer=held)
        slow = elsewhere(lambda: folding.fold([held.id, watched.id]))
        until(lambda: waiting() == 1)
        elsewhere(lambda: order(watched)).join()
        fast = elsewhere(lambda: folding.fold([watched.id]))
        until(lambda: waiting() == 2 or not fast.is_alive())
    slow.join()
    fast.join()
    return CustomerFacts.objects.get(customer=watched).orders


@pytest.mark.django_db(transaction=True)
def test_the_slower_fold_does_not_overwrite_what_it_did_not_see() -> None:
    assert orders_after_a_slow_fold_and_a_fast_one() == 1


@pytest.mark.django_db(transaction=True)
def test_without_turns_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "take_turn", lambda: None)
    assert orders_after_a_slow_fold_and_a_fast_one() == 0, "the planted bug loses the order"
