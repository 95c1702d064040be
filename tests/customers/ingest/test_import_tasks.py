"""Files of tasks from another system: for whom they are, until when, what is done, refused and put back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from customers.handover import handing
from customers.ingest import merging_tasks
from customers.ingest.guess import guess
from customers.ingest.undo import judging
from customers.models import Contact, Customer, CustomerFacts, Event, Interaction, Task
from customers.records.filters import Filters
from customers.work import tasks
from retention.common import clock
from retention.workspace.models import User
from tests.customers.ingest.bringing import again, bring, done, refusals
from tests.customers.ingest.test_import_others import table, versions
from tests.customers.ingest.test_undo import kept, undo
from tests.customers.router import route

pytestmark = pytest.mark.django_db

TASKS = """task_id,customer_id,title,reason,due_at,progress,closed_at,assignee_id,written_at
t1,acme,Call them,They asked,2024-05-03,NOT_STARTED,,ann@x.test,2024-05-01T08:00Z
t2,acme,Send the offer,,2024-05-04 10:00,Completed,2024-05-02T09:00Z,Ann Lee,2024-05-01T09:00Z
t3,acme,Think,,,,,,
"""


@pytest.fixture
def acme() -> Customer:
    acme = Customer.objects.create(external_id="acme", name="Acme")
    Contact.objects.create(customer=acme, name="Eva", email="Eva@acme.test")
    User.objects.create(email="ann@x.test", first_name="Ann", last_name="Lee", role="account_manager")
    return acme


def state() -> list[tuple[object, ...]]:
    return list(Task.objects.order_by("pk").values_list("pk", "state", "due_at", "assignee", "updated_at"))


def test_they_come_in_as_work_to_do_and_done(acme: Customer) -> None:
    summary = done(*table("tasks", TASKS))
    assert summary["tasks"] == {"named": 3, "created": 3, "updated": 0, "removed": 0, "unchanged": 0}
    call, send, think = Task.objects.order_by("external_id")
    assert (call.title, call.reason, call.state, str(call.assignee)) == ("Call them", "They asked", "open", "Ann Lee")
    assert call.due_at == datetime(2024, 5, 3, 17, tzinfo=UTC), "a day is until the end of its work"
    assert (send.state, send.closed_at, send.due_at, str(send.assignee)) == (
        "done",
        datetime(2024, 5, 2, 9, tzinfo=UTC),
        datetime(2024, 5, 4, 10, tzinfo=UTC),
        "Ann Lee",
    )
    assert (think.state, think.assignee, think.due_at) == ("open", None, think.created_at + timedelta(days=7))
    told = Event.objects.filter(kind__startswith="task.").order_by("occurred_at", "pk")
    assert [(event.kind, event.payload["title"], event.occurred_at) for event in told] == [
        ("task.opened", "Call them", call.created_at),
        ("task.opened", "Send the offer", datetime(2024, 5, 1, 9, tzinfo=UTC)),
        ("task.closed", "Send the offer", send.closed_at),
        ("task.opened", "Think", think.created_at),
    ]
    route()
    assert CustomerFacts.objects.get().open_tasks == 2


def test_the_same_file_again_changes_nothing(acme: Customer) -> None:
    done(*table("tasks", TASKS))
    before = [*versions(), *state()]
    summary = done(*table("tasks", TASKS))
    assert (summary["tasks"]["created"], summary["tasks"]["updated"], summary["tasks"]["unchanged"]) == (0, 0, 3)
    assert [*versions(), *state()] == before


def test_a_trial_does_nothing(acme: Customer) -> None:
    job, _ = bring(*table("tasks", TASKS), dry_run=True)
    assert job.summary["tasks"]["created"] == 3
    assert not Task.objects.exists()


def test_a_later_file_has_the_last_word_on_its_own(acme: Customer) -> None:
    done(*table("tasks", TASKS))
    other = Customer.objects.create(external_id="other", name="Other")
    route()
    later = TASKS.replace("t1,acme", "t1,other").replace("They asked", "").replace("Think,,,,", "Think,,,Done,")
    assert done(*table("tasks", later))["tasks"]["updated"] == 2
    call, _, think = Task.objects.order_by("external_id")
    assert (call.customer, call.reason) == (other, "They asked"), "an empty cell leaves what stands"
    assert (think.state, think.closed_at) == ("done", think.updated_at)
    assert Event.objects.filter(kind="task.closed", ref=f"task:{think.pk}").count() == 1
    route()
    assert list(CustomerFacts.objects.order_by("customer").values_list("open_tasks", flat=True)) == [0, 1]


def test_what_was_done_about_one_here_stands(acme: Customer) -> None:
    done(*table("tasks", TASKS))
    call, _, think = Task.objects.order_by("external_id")
    tasks.close_task(call.pk, Task.State.DROPPED, User.objects.get().pk)
    tasks.snooze_task(think.pk, clock.now() + timedelta(days=30), "later", User.objects.get().pk)
    before = state()
    done(*table("tasks", TASKS.replace("Think,,", "Think,,2024-05-09")))
    assert state() == before


@pytest.mark.parametrize(
    ("sound", "planted"),
    [
        ("CASE WHEN stands.closed_at IS NULL THEN", "CASE WHEN TRUE THEN"),
        ("CASE WHEN stands.put_off_until IS NULL THEN", "CASE WHEN TRUE THEN"),
    ],
)
def test_one_that_is_opened_again_or_called_up_is_found_out(
    acme: Customer, monkeypatch: pytest.MonkeyPatch, sound: str, planted: str
) -> None:
    """The bugs that the test above is there for: planted, what is done is to be done again, or is put off no more."""
    text = merging_tasks._UPDATE.as_string(None)
    assert sound in text
    monkeypatch.setattr(merging_tasks, "_UPDATE", text.replace(sound, planted))
    with pytest.raises(AssertionError):
        test_what_was_done_about_one_here_stands(acme)


def test_what_is_taken_back_is_told_no_more_and_can_come_again(acme: Customer) -> None:
    by_hand = tasks.open_task(acme.pk, "Ours", "", clock.now(), None, origin="")
    _, taken = bring(*table("tasks", TASKS))
    route()
    _, later = bring(*table("tasks", TASKS.replace("NOT_STARTED", "Completed")))
    assert undo(taken).state == "failed"
    assert undo(later).summary["tables"]["tasks"] == {"removed": 0, "changed": 1, "kept": 0}
    assert Task.objects.get(external_id="t1").state == "open"
    assert Event.objects.filter(kind="task.closed").count() == 1
    assert undo(taken).summary["tables"]["tasks"] == {"removed": 3, "changed": 0, "kept": 0}
    assert Event.objects.get(kind__startswith="task.").ref == f"task:{by_hand.pk}"
    route()
    assert CustomerFacts.objects.get().open_tasks == 1
    assert again(taken).state == "done"
    assert Event.objects.filter(kind__startswith="task.").count() == 5


def close(task: Task, ann: User) -> None:
    tasks.close_task(task.pk, Task.State.DONE, ann.pk)


def put_off(task: Task, ann: User) -> None:
    tasks.snooze_task(task.pk, clock.now(), "now", ann.pk)


def done_and_taken_back(task: Task, ann: User) -> None:
    tasks.close_task(task.pk, Task.State.DONE, ann.pk)
    tasks.take_back(task.pk, ann.pk)


def hand_over(task: Task, ann: User) -> None:
    Customer.objects.update(owner=ann)
    ben = User.objects.create(email="ben@x.test", role="account_manager")
    handing.hand_over(handing.Wish(ann, ben, Filters()), ann)


@pytest.mark.parametrize("touch", [close, put_off, done_and_taken_back, hand_over])
def test_what_somebody_did_about_since_stays(acme: Customer, touch: Callable[[Task, User], None]) -> None:
    _, taken = bring(*table("tasks", TASKS))
    touch(Task.objects.get(external_id="t1"), User.objects.get())
    undo(taken)
    assert kept(taken) == [("Call them", judging.CHANGED)]
    assert Task.objects.get(external_id="t1").title == "Call them"


def test_an_undo_that_does_not_see_it_is_found_out(acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, acting on a task leaves no mark, and the undo removes it."""
    _, taken = bring(*table("tasks", TASKS))
    at = Task.objects.get(external_id="t1").updated_at
    close(Task.objects.get(external_id="t1"), User.objects.get())
    Task.objects.update(updated_at=at)
    undo(taken)
    assert not Task.objects.filter(external_id="t1").exists()


