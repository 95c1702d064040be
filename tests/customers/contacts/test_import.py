"""Contacts from a file: told apart by address within a customer, the same file twice changes nothing."""

from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.contacts import consent, editing
from customers.ingest.guess import guess
from customers.models import Contact, ContactConsent, Event
from retention.common import clock
from retention.workspace.models import Job
from tests.customers.contacts.test_people import person
from tests.customers.custom.defining import a_field
from tests.customers.ingest.bringing import bring, done, mapping, refusals
from tests.customers.ingest.test_undo import undo
from tests.customers.known import customer

pytestmark = pytest.mark.django_db
COLUMNS = "customer_id,contact_email,contact_name,role,birthday,main,consent"
HOW: dict[str, Any] = {"kind": "contacts", "fields": {name: {"column": name} for name in COLUMNS.split(",")}}
ADA = "acme,ada@acme.example,Ada,Countess,1915-12-10,yes,yes\n"
BOB = "acme,bob@acme.example,Bob,,,,no\n"


def versions() -> list[Any]:
    """Every row an import of contacts touches: its place, who wrote it last, and who locked it last."""
    found = []
    for table in ("customer", "contact", "contactconsent", "event"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, ctid::text, xmin::text, xmax::text FROM customers_{table} ORDER BY id")
            found.append(cursor.fetchall())
    return found


def bring_in(*lines: str) -> dict[str, Any]:
    return done(mapping(HOW), "".join((f"{COLUMNS}\n", *lines)))


def test_it_works() -> None:
    customer("acme")
    summary = bring_in(ADA, BOB)
    assert summary["contacts"] == {"named": 2, "created": 2, "updated": 0, "removed": 0, "unchanged": 0}
    assert summary["consents"] == 2
    rows = Contact.objects.order_by("id").values_list("name", "role", "email", "is_main", "source")
    assert list(rows) == [
        ("Ada", "Countess", "ada@acme.example", True, "file.csv"),
        ("Bob", "", "bob@acme.example", False, "file.csv"),
    ]
    consents = ContactConsent.objects.order_by("id").values_list("contact__name", "channel", "state", "source")
    assert list(consents) == [("Ada", "email", "granted", "file.csv"), ("Bob", "email", "withdrawn", "file.csv")]
    assert ContactConsent.objects.first().proof.startswith("import ")  # type: ignore[union-attr]
    told = Event.objects.order_by("id").values_list("kind", "payload__name")
    assert sorted(told) == [
        ("contact.added", "Ada"), ("contact.added", "Bob"), ("contact.agreed", "Ada"), ("contact.withdrew", "Bob"),
    ]  # fmt: skip


def test_the_same_file_twice_changes_nothing() -> None:
    customer("acme")
    bring_in(ADA, BOB)
    before = versions()
    assert bring_in(ADA, BOB)["contacts"]["unchanged"] == 2
    assert versions() == before


def test_an_empty_cell_leaves_what_is_there_and_the_rest_is_changed() -> None:
    customer("acme")
    bring_in(ADA, BOB)
    assert bring_in("acme,ADA@acme.example,,Analyst,,,\n")["contacts"]["updated"] == 1
    ada = Contact.objects.get(name="Ada")
    assert (ada.role, str(ada.birthday), ada.is_main, ada.email) == ("Analyst", "1915-12-10", True, "ada@acme.example")


def test_the_main_contact_of_the_file_takes_the_place() -> None:
    acme = customer("acme")
    cyd = person(acme, "Cyd", email="cyd@acme.example", is_main=True)
    bring_in(ADA, BOB.replace(",,,,no", ",,,yes,no"))
    cyd.refresh_from_db()
    assert not cyd.is_main
    assert [row.name for row in Contact.objects.filter(is_main=True)] == ["Ada"]
    before = versions()
    bring_in(ADA, BOB.replace(",,,,no", ",,,yes,no"))
    assert versions() == before


def test_no_file_turns_an_opt_out_back_or_brings_back_whom_somebody_removed() -> None:
    acme, now = customer("acme"), clock.now()
    ada = person(acme, "Ada", email="ada@acme.example")
    consent.withdraw(ada, "email", "call", "", now)
    bob = person(acme, "Bob", email="bob@acme.example")
    editing.remove(bob)
    bring_in(ADA, BOB.replace(",no", ",yes"))
    assert [(row.contact_id, row.state, row.source) for row in ContactConsent.objects.all()] == [
        (ada.pk, "withdrawn", "call")
    ]
    bob.refresh_from_db()
    assert bob.removed_at
    assert Contact.objects.count() == 2


def test_another_number_lets_what_was_agreed_for_the_old_one_lapse_until_the_file_is_taken_back() -> None:
    ada = person(customer("acme"), "Ada", email="ada@acme.example", phone="+49 30 1")
    for channel in ContactConsent.Channel:
        consent.grant(ada, channel, "fair", "card 7", clock.now())
    fields = {name: {"column": name} for name in ("customer_id", "contact_email", "phone")}
    how = mapping({"kind": "contacts", "fields": fields})

    def agreed() -> list[str]:
        return list(ContactConsent.objects.order_by("channel").values_list("channel", flat=True))

    done(how, "customer_id,contact_email,phone\nacme,ada@acme.example,0049 (30) 1\n")
    assert agreed() == ["email", "phone", "post", "sms"]
    _, taken = bring(how, "customer_id,contact_email,phone\nacme,ada@acme.example,+49 30 2\n")
    assert agreed() == ["email", "post"]
    said = Event.objects.filter(kind="contact.lapsed").values_list("payload__name", "payload__by")
    assert sorted(said) == [("Ada", "phone calls"), ("Ada", "text messages")]
    undo(taken)
    assert agreed() == ["email", "phone", "post", "sms"]


def test_rows_are_refused_with_their_reasons() -> None:
    customer("acme")
    job, taken = bring(
        mapping(HOW),
        f"{COLUMNS}\n{ADA}ghost,eve@x.example,Eve,,,,\nacme,,Nobody,,,,\nacme,cid@x.example,Cid,,soon,,\n"
        "acme,dan@x.example,Dan,,,maybe,\n" + ADA.replace("Countess", "Analyst") + ADA,
    )
    assert job.state == Job.State.DONE
    assert [(line, reason) for line, reason, _ in refusals(taken)] == [
        (3, "Customer “ghost” is not there. Bring them in first."),
        (4, "Their e-mail: there is none."),
        (5, "Birthday: “soon” is not a day written as 2011-12-31."),
        (6, "Main contact: “maybe” is not a plain “yes” or “no”."),
        (
            7,
            (
                "Contact “ada@acme.example” of customer “acme” is already in line 2, which says otherwise;"
                " that line stands."
            ),
        ),
    ]  # fmt: skip
    assert Contact.objects.get().role == "Countess"


def test_custom_fields_of_contacts_are_filled() -> None:
    customer("acme")
    a_field("floor", "number", about="contact")
    how = mapping(
        {
            "kind": "contacts",
            "fields": {
                "customer_id": {"column": "a"},
                "contact_email": {"column": "b"},
                "custom_floor": {"column": "c"},
            },
        }
    )
    done(how, "a,b,c\nacme,ada@x.example,3\n")
    assert Contact.objects.get().attributes == {"floor": 3}


def test_a_trial_keeps_nothing() -> None:
    customer("acme")
    job, _ = bring(mapping(HOW), f"{COLUMNS}\n{ADA}", dry_run=True)
    assert job.summary["contacts"]["created"] == 1
    assert not Contact.objects.exists()


def test_a_file_of_contacts_is_known_by_its_columns(tmp_path: Any) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Customer id,Contact e-mail,Contact name,Job title\nacme,ada@acme.example,Ada,Countess\n")
    found = guess(file)
    assert found.kind == "contacts"
    assert {name: source.column for name, source in found.fields.items()} == {
        "customer_id": "Customer id", "contact_email": "Contact e-mail", "contact_name": "Contact name",
        "role": "Job title",
    }  # fmt: skip


CELL = st.fixed_dictionaries(
    {
        "who": st.sampled_from(["ada", "ADA", "bob"]),
        "at": st.sampled_from(["acme", "bell"]),
        "role": st.sampled_from(["", "Countess", "Buyer"]),
        "main": st.sampled_from(["", "yes", "no"]),
        "consent": st.sampled_from(["", "yes", "no"]),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CELL, min_size=1, max_size=6), withdrawn=st.booleans())
def test_any_file_may_come_twice_and_no_opt_out_is_undone(rows: list[dict[str, str]], withdrawn: bool) -> None:
    """However rows repeat and disagree: one person per address, one main contact, the second time nothing changes."""
    with transaction.atomic():
        at = {name: customer(name) for name in ("acme", "bell")}
        ada = person(at["acme"], "Ada", email="ada@x.example")
        if withdrawn:
            consent.withdraw(ada, "email", "call", "", clock.now())
        lines = [f"{r['at']},{r['who']}@x.example,{r['who']},{r['role']},,{r['main']},{r['consent']}\n" for r in rows]
        bring_in(*lines)
        before = versions()
        bring_in(*lines)
        assert versions() == before
        addresses = [(c, email.lower()) for c, email in Contact.objects.values_list("customer", "email")]
        assert len(addresses) == len(set(addresses))
        mains = list(Contact.objects.filter(is_main=True).values_list("customer", flat=True))
        assert len(mains) == len(set(mains))
        if withdrawn:
            assert ContactConsent.objects.get(contact=ada).source == "call"
        transaction.set_rollback(True)
