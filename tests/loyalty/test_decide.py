"""Approving, declining, handing on, and what nobody answers."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from customers.models import Customer, Event, Task
from loyalty.deciding import BeyondOwnLimits, Decided, approve, decline, expire, hand_on
from loyalty.granting import NotTheirs, Refused, mark_many_used, mark_used, withdraw
from loyalty.models import Budget, Offer
from retention.common import clock
from retention.workspace.models import User, Workspace
from tests.loyalty.giving import credit, limits, offer, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(anna: User, bea: User, boreal: Customer) -> Offer:
    """Anna asks Bea, who may give 500 a month, for 200."""
    limits(offer_most=50, approver=bea)
    limits(bea, month_most=500)
    return offer(boreal, anna, credit(200))


def test_it_works(asked: Offer, anna: User, bea: User) -> None:
    assert (asked.state, asked.approver) == (Offer.State.ASKED, bea)
    done = approve(asked.pk, bea, "They are worth it.")
    assert (done.state, done.answerable, done.decided_by) == (Offer.State.GRANTED, bea, bea)
    assert Budget.objects.get(person=bea).spent == 200
    assert not Budget.objects.filter(person=anna, spent__gt=0).exists()
    task = Task.objects.get()
    assert (task.assignee, task.title) == (anna, "Give them a credit of 200.00 EUR")
    assert "They are worth it." in task.reason
    kinds = list(Event.objects.filter(ref=f"offer:{asked.pk}").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["offer.requested", "offer.approved", "offer.granted"]


def test_declining_tells_the_asker_why(asked: Offer, anna: User, bea: User) -> None:
    assert decline(asked.pk, bea, "They pay late.").state == Offer.State.DECLINED
    task = Task.objects.get()
    assert task.assignee == anna
    assert "They pay late." in task.reason
    assert not Budget.objects.filter(spent__gt=0).exists()


def test_what_the_asker_was_told_to_do_is_done_with_the_offer(asked: Offer, anna: User, bea: User) -> None:
    approve(asked.pk, bea, "")
    mark_used(asked.pk, anna)
    assert Task.objects.get().state == Task.State.DONE


def test_nobody_gives_what_was_withdrawn(asked: Offer, anna: User, bea: User) -> None:
    approve(asked.pk, bea, "")
    withdraw(asked.pk, bea)
    assert Task.objects.get().state == Task.State.DROPPED


def test_what_is_given_to_many_is_done_for_each(asked: Offer, anna: User, bea: User) -> None:
    approve(asked.pk, bea, "")
    assert mark_many_used(Offer.objects.all(), anna) == 1
    assert Task.objects.get().state == Task.State.DONE
    assert Offer.objects.get().used_at is not None


def test_nobody_decides_their_own(asked: Offer, anna: User, boss: User) -> None:
    with pytest.raises(NotTheirs):
        approve(asked.pk, anna, "")
    Offer.objects.filter(pk=asked.pk).update(approver=anna)
    with pytest.raises(NotTheirs):
        approve(asked.pk, anna, "")
    with pytest.raises(IntegrityError, match="nobody_decides_their_own"), transaction.atomic():
        Offer.objects.filter(pk=asked.pk).update(decided_by=anna)
    assert approve(asked.pk, boss, "").state == Offer.State.GRANTED


def test_only_the_named_approver_or_an_administrator_decides(asked: Offer, boss: User) -> None:
    stranger = somebody("carl")
    limits(stranger)
    with pytest.raises(NotTheirs):
        approve(asked.pk, stranger, "")
    with pytest.raises(NotTheirs):
        decline(asked.pk, stranger, "No")
    assert decline(asked.pk, boss, "No").decided_by == boss


def test_an_approvers_own_limits_hold(asked: Offer, bea: User, boss: User, boreal: Customer) -> None:
    offer(boreal, bea, credit(400))
    with pytest.raises(BeyondOwnLimits, match=r"100\.00 EUR above 500\.00 EUR"):
        approve(asked.pk, bea, "")
    asked.refresh_from_db()
    assert asked.state == Offer.State.ASKED
    assert hand_on(asked.pk, bea).approver is None
    with pytest.raises(NotTheirs):
        approve(asked.pk, bea, "")
    assert approve(asked.pk, boss, "").answerable == boss


def test_it_is_decided_once(asked: Offer, bea: User, boss: User) -> None:
    decline(asked.pk, bea, "No")
    with pytest.raises(Decided):
        approve(asked.pk, boss, "")
    with pytest.raises(Decided):
        decline(asked.pk, boss, "No")
    with pytest.raises(Decided):
        hand_on(asked.pk, boss)


def test_what_nobody_answers_in_time_is_over(asked: Offer, anna: User, bea: User) -> None:
    assert expire() == 0
    with clock.at(clock.now() + timedelta(days=5, minutes=1)):
        with pytest.raises(Decided):
            approve(asked.pk, bea, "")
        assert expire() == 1
        assert expire() == 0
    asked.refresh_from_db()
    assert asked.state == Offer.State.EXPIRED
    assert Task.objects.get().assignee == anna
    assert Event.objects.filter(kind="offer.expired").count() == 1


def test_what_was_asked_for_in_another_currency_is_asked_for_again(asked: Offer, bea: User) -> None:
    Workspace.objects.update(currency="GBP")
    with pytest.raises(Refused, match="asked for in EUR"):
        approve(asked.pk, bea, "")