def test_rows_that_make_no_sense_are_refused_with_the_reason(acme: Customer) -> None:
    rows = """task_id,customer_id,title,due_at,progress,closed_at,assignee_id
t1,other,Call,,,,
t2,acme,,,,,
t3,acme,Call,,perhaps,,
t4,acme,Call,,done,2099-01-01,
t5,acme,Call,,,,nobody@x.test
t6,acme,Call,,,,
t6,acme,Write,,,,
t7,acme,Call,soon,,,
t8,acme,Call,,,,Ann Lee
"""
    User.objects.create(email="ann2@x.test", first_name="Ann", last_name="Lee")
    _, taken = bring(*table("tasks", rows))
    assert [(line, reason) for line, reason, _ in refusals(taken)] == [
        (2, "Customer “other” is not there. Bring them in first."),
        (3, "What to do: there is none."),
        (4, "Open or done: “perhaps” is not open, done or dropped."),
        (5, "Done at: “2099-01-01” lies in the future."),
        (6, "For: “nobody@x.test” is not the e-mail address or the name of one colleague here."),
        (8, "Task “t6” is already in line 7, which says otherwise; that line stands."),
        (9, "Due: “soon” is not a date written as 2011-12-31."),
        (10, "For: “Ann Lee” is not the e-mail address or the name of one colleague here."),
    ]
    assert Task.objects.get().external_id == "t6"


