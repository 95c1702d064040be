"""An edit that ends while an import waits for its row is no part of what the import did: an undo lets it stand."""

from dataclasses import dataclass
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest
from django.db import models, transaction
from psycopg.sql import SQL

from customers.ingest import (
    imports,
    journal,
    merging,
    merging_cases,
    merging_orders,
    merging_products,
    merging_subscriptions,
    policies,
)
from customers.ingest.imports import take_in
from customers.models import Case, Consent, Contact, Customer, Event, Import, Order, Product, Subscription
from customers.records.consent import grant
from retention.common import clock
from retention.workspace import jobs
from tests.customers.at_once import elsewhere, until, waiting
from tests.customers.ingest.bringing import CUSTOMERS, ORDERS, again, bring, mapping
from tests.customers.ingest.test_undo import CASES, CONTACTS, HEADER, PRODUCTS, SUBSCRIPTIONS

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Kind:
    """A row as one file brings it and another changes it, and what somebody else writes into a field of it.

    Whoever does so holds the row of `holds` first.
    """

    spec: dict[str, Any]
    header: str
    first: str
    second: str
    model: type[models.Model]
    field: str
    value: str | int
    holds: type[models.Model]


KINDS = {
    "customers": Kind(CUSTOMERS, HEADER, "1,Ann,,,,yes", "1,Eve,,,,yes", Customer, "phone", "0123", Customer),
    "consents": Kind(CUSTOMERS, HEADER, "1,Eve,,,,yes", "1,Eve,,,,no", Consent, "source", "a form", Customer),
    "orders": Kind(
        ORDERS,
        "order_id,customer_id,ordered_at,amount,currency,email\n",
        "A1,1,2024-05-01,5,EUR,",
        "A1,1,2024-05-01,7,EUR,",
        *(Order, "refunded", 2, Order),
    ),
    "cases": Kind(
        CASES,
        "case_id,customer_id,subject,opened_at,rating,resolved\n",
        "T1,1,Help,2024-05-01,,",
        "T1,1,Oh,2024-05-01,,",
        *(Case, "priority", "urgent", Case),
    ),
    "products": Kind(
        PRODUCTS,
        "sku,name,category,price,upgrades_to,goes_with\n",
        "P1,Lamp,,5,,",
        "P1,Light,,5,,",
        *(Product, "category", "Home", Product),
    ),
    "contacts": Kind(
        CONTACTS,
        "customer_id,contact_email,contact_name,main,consent,role\n",
        "1,bo@example.test,Bo,,,",
        "1,bo@example.test,Bob,,,",
        *(Contact, "phone", "0123", Customer),
    ),
    "subscriptions": Kind(
        SUBSCRIPTIONS,
        "subscription_id,customer_id,plan,amount,started_at,ended_at\n",
        "S1,1,Pro,5,2024-05-01,",
        "S1,1,Pro,6,2024-05-01,",
        *(Subscription, "notice_days", 30, Subscription),
    ),
}


def race(kind: Kind) -> Import:
    """Have an import change a row that somebody is just editing, who is done only once it waits. Returns the import."""
    bring(mapping(kind.spec), kind.header + kind.first)
    taken = take_in(BytesIO((kind.header + kind.second).encode()), "file.csv", mapping(kind.spec))
    with transaction.atomic():
        list(kind.holds._default_manager.select_for_update())
        kind.model._default_manager.update(**{kind.field: kind.value})
        importing = elsewhere(lambda: again(taken))
        until(lambda: waiting() > 0)
    importing.join()
    return taken


def edit_after_undo(kind: Kind) -> object:
    """What is left of the edit."""
    taken = race(kind)
    changed = taken.changes.filter(table=kind.model._meta.db_table, before__isnull=False)
    assert changed.exists(), "the import changed nothing"
    jobs.run(imports.undo(taken, dry_run=False).pk)
    assert not taken.kept.exists()
    return kind.model._default_manager.values_list(kind.field, flat=True).get()


def test_it_works() -> None:
    for name, kind in KINDS.items():
        assert edit_after_undo(kind) == kind.value, name


#: What would read a row for the journal as it stood before the import waited for it.
PLANTED: dict[str, tuple[ModuleType, str, str, str]] = {
    "consents": (merging, "_HOLD", "FOR UPDATE OF customer", ""),
    "orders": (merging_orders, "_UPDATE", '(SELECT (was).* FROM "told")', "customers_order"),
    "cases": (merging_cases, "_UPDATE", '(SELECT (was).* FROM "told")', "customers_case"),
    "products": (merging_products, "_UPDATE", '(SELECT (was).* FROM "wanted")', "customers_product"),
    "subscriptions": (merging_subscriptions, "_HOLD", "FOR NO KEY UPDATE", ""),
}


def test_a_journal_that_reads_too_early_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, the undo takes the edit back."""
    changed = journal.changed
    with monkeypatch.context() as planted:
        planted.setattr(journal, "changed", lambda table, rows="changed", held="": changed(table, rows))
        assert edit_after_undo(KINDS["customers"]) != KINDS["customers"].value
    for name, (module, statement, held, early) in PLANTED.items():
        stands = getattr(module, statement)
        text = stands if isinstance(stands, str) else stands.as_string()
        assert held in text, name
        monkeypatch.setattr(module, statement, text.replace(held, early))
        assert edit_after_undo(KINDS[name]) != KINDS[name].value, name


def filled_at_once() -> str:
    """Somebody fills in an address while an import that fills only blanks comes with another. Returns what stands."""
    Customer.objects.all().delete()
    bring(mapping(CUSTOMERS), HEADER + "1,Ann,,,,")
    with transaction.atomic():
        Customer.objects.select_for_update().filter(external_id="1").update(email="own@example.test")
        importing = elsewhere(lambda: bring(mapping(CUSTOMERS, policy="fill"), HEADER + "1,,file@example.test,,,"))
        until(lambda: waiting() > 0)
    importing.join()
    return Customer.objects.values_list("email", flat=True).get()


def test_what_is_filled_in_meanwhile_is_no_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled_at_once() == "own@example.test"
    monkeypatch.setattr(policies, "_HOLD", SQL("SELECT"))  # planted: blanks are looked for before rows are held
    assert filled_at_once() == "file@example.test"


def test_a_consent_given_while_the_import_waited_lapses_with_its_address() -> None:
    bring(mapping(CUSTOMERS), HEADER + "1,Ann,old@example.test,,,")
    ann = Customer.objects.get()
    with transaction.atomic():
        grant(ann.pk, "email", "a form", "ticked", clock.now())
        importing = elsewhere(lambda: bring(mapping(CUSTOMERS), HEADER + "1,Ann,new@example.test,,,"))
        until(lambda: waiting() > 0)
    importing.join()
    ann.refresh_from_db()
    assert ann.email == "new@example.test"
    assert not Consent.objects.exists()
    assert Event.objects.filter(kind="consent.lapsed").count() == 1
