"""`manage.py load_demo`: into an empty workspace only, the same for the same day, whole or not at all."""

import io
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns.models import Campaign
from customers.models import Customer, Event, Order
from retention.common import clock
from retention.demo import loading, work
from retention.demo.loading import load
from retention.workspace.models import User, Workspace
from surveys.models import Answer
from tests.demo.conftest import NOW

pytestmark = pytest.mark.django_db
TABLES = {
    "customers_customer": "external_id, name, email, joined_at",
    "customers_order": "external_id, customer_id, ordered_at, amount, state",
    "customers_orderline": "sku, quantity, unit_price",
    "customers_subscription": "external_id, renews_at, cancelled_at, cancel_reason",
    "customers_subscriptionterm": "customer_id, valid_from, valid_to, plan, quantity, amount, discount",
    "customers_renewalforecast": "subscription_id, renews_at, forecast, note",
    "customers_successplan": "customer_id, title, state, agreed_at",
    "customers_case": "external_id, subject, state, opened_at, rating",
    "customers_mrrmovement": "customer_id, currency, day, kind, before, after",
    # What came in with a file has the import's number in its proof, and numbers of imports are not begun anew.
    "customers_event": r"customer_id, kind, occurred_at, regexp_replace(payload::text,'import \d+','import')",
    "customers_customerfacts": "customer_id, orders, revenue, mrr, nps_score, stage, stage_since",
    "customers_segmentmembership": "segment_id, customer_id, entered_at, left_at",
    "customers_task": "customer_id, title, due_at, state, assignee_id",
    "surveys_answer": "customer_id, score, comment, answered_at",
    "loyalty_offer": "customer_id, kind, cost, reason, state, asked_by_id, granted_at, used_at, outcome",
    "campaigns_enrolment": "customer_id, arm, entered_at, goal_met_at",
    "campaigns_refusal": "customer_id, gate",
    "campaigns_suppression": "address, reason",
    "campaigns_message": "customer_id, state, opened_at, clicked_at",
}


def digest() -> dict[str, str]:
    """A hash of what each table says, in the order of its rows' content."""
    found = {}
    with connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(
                f"SELECT {columns} FROM {table} ORDER BY {', '.join(map(str, range(1, columns.count(', ') + 2)))}"
            )
            found[table] = sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return found


def small(seed: str = "x", now: datetime = NOW, *, replace: bool = True) -> dict[str, str]:
    with clock.at(now):
        load(now, seed=seed, count=300, replace=replace)
    connection.check_constraints()  # a table with checks still to come cannot be emptied
    return digest()


def test_the_same_seed_and_day_give_the_same_business() -> None:
    loading.clear()  # ids begin at 1, as in a new database: who is held out depends on them
    first = small(replace=False)
    assert small() == first
    other = small(seed="y")
    assert [table for table in TABLES if other[table] == first[table]] in ([], ["campaigns_suppression"])
    assert small(now=NOW + timedelta(days=1))["customers_order"] != first["customers_order"]


def test_it_is_loaded_into_an_empty_workspace_only() -> None:
    Customer.objects.create(external_id="mine", name="Mine", source="import")
    with pytest.raises(CommandError, match="in use"):
        call_command("load_demo")
    call_command("load_demo", "--if-empty")
    assert list(Customer.objects.values_list("external_id", flat=True)) == ["mine"]


def test_replacing_never_touches_other_peoples_customers() -> None:
    small(replace=False)
    before = digest()
    mine = Customer.objects.create(external_id="mine", name="Mine", source="import")
    with pytest.raises(CommandError, match="1 of the customers here did not come with the demo"):
        call_command("load_demo", "--replace")
    mine.delete()
    assert digest() == before


def test_the_command_tells_what_it_made() -> None:
    told = io.StringIO()
    call_command("load_demo", "--customers", "50", stdout=told)
    assert told.getvalue().startswith("The demo workspace is ready: 87 customers, ")


def test_a_load_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(work, "write", fail)
    with pytest.raises(RuntimeError):
        load(NOW, count=50)
    assert not Customer.objects.exists()
    assert not Campaign.objects.exists()
    assert not User.objects.exists()


def test_a_workspace_that_has_a_name_keeps_it_and_nothing_is_still_to_come() -> None:
    Workspace.objects.update(name="Ours", currency="GBP")
    small(replace=False)
    assert Workspace.current().name == "Ours"
    assert not Event.objects.filter(occurred_at__gt=NOW).exists()
    assert not Order.objects.filter(ordered_at__gt=NOW).exists()
    assert not Answer.objects.filter(answered_at__gt=NOW).exists()