def test_what_is_too_long_shows_that_there_was_more(acme: Customer) -> None:
    done(*table("tasks", f"task_id,customer_id,title,reason\nt1,acme,{'a' * 201},{'b' * 501}\n"))
    task = Task.objects.get()
    assert (task.title, task.reason) == ("a" * 199 + "…", "b" * 499 + "…")


@pytest.mark.parametrize(
    ("match", "rows"),
    [
        ("email", ["t1,,EVA@acme.test,", "t2,,info@acme.test,", "t3,,x@y.test,"]),
        ("phone", ["t1,,,0049 30 1234", "t2,,,+49301234", "t3,,,55555"]),
    ],
)
def test_for_whom_they_are_is_told_by_an_address_or_number(acme: Customer, match: str, rows: list[str]) -> None:
    Customer.objects.filter(pk=acme.pk).update(email="Info@acme.test", phone="+49 30 1234")
    how, text = table("tasks", "\n".join(["task_id,customer_id,email,phone,title", *(f"{row},Call" for row in rows)]))
    _, taken = bring(replace(how, match=match), text)
    assert list(acme.tasks.order_by("external_id").values_list("external_id", flat=True)) == ["t1", "t2"]
    assert [line for line, _, _ in refusals(taken)] == [4]
    assert Customer.objects.count() == 1


SALESFORCE = """Id,WhoId,AccountId,Subject,ActivityDate,Status,OwnerId,Description,IsClosed,IsDeleted,TaskSubtype
1,,acme,Call them,2024-01-01,Not Started,005,Soon,false,false,Call
2,,acme,Called,2024-01-01,Completed,005,,true,false,Call
3,,acme,Gone,2024-01-01,Not Started,005,,false,true,Call
"""


def test_of_salesforce_what_is_open_is_a_task_and_what_is_done_an_interaction(acme: Customer, tmp_path: Path) -> None:
    path = tmp_path / "Task.csv"
    path.write_text(SALESFORCE)
    _, talks = bring(guess(path), SALESFORCE)
    _, todo = bring(guess(path, "tasks"), SALESFORCE)
    assert [reason for _, reason, _ in refusals(talks)] == [
        "It is not done yet there: what is open comes in as tasks. Choose them as what the file holds.",
        "It is deleted there.",
    ]
    assert [reason for _, reason, _ in refusals(todo)] == [
        "It is done there: what is done comes in as interactions.",
        "It is deleted there.",
    ]
    task = Task.objects.get()
    assert (task.title, task.reason, task.state, Interaction.objects.get().text) == (
        "Call them",
        "Soon",
        "open",
        "Called",
    )


def test_tasks_of_hubspot_and_others_are_recognised(acme: Customer, tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_text(
        "Record ID,Task title,Task status,Task notes,Due date,Completed at,Activity assigned to,"
        "Associated Company IDs\n"
        "1,Call them,Not started,Soon,2024-01-01 10:00,,Ann Lee,acme;beta\n"
        "2,Write,Completed,,2024-01-02 10:00,2024-01-03 10:00,,acme\n"
    )
    how = guess(path)
    assert how.kind == "tasks"
    done(how, path.read_text())
    call, write = Task.objects.order_by("external_id")
    assert (call.customer, call.state, str(call.assignee), write.state) == (acme, "open", "Ann Lee", "done")
    path.write_text("Task ID,Customer ID,Title,Due date,Status\n1,acme,Call,2024-01-01,open\n")
    assert guess(path).kind == "tasks"
