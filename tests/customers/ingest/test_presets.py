"""Files that other systems export, by their headers."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.ingest import presets
from customers.ingest.guess import guess
from customers.ingest.mapping import check
from customers.ingest.reader import Layout
from customers.models import Consent, Contact, Customer, Import, Order, OrderLine, Subscription
from customers.records import consent
from retention.common import clock
from tests.customers.ingest.bringing import bring, done, refusals

pytestmark = pytest.mark.django_db


@pytest.fixture
def formats(shared: Path) -> Path:
    return shared / "crm_formats"


def written(header: Path, *rows: dict[str, str]) -> str:
    """A file with the header of an export and these rows, whose other columns are empty."""
    text = io.StringIO()
    columns = next(csv.reader(header.read_text(encoding="utf-8").splitlines()[:1]))
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def taken_in(folder: Path, text: str, filename: str = "export.csv") -> Import:
    """The text brought in as it is guessed."""
    path = folder / filename
    path.write_text(text, encoding="utf-8")
    job, taken = bring(guess(path), text)
    assert job.state == "done", job.error
    return taken


def test_it_works(formats: Path, tmp_path: Path) -> None:
    taken_in(tmp_path, (formats / "hubspot_companies_export.example.csv").read_text())
    bluebay = Customer.objects.get(external_id="9001")
    assert (bluebay.name, bluebay.kind, bluebay.source) == ("Bluebay Gaming Ltd", "company", "HubSpot")
    assert bluebay.joined_at == datetime(2024, 2, 1, 9, 30, tzinfo=UTC)
    assert bluebay.attributes == {"Website URL": "bluebay.example.test", "Company owner": "Sam Sales"}
    assert Customer.objects.count() == 3
    taken = taken_in(tmp_path, (formats / "hubspot_contacts_export.example.csv").read_text())
    assert set(Contact.objects.values_list("customer__external_id", "name", "email")) == {
        ("9001", "Priya Example", "priya@bluebay.example.test"),
        ("9002", "", "tom@harbour.example.test"),
    }
    assert [reason for _, reason, _ in refusals(taken)] == ["Their e-mail: there is none."]


def test_hubspot_contacts_of_no_company_are_customers(formats: Path, tmp_path: Path) -> None:
    seen = (formats / "hubspot_contacts_other_seen_headers.txt").read_text().split("\n")
    for place, header in enumerate(filter(None, seen)):
        rest = "," * (header.count(",") - 4)
        taken = taken_in(tmp_path, f"{header}\n{place},Ann,Archer,ann{place}@example.test,+44 1234{rest}\n")
        assert taken.kind == "customers"
    assert set(Customer.objects.values_list("name", "kind")) == {("Ann Archer", "person")}


def test_salesforce(formats: Path, tmp_path: Path) -> None:
    account = {"Id": "001A", "Name": "Acme", "BillingCountry": "France", "Phone": "+33 12345", "SLA__c": "Gold"}
    created = {"CreatedDate": "2024-02-01T09:30:00.000Z"}
    taken_in(tmp_path, written(formats / "salesforce_account_data_export.header.csv", account | created))
    acme = Customer.objects.get()
    assert (acme.external_id, acme.name, acme.kind, acme.country) == ("001A", "Acme", "company", "France")
    assert (acme.attributes["SLA__c"], acme.joined_at) == ("Gold", datetime(2024, 2, 1, 9, 30, tzinfo=UTC))
    contact = {"Id": "003A", "AccountId": "001A", "FirstName": "Ann", "LastName": "Archer", "Email": "ann@acme.test"}
    more = {"Title": "CEO", "Birthdate": "1980-05-01"}
    taken_in(tmp_path, written(formats / "salesforce_contact_data_export.header.csv", contact | more))
    ann = Contact.objects.get()
    assert (ann.customer, ann.name, ann.role, ann.birthday) == (acme, "Ann Archer", "CEO", date(1980, 5, 1))


SAID_DELETED = {"A": "true", "B": "0", "C": "1"}


def test_what_is_deleted_in_salesforce_stays_out_and_says_so(formats: Path, tmp_path: Path) -> None:
    header = formats / "salesforce_account_data_export.header.csv"
    rows = [{"Id": f"001{name}", "Name": name, "IsDeleted": said} for name, said in SAID_DELETED.items()]
    taken = taken_in(tmp_path, written(header, *rows))
    assert [customer.name for customer in Customer.objects.all()] == ["B"]
    assert {reason for _, reason, _ in refusals(taken)} == {"The account is deleted in Salesforce."}
    header = formats / "salesforce_contact_data_export.header.csv"
    person = {"AccountId": "001B", "LastName": "Archer"}
    rows = [person | {"Id": f"003{said}", "Email": f"{said}@b.test", "IsDeleted": said} for said in ("TRUE", "FALSE")]
    taken_in(tmp_path, written(header, *rows))
    assert Contact.objects.get().email == "FALSE@b.test"


def test_shopify_orders_have_their_lines_and_their_total(formats: Path, tmp_path: Path) -> None:
    Customer.objects.create(external_id="7", email="Ann@Example.com")
    example = (formats / "shopify_orders_export.example.csv").read_text()
    taken_in(tmp_path, example)
    order = Order.objects.get()
    assert (order.external_id, order.customer.external_id if order.customer else "") == ("#1001", "7")
    assert (order.amount, order.currency, order.state) == (Decimal("34.98"), "USD", "completed")
    assert order.ordered_at == datetime(2024, 5, 1, 9, 58, 12, tzinfo=UTC)
    assert list(OrderLine.objects.values_list("sku", "quantity")) == [("TEE-BLK-S", Decimal(2)), ("MUG", Decimal(1))]
    refunded = example.replace(",paid,", ",refunded,").replace("#1001", "#1002")
    taken_in(tmp_path, refunded)
    assert Order.objects.get(external_id="#1002").state == "refunded"


@pytest.mark.parametrize("name", ["export", "import_template"])
def test_shopify_customers(name: str, formats: Path, tmp_path: Path) -> None:
    ann = {"First Name": "Ann", "Last Name": "Archer", "Email": "ann@example.test", "Accepts Email Marketing": "yes"}
    ann |= {"Accepts SMS Marketing": "no", "Phone": "+1 555 0100"}
    row = ann | {"Tags": "vip, north"} | ({"Customer ID": "77"} if name == "export" else {})
    taken = taken_in(tmp_path, written(formats / f"shopify_customers_{name}.header.csv", row))
    customer = Customer.objects.get()
    assert (customer.name, customer.tags) == ("Ann Archer", ["vip", "north"])
    assert (customer.external_id == "77") is (name == "export")
    proof = f"import {taken.pk}: {taken.filename}"
    assert set(Consent.objects.values_list("channel", "state", "source", "proof")) == {
        ("email", "granted", "Shopify", proof),
        ("sms", "withdrawn", "Shopify", proof),
    }


def test_stripe_subscriptions(formats: Path, tmp_path: Path) -> None:
    columns = (formats / "stripe_subscriptions_export.columns_seen.txt").read_text().splitlines()
    header = tmp_path / "header.csv"
    header.write_text(",".join(columns[:-1]) + "\n")
    row = {"id": "sub_1", "Customer ID": "cus_1", "Customer Email": "ann@example.test", "Plan": "Pro", "Quantity": "3"}
    row |= {"Currency": "usd", "Interval": "month", "Amount": "20.00", "Start (UTC)": "2024-02-01 09:30"}
    row |= {"Current Period End (UTC)": "2030-02-01 09:30"}  # and "Start Date (UTC)" stays empty
    taken_in(tmp_path, written(header, row))
    subscription = Subscription.objects.get()
    term = subscription.terms.get()
    assert (subscription.customer.email, term.plan, term.currency) == ("ann@example.test", "Pro", "USD")
    # Stripe charges a plan's amount for each of the quantity: https://docs.stripe.com/api/plans/object
    assert (term.quantity, term.amount, term.interval, term.valid_from) == (
        3,
        Decimal(60),
        "month",
        datetime(2024, 2, 1, 9, 30, tzinfo=UTC),
    )
    assert subscription.renews_at == datetime(2030, 2, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("status", ["trialing", "unpaid"])
def test_a_subscription_that_is_not_paid_for_is_no_mrr(formats: Path, tmp_path: Path, status: str) -> None:
    columns = (formats / "stripe_subscriptions_export.columns_seen.txt").read_text().splitlines()
    header = tmp_path / "header.csv"
    header.write_text(",".join(columns[:-1]) + "\n")
    row = {"id": "sub_1", "Customer ID": "cus_1", "Plan": "Pro", "Quantity": "1", "Currency": "eur"}
    row |= {"Interval": "month", "Amount": "20.00", "Start Date (UTC)": "2024-02-01 09:30"}
    never = [row | {"id": word, "Status": word} for word in ("incomplete", "incomplete_expired")]
    taken = taken_in(tmp_path, written(header, row | {"Status": status}, *never))
    assert [term.mrr for term in Subscription.objects.get().terms.all()] == [0]
    assert {reason for _, reason, _ in refusals(taken)} == {"Its first payment was not made: it never began."}
    for word in ("active", "past_due"):
        taken_in(tmp_path, written(header, row | {"Status": word}))
        terms = Subscription.objects.get().terms.order_by("valid_from")
        assert [(term.mrr, term.valid_to is None) for term in terms] == [(0, False), (20, True)]


SIGNED_UP = {"OPTIN_TIME": "2018-04-13 10:57:02", "CONFIRM_TIME": "2018-04-13 11:00:00", "CONFIRM_IP": "192.0.2.10"}


def member(email: str, **more: str) -> dict[str, str]:
    return {"Email Address": email, "LEID": "1", "TAGS": '"VIP","Beta"', **SIGNED_UP, **more}


def test_an_audience_of_mailchimp_brings_consent_with_its_proof(formats: Path, tmp_path: Path) -> None:
    header = formats / "mailchimp_audience_export.header.csv"
    taken_in(tmp_path, written(header, member("ann@example.test"), member("ben@example.test")))
    ann = Customer.objects.get(email="ann@example.test")
    assert ann.tags == ["VIP", "Beta"]
    agreed = ann.consents.get()
    assert (agreed.state, agreed.source, agreed.changed_at.hour) == ("granted", "Mailchimp", 11)
    assert agreed.proof.endswith("opted in 2018-04-13 10:57:02  confirmed 2018-04-13 11:00:00 192.0.2.10")
    more = tmp_path / "header.csv"
    more.write_text(header.read_text().strip() + ',"UNSUB_TIME","UNSUB_REASON"\n')
    gone = member("Ben@example.test", UNSUB_TIME="2020-01-01 00:00:00")
    taken_in(tmp_path, written(more, gone))
    assert Customer.objects.count() == 2
    assert Consent.objects.get(customer__email="Ben@example.test").state == "withdrawn"


@pytest.mark.parametrize("filename", ["unsubscribed_members_export_1.csv", "cleaned_members_export_1.csv"])
def test_a_file_that_is_named_for_those_who_left_grants_nothing(filename: str, formats: Path, tmp_path: Path) -> None:
    text = written(formats / "mailchimp_audience_export.header.csv", member("ann@example.test"))
    taken_in(tmp_path, text, filename)
    assert Consent.objects.get().state == "withdrawn"


def test_no_audience_turns_back_what_a_customer_withdrew_here(formats: Path, tmp_path: Path) -> None:
    ann = Customer.objects.create(external_id="1", email="ann@example.test")
    consent.withdraw(ann.pk, "email", "unsubscribe link", "", clock.now())
    taken_in(tmp_path, written(formats / "mailchimp_audience_export.header.csv", member("ann@example.test")))
    assert ann.consents.get().state == "withdrawn"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("hubspot_deals_export.example.csv", "HubSpot: deals"),
        ("salesforce_opportunity_data_export.header.csv", "Salesforce: opportunities"),
        ("stripe_subscription_history.fivetran_seed.csv", "Stripe: history of subscriptions"),
    ],
)
def test_what_has_no_place_here_is_told_and_not_taken_for_customers(name: str, label: str, formats: Path) -> None:
    with pytest.raises(CommandError, match=label):
        call_command("import", "customers", str(formats / name))
    assert not Customer.objects.exists()
    assert not guess(formats / name).fields


def test_every_preset_names_fields_there_are() -> None:
    for preset in presets.every():
        if not preset.no_place:
            asked = [name for told in preset.fields.values() for name in told.get("columns", ())]
            columns = tuple(dict.fromkeys([*preset.needs, *asked]))
            how = presets.read_by(preset, columns, columns, Layout())
            check(how, columns)
            assert how.fields.keys() >= {name for name, told in preset.fields.items() if "columns" in told}, (
                preset.label
            )


def test_the_same_file_twice_changes_nothing(formats: Path, tmp_path: Path) -> None:
    text = (formats / "shopify_orders_export.example.csv").read_text()
    taken_in(tmp_path, text)
    summary = done(guess(tmp_path / "export.csv"), text)
    assert [summary[what]["unchanged"] for what in ("customers", "orders", "lines")] == [1, 1, 2]
