"""Taking back on Today spares what others have done since: another answer to a case, another word on a milestone."""

from collections.abc import Callable

import pytest
from django.test import Client

from customers.cases import handling
from customers.events.recording import Happening, record
from customers.models import Case, Milestone, Task
from customers.plans import keeping
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.work.conftest import MakeCustomer
from tests.work.doing import act, case

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def test_the_first_answer_is_taken_back_though_the_case_was_changed_since(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    waiting = case(make("Bakery", manager), hours=72)
    client, need = signed_in("account_manager"), f"case:{waiting.pk}"
    act(client, need, "done")
    handling.change(waiting.pk, "Other words", "high", None)
    with_others = Happening(waiting.customer_id, "case.changed", clock.now(), "web", f"case:{waiting.pk}", {"by": 0})
    record([with_others])
    assert "Taken back" in act(client, need, "undo")
    again = Case.objects.get()
    assert (again.state, again.answered_at, again.subject) == (Case.State.OPEN, None, "Other words")


def test_a_later_answer_is_taken_back_and_the_first_stays(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    waiting = case(make("Bakery", manager), hours=72)
    first = handling.answer(waiting.pk).answered_at
    handling.resolve(waiting.pk)
    handling.reopen(waiting.pk)
    client, need = signed_in("account_manager"), f"case:{waiting.pk}"
    act(client, need, "done")
    assert "Taken back" in act(client, need, "undo")
    assert (Case.objects.get().state, Case.objects.get().answered_at) == (Case.State.OPEN, first)


def test_what_somebody_else_answered_stays_answered(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    """Their page still offers to take back what others have gone on from since."""
    waiting = case(make("Bakery", manager), hours=72)
    client, need = signed_in("account_manager"), f"case:{waiting.pk}"
    act(client, need, "done")
    handling.resolve(waiting.pk)
    handling.reopen(waiting.pk)
    handling.answer(waiting.pk)
    assert "Somebody else has dealt with it" in act(client, need, "undo")
    assert Case.objects.get().state == Case.State.ANSWERED


def test_a_task_is_taken_back_without_the_answer_that_somebody_else_gave(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    waiting = case(make("Bakery", manager), hours=72)
    client = signed_in("account_manager")
    act(client, f"case:{waiting.pk}", "assign", assignee=str(manager.pk))
    handling.answer(waiting.pk)
    need = f"task:{Task.objects.get().pk}"
    act(client, need, "done")
    act(client, need, "undo")
    assert (Task.objects.get().state, Case.objects.get().state) == (Task.State.OPEN, Case.State.ANSWERED)


@pytest.mark.parametrize("then", [[Milestone.State.DROPPED], [Milestone.State.OPEN, Milestone.State.DONE]])
def test_what_somebody_else_did_to_a_milestone_stays(
    signed_in: SignIn, manager: User, make: MakeCustomer, then: list[Milestone.State]
) -> None:
    plan = keeping.begin(make("Bakery", manager), "Live", "", [], manager)
    keeping.agree(plan.pk, None)
    step = Milestone.objects.create(plan=plan, title="Counted", due_on=clock.now().date(), ours=manager)
    ben = User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER)
    client, need = signed_in("account_manager"), f"milestone:{step.pk}"
    act(client, need, "done")
    for state in then:
        keeping.turn(step.pk, state, ben)
    assert "Somebody else has dealt with it" in act(client, need, "undo")
    assert Milestone.objects.get().state == then[-1]
