"""Taking a whole import back."""

import json
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from customers.ingest import imports, merging_orders
from customers.ingest.undo import judging
from customers.models import (
    Consent,
    Customer,
    CustomerFacts,
    Event,
    Import,
    Order,
    Segment,
    Task,
)
from customers.records import consent
from customers.records.placing import put
from retention.common import clock
from retention.workspace import jobs
from retention.workspace.models import Job
from tests.customers.ingest.bringing import CUSTOMERS, LINES, ORDERS, again, bring, done, mapping
from tests.customers.router import route

pytestmark = pytest.mark.django_db

HEADER = "customer_id,name,email,joined_at,tags,consent\n"
ANN = "1,Ann,ann@example.test,2024-05-01,vip; north,yes\n"
BEN = "2,Ben,ben@example.test,2024-06-01 12:30,,\n"
#: What an import may write, as rows and columns.
WRITTEN = (
    *("customer", "consent", "order", "orderline", "subscription", "subscriptionterm", "contact", "contactconsent"),
    *("case", "interaction", "task", "product", "product_upgrades_to", "product_goes_with"),
)


def everything() -> dict[str, Any]:
    """Every row that an import may write, whole."""
    found = {}
    with connection.cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"SELECT to_jsonb(stands) FROM customers_{table} AS stands ORDER BY id")
            found[table] = cursor.fetchall()
    return found


def undo(imported: Import, *, dry_run: bool = False) -> Job:
    job = imports.undo(imported, dry_run=dry_run)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def kept(imported: Import) -> list[tuple[str, str]]:
    return list(imported.kept.values_list("name", "reason"))


def test_it_works() -> None:
    _, taken = bring(mapping(CUSTOMERS), HEADER + ANN + BEN)
    route()
    tried = undo(taken, dry_run=True)
    assert Customer.objects.count() == 2
    counts = {"removed": 2, "changed": 0, "kept": 0}
    assert tried.summary["tables"]["customers"] == counts
    job = undo(taken)
    assert (job.state, job.error) == ("done", "")
    assert job.summary["tables"] == tried.summary["tables"]
    assert not Customer.objects.exists()
    assert not Event.objects.exists()
    assert not CustomerFacts.objects.exists()
    with pytest.raises(imports.NothingToUndo):
        undo(taken)
    assert done(mapping(CUSTOMERS), HEADER + ANN + BEN)["customers"]["created"] == 2


CASES: dict[str, Any] = {
    "kind": "cases",
    "fields": {name: {"column": name} for name in ("case_id", "customer_id", "subject", "opened_at", "rating")}
    | {"resolved_at": {"column": "resolved"}},
}
CONTACTS: dict[str, Any] = {
    "kind": "contacts",
    "fields": {
        name: {"column": name} for name in ("customer_id", "contact_email", "contact_name", "main", "consent", "role")
    },
}
PRODUCTS: dict[str, Any] = {
    "kind": "products",
    "fields": {name: {"column": name} for name in ("sku", "name", "category", "price", "upgrades_to", "goes_with")},
}
SUBSCRIPTIONS: dict[str, Any] = {
    "kind": "subscriptions",
    "fields": {
        name: {"column": name}
        for name in ("subscription_id", "customer_id", "plan", "amount", "started_at", "ended_at")
    },
}
INTERACTIONS: dict[str, Any] = {
    "kind": "interactions",
    "fields": {
        name: {"column": name}
        for name in ("interaction_id", "customer_id", "kind", "happened_at", "subject", "outcome", "next_step", "email")
    },
}
TASKS: dict[str, Any] = {
    "kind": "tasks",
    "fields": {
        name: {"column": name}
        for name in ("task_id", "customer_id", "title", "reason", "due_at", "progress", "closed_at")
    },
}
_TASKS = "task_id,customer_id,title,reason,due_at,progress,closed_at\n"
_INTERACTIONS = "interaction_id,customer_id,kind,happened_at,subject,outcome,next_step,email\n"
_SUBSCRIPTIONS = "subscription_id,customer_id,plan,amount,started_at,ended_at\n"
#: For each kind: a mapping, a file, and a later one that makes, changes and removes.
FILES: dict[str, tuple[dict[str, Any], str, str]] = {
    "customers": (
        CUSTOMERS,
        HEADER + ANN + BEN,
        HEADER + ANN.replace("Ann,", "Anna,").replace("yes", "no") + BEN.replace("ben@", "b@") + "3,Cid,,,,yes\n",
    ),
    "orders": (
        ORDERS,
        "order_id,customer_id,ordered_at,amount,currency,email\nA1,1,2024-05-01,5,EUR,\nA2,1,2024-05-02,6,EUR,\n",
        "order_id,customer_id,ordered_at,amount,currency,email\nA1,2,2024-05-01,7,EUR,x@y.test\nA2,1,2024-05-02,-6,EUR,z@y.test\nA3,,2024-05-03,8,EUR,\n",
    ),
    "order_lines": (
        LINES,
        "order_id,customer_id,ordered_at,sku,quantity,unit_price\nA1,1,2024-05-01,x,1,2\nA1,1,2024-05-01,y,2,3\nA1,1,2024-05-01,z,3,4\n",
        "order_id,customer_id,ordered_at,sku,quantity,unit_price\nA1,1,2024-05-01,x,9,2\nA2,2,2024-05-01,y,2,3\n",
    ),
    "contacts": (
        CONTACTS,
        "customer_id,contact_email,contact_name,main,consent,role\n0,a@x.test,Al,yes,yes,\n0,b@x.test,Bo,,,\n",
        "customer_id,contact_email,contact_name,main,consent,role\n0,a@x.test,Al,,no,CEO\n0,c@x.test,Cy,yes,yes,\n",
    ),
    "subscriptions": (
        SUBSCRIPTIONS,
        _SUBSCRIPTIONS + "S1,1,Pro,10,2024-01-01,\nS2,1,Max,20,2024-01-01,\n",
        _SUBSCRIPTIONS + "S1,1,Max,30,2024-01-01,\nS2,2,Max,20,2024-02-01,2024-06-01\nS3,3,Pro,5,2024-01-01,\n",
    ),
    "products": (
        PRODUCTS,
        "sku,name,category,price,upgrades_to,goes_with\nA,Tea,Drinks,2,B,B\nB,Pot,Ware,9,,\n",
        "sku,name,category,price,upgrades_to,goes_with\nA,Tea,Food,2,C,C\nC,Cup,Ware,4,,\n",
    ),
    "cases": (
        CASES,
        "case_id,customer_id,subject,opened_at,rating,resolved\nT1,1,Help,2024-01-01,,\n",
        "case_id,customer_id,subject,opened_at,rating,resolved\nT1,1,Help,2024-01-01,4,2024-01-02\nT2,2,Oh,2024-01-01,,\n",
    ),
    "interactions": (
        INTERACTIONS,
        _INTERACTIONS + "I1,0,call,2024-01-01,Rang,,,\nI2,0,note,2024-01-02,Noted,,,\n",
        _INTERACTIONS + "I1,0,meeting,2024-01-03,Met,Went well,Write,\nI3,0,email,2024-01-04,Wrote,,,\n",
    ),
    "tasks": (
        TASKS,
        _TASKS + "T1,0,Call,,2024-01-01,,\nT2,0,Write,,2024-01-02,done,2024-01-02\n",
        _TASKS + "T1,0,Ring,Late,2024-01-03,done,2024-01-02\nT3,0,Meet,,,,\n",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_an_undo_leaves_exactly_what_was_there_before(kind: str) -> None:
    how, first, second = FILES[kind]
    Customer.objects.create(external_id="0", name="Corp")
    nothing = everything()
    _, one = bring(mapping(how), first)
    before = everything()
    job, two = bring(mapping(how), second)
    assert job.state == "done", job.error
    assert everything() != before
    refused = undo(one)
    assert refused.state == "failed"
    assert "“file.csv”, brought in on" in refused.error
    assert "Take that back first" in refused.error
    assert everything() != before
    assert undo(two).error == ""
    assert everything() == before
    assert (kept(two), undo(one).error, kept(one)) == ([], "", [])
    assert everything() == nothing


def test_lines_between_whose_ids_others_took_some_are_taken_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging_orders, "_TELL_ONE_SPAN", merging_orders._TELL_ONE_SPAN + " AND FALSE")
    _, taken = bring(mapping(LINES), FILES["order_lines"][1])
    assert list(taken.changes.filter(table="customers_orderline").values_list("before", flat=True)) == [None]
    assert undo(taken).summary["tables"]["order lines"] == {"removed": 3, "changed": 0, "kept": 0}


def test_runs_of_one_import_are_taken_back_together() -> None:
    _, taken = bring(mapping(CUSTOMERS), HEADER + BEN)
    with taken.file.storage.open(str(taken.file.name), "w") as file:
        file.write(HEADER + ANN + BEN.replace("Ben,", "Bob,"))
    jobs.run(imports.start(taken, dry_run=False).pk)
    assert Customer.objects.get(external_id="2").name == "Bob"
    assert undo(taken).summary["tables"]["customers"] == {"removed": 2, "changed": 1, "kept": 0}
    assert not Customer.objects.exists()


def lives_on() -> Iterator[tuple[str, str]]:
    """Four customers of a file whom something happens to, and why each stays."""
    names = {customer.name: customer for customer in Customer.objects.all()}
    Task.objects.create(customer=names["Ann"], title="Call", due_at=clock.now())
    yield "Ann", "1 task hangs on it."
    Customer.objects.filter(name="Ben").update(phone="1", updated_at=clock.now())
    yield "Ben", "It was changed after the file came in."
    consent.withdraw(names["Cid"].pk, "email", "web", "", clock.now())
    yield "Cid", "1 consent hangs on it."
    Event.objects.create(customer=names["Dan"], kind="usage", occurred_at=clock.now())
    yield "Dan", "Something happened to them after the file came in."


def bring_five() -> Import:
    names = ("Ann", "Ben", "Cid", "Dan", "Eve")
    rows = [f"{place},{name},,2024-05-01,,yes\n" for place, name in enumerate(names)]
    _, taken = bring(mapping(CUSTOMERS), HEADER + "".join(rows))
    route()
    return taken


def test_what_was_touched_since_stays_and_is_named() -> None:
    taken = bring_five()
    reasons = list(lives_on())
    job = undo(taken)
    assert job.summary["tables"]["customers"] == {"removed": 1, "changed": 0, "kept": 4}
    assert [row for row in kept(taken) if row[1] != judging.CHANGED or row[0] == "Ben"] == reasons
    assert ("Cid", judging.CHANGED) in kept(taken)
    assert set(Customer.objects.values_list("name", flat=True)) == {"Ann", "Ben", "Cid", "Dan"}
    assert Consent.objects.get().state == "withdrawn"
    Task.objects.all().delete()
    assert undo(taken).summary["tables"]["customers"] == {"removed": 1, "changed": 0, "kept": 3}


def test_an_undo_that_does_not_look_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, what people did since is lost."""
    taken = bring_five()
    list(lives_on())
    monkeypatch.setattr(judging, "judge", lambda kind, params: None)
    Task.objects.all().delete()
    undo(taken)
    assert not Customer.objects.exists()


def test_a_change_that_somebody_edited_since_stays() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN + BEN)
    _, taken = bring(mapping(CUSTOMERS), HEADER + ANN.replace("Ann,", "A,") + BEN.replace("Ben,", "B,"))
    Customer.objects.filter(name="A").update(name="Annie", updated_at=clock.now())
    undo(taken)
    assert set(Customer.objects.values_list("name", flat=True)) == {"Annie", "Ben"}
    assert kept(taken) == [("Annie", judging.CHANGED)]


def test_what_a_later_undo_had_to_leave_does_not_bar_the_way() -> None:
    _, one = bring(mapping(CUSTOMERS), HEADER + ANN + BEN)
    _, two = bring(mapping(CUSTOMERS), HEADER + ANN.replace("Ann,", "A,"))
    Customer.objects.filter(name="A").update(name="Annie", updated_at=clock.now())
    assert undo(two).summary["tables"]["customers"]["kept"] == 1
    again(two, dry_run=True)
    assert undo(one).error == ""
    assert list(Customer.objects.values_list("name", flat=True)) == ["Annie"]
    assert ("Annie", judging.CHANGED) in kept(one)


@pytest.mark.parametrize("changed_by", ["a file that is forgotten", "a file that was taken back in part", "the API"])
def test_an_order_that_was_changed_since_stays(changed_by: str) -> None:
    done(mapping(CUSTOMERS), HEADER + ANN)
    file = "order_id,customer_id,ordered_at,amount,currency,email\nA1,1,2024-05-01,5,EUR,\n"
    _, one = bring(mapping(ORDERS), file)
    if changed_by == "the API":
        put("A1", {"amount": Decimal(7)}, None, "EUR", "api")
    else:
        _, two = bring(mapping(ORDERS), file.replace(",5,", ",7,"))
        if changed_by == "a file that is forgotten":
            imports.remove(two)
        else:
            Import.objects.filter(pk=two.pk).update(undone_at=clock.now())
    assert undo(one).error == ""
    assert kept(one) == [("A1", judging.CHANGED)]
    assert Order.objects.get().amount == 7


def test_an_import_that_changed_nothing_has_no_journal() -> None:
    _, first = bring(mapping(CUSTOMERS), HEADER + ANN + BEN)
    span = first.changes.get(table="customers_customer")
    assert (span.last - span.first, span.before) == (1, None)
    _, second = bring(mapping(CUSTOMERS), HEADER + ANN + BEN)
    assert not second.changes.exists()
    assert undo(first).state == "done"


def test_orders_taken_back_count_no_more_and_can_come_again() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN)
    file = "order_id,customer_id,ordered_at,amount,currency,email\nA1,1,2024-05-01,5,EUR,\n"
    _, taken = bring(mapping(ORDERS), file)
    route()
    assert CustomerFacts.objects.get().orders == 1
    undo(taken)
    route()
    assert CustomerFacts.objects.get().orders == 0
    assert Event.objects.get(kind="import.undone").payload["said"] == "1 × order"
    done(mapping(ORDERS), file)
    route()
    assert CustomerFacts.objects.get().orders == 1
    assert Event.objects.filter(kind="order.placed", routed_at__isnull=False).count() == 2


def test_what_a_file_said_of_text_messages_goes_back_with_it() -> None:
    fields = {name: {"column": name} for name in ("customer_id", "phone", "consent", "sms_consent")}
    how = mapping(CUSTOMERS, fields=fields)
    done(how, "customer_id,phone,consent,sms_consent\n1,55555,yes,yes\n2,66666,yes,yes\n")
    before = everything()
    _, taken = bring(how, "customer_id,phone,consent,sms_consent\n1,77777,,\n2,66666,no,no\n3,88888,yes,yes\n")
    assert Consent.objects.filter(channel="sms").count() == 2
    undo(taken)
    assert everything() == before


def test_an_opt_out_made_here_outlives_the_undo_of_a_file_that_said_the_same() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN)
    _, taken = bring(mapping(CUSTOMERS), HEADER + ANN.replace(",yes", ",no"))
    consent.withdraw(Customer.objects.get().pk, "email", "unsubscribe link", "message 1", clock.now())
    undo(taken)
    assert Consent.objects.get().state == "withdrawn"
    assert kept(taken) == [("Ann", judging.CHANGED)]


def command(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command("import", *args, "--json", stdout=out, stderr=StringIO())
    return dict(json.loads(out.getvalue()))


def test_by_command(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text(HEADER + ANN + BEN)
    number = str(command("customers", str(path), "--policy", "create", "--match", "email")["import"])
    assert command("--undo", number, "--dry-run")["tables"]["customers"]["removed"] == 2
    assert Customer.objects.count() == 2
    assert command("--undo", number)["dry_run"] is False
    assert not Customer.objects.exists()
    for wrong, said in (([number], "nothing to take back"), (["0"], "There is no import 0")):
        with pytest.raises(CommandError, match=said):
            call_command("import", "--undo", *wrong)


def test_segments_lose_whom_it_takes_away() -> None:
    named = Segment.objects.create(name="N", rule={"all": [{"field": "name", "op": "contains", "value": "n"}]})
    _, taken = bring(mapping(CUSTOMERS), HEADER + ANN + BEN)
    route()
    named.refresh_from_db()
    assert named.size == 2
    undo(taken)
    named.refresh_from_db()
    assert named.size == 0


@pytest.mark.django_db(transaction=True)
def test_how_far_an_undo_is_shows_while_it_runs() -> None:
    """Its one transaction is not over when its steps are told, and others see them."""
    header = "order_id,customer_id,ordered_at,sku,quantity,unit_price\n"
    job, taken = bring(mapping(LINES), header + "A1,1,2024-05-01,x,1,2\nA1,1,2024-05-01,y,1,2\nA2,2,2024-05-01,x,1,2\n")
    assert job.state == Job.State.DONE, job.error
    undoing = imports.undo(taken, dry_run=False)
    seen: list[tuple[int, int, str]] = []

    def tell(done: int, total: int | None, stage: str) -> None:
        stored = Job.objects.get(pk=undoing.pk)
        assert (stored.done, stored.total, stored.stage) == (done, total, stage)
        seen.append((done, Order.objects.count(), stage))

    jobs.run(undoing.pk, tell)
    assert [step[:2] for step in seen] == [(0, 2), (3, 2), (5, 0), (7, 0)]
    assert [stage for *_, stage in seen][1:] == [
        "Taken back: order lines",
        "Taken back: orders",
        "Taken back: customers",
    ]
