"""Importing customers."""

import io
from datetime import UTC, datetime
from unittest import mock

import pytest

from customers.ingest import imports
from customers.models import Consent, Customer, Dirty, Event
from customers.records import consent
from tests.customers.ingest.bringing import CUSTOMERS, again, bring, done, failed, mapping, refusals, versions

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HEADER = "customer_id,name,email,joined_at,tags,consent\n"
ANN = "1,Ann,ann@example.test,2024-05-01,vip; north,yes\n"
BEN = "2,Ben,ben@example.test,2024-06-01 12:30,,\n"


def test_it_works() -> None:
    summary = done(mapping(CUSTOMERS), HEADER + ANN + BEN)
    assert summary["customers"] == {"named": 2, "created": 2, "updated": 0, "unchanged": 0, "removed": 0}
    assert (summary["rows"], summary["rejected"], summary["consents"]) == (2, 0, 1)
    ann, ben = Customer.objects.order_by("external_id")
    assert (ann.name, ann.email, ann.tags, ann.kind) == ("Ann", "ann@example.test", ["vip", "north"], "person")
    assert ben.joined_at == datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
    assert ann.source == "file.csv"
    assert list(Consent.objects.values_list("customer", "state", "source")) == [(ann.pk, "granted", "file.csv")]
    assert list(ann.events.order_by("id").values_list("kind", "occurred_at")) == [
        ("customer.created", datetime(2024, 5, 1, tzinfo=UTC)),
        ("consent.granted", Consent.objects.get().changed_at),
    ]


def test_the_same_file_twice_changes_nothing() -> None:
    _, taken = bring(mapping(CUSTOMERS), HEADER + ANN + BEN)
    before = versions()
    summary = again(taken).summary
    assert summary["customers"] == {"named": 2, "created": 0, "updated": 0, "unchanged": 2, "removed": 0}
    assert summary["consents"] == 0
    assert versions() == before


def test_a_changed_row_changes_its_customer_alone() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN + BEN)
    events, before = Event.objects.count(), versions()["customer"]
    summary = done(mapping(CUSTOMERS), HEADER + ANN + BEN.replace("Ben,", "Benno,"))
    assert summary["customers"] == {"named": 2, "created": 0, "updated": 1, "unchanged": 1, "removed": 0}
    assert Customer.objects.get(external_id="2").name == "Benno"
    assert versions()["customer"][0] == before[0]
    assert Event.objects.count() == events
    assert list(Dirty.objects.values_list("customer__external_id", flat=True)) == ["2"]


def test_an_empty_cell_leaves_what_is_there() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN)
    done(mapping(CUSTOMERS), HEADER + "1,,ann@new.test,,,\n")
    ann = Customer.objects.get()
    assert (ann.name, ann.email, ann.tags) == ("Ann", "ann@new.test", ["vip", "north"])


def test_other_columns_become_attributes() -> None:
    how = mapping(
        {
            "kind": "customers",
            "fields": {"customer_id": {"column": "id"}, "name": {"text": "{first} {last}"}},
            "attributes": {"plan": {"column": "plan"}, "seats": {"column": "seats"}},
        }
    )
    done(how, "id,first,last,plan,seats\n1,Ann,Archer,pro,\n2,Ben,,basic,3\n")
    assert list(Customer.objects.order_by("id").values_list("name", "attributes")) == [
        ("Ann Archer", {"plan": "pro"}),
        ("Ben", {"plan": "basic", "seats": "3"}),
    ]
    done(how, "id,first,last,plan,seats\n1,Ann,Archer,,9\n")
    assert Customer.objects.get(external_id="1").attributes == {"plan": "pro", "seats": "9"}


@pytest.mark.parametrize(
    ("said", "kept"), [("German", "de"), ("ESPAÑOL", "es"), ("de-AT", "de-AT"), ("fr", "fr"), ("Klingon", "Klingon")]
)
def test_a_language_is_kept_by_its_code(said: str, kept: str) -> None:
    fields = {name: {"column": name} for name in ("customer_id", "language")}
    done(mapping(CUSTOMERS, fields=fields), f"customer_id,language\n1,{said}\n")
    assert Customer.objects.get().language == kept


def test_of_two_rows_with_one_id_the_first_stands() -> None:
    job, taken = bring(mapping(CUSTOMERS), HEADER + ANN + BEN + ANN + BEN.replace("Ben,", "Bob,"))
    assert job.summary["customers"]["created"] == 2
    assert job.summary["rejected"] == 1
    assert Customer.objects.get(external_id="2").name == "Ben"
    assert refusals(taken) == [
        (
            5,
            "Customer “2” is already in line 3, which says otherwise; that line stands.",
            BEN.replace("Ben,", "Bob,").strip(),
        )
    ]


def test_refused_rows_are_kept_with_line_reason_and_original() -> None:
    text = HEADER + ANN + ",Nobody,,,,\n" + "3,Cid,cid at example,,,\n" + '4,"Dan\n' + "5,Eve,,2024-02-30,,\n" + "6,x\n"
    text += "7,Gus,,,,perhaps\n" + "8,Hal,a@b.c,,,\n"
    job, taken = bring(mapping(CUSTOMERS), text)
    assert refusals(taken) == [
        (3, "Customer id: there is none.", ",Nobody,,,,"),
        (4, "E-mail: “cid at example” is not an e-mail address.", "3,Cid,cid at example,,,"),
        (5, "A quotation mark is opened here and never closed.", '4,"Dan'),
        (6, "Customer since: “2024-02-30” is not a date written as 2011-12-31.", "5,Eve,,2024-02-30,,"),
        (7, "It has 2 values, and the file 6 columns.", "6,x"),
        (8, "Agreed to e-mail: “perhaps” is not “yes” or “no”.", "7,Gus,,,,perhaps"),
    ]
    assert (job.summary["rows"], job.summary["rejected"]) == (8, 6)
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"1", "8"}


def test_running_again_keeps_refused_rows_once() -> None:
    _, taken = bring(mapping(CUSTOMERS), HEADER + ANN + ",Nobody,,,,\n")
    again(taken)
    assert len(refusals(taken)) == 1


def test_a_trial_says_what_would_happen_and_changes_nothing() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN)
    before = versions(locks=False)
    job, taken = bring(mapping(CUSTOMERS), HEADER + ANN.replace("Ann,", "Anna,") + BEN + "x\n", dry_run=True)
    assert job.state == "done"
    assert job.summary["customers"] == {"named": 2, "created": 1, "updated": 1, "unchanged": 0, "removed": 0}
    assert [line for line, *_ in refusals(taken)] == [4]
    assert versions(locks=False) == before


def test_no_file_turns_an_unsubscribe_back() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN + BEN.replace(",,", ",,yes"))
    done(mapping(CUSTOMERS), HEADER + ANN.replace(",yes", ",no"))
    assert done(mapping(CUSTOMERS), HEADER + ANN)["consents"] == 0
    assert Consent.objects.get(customer__external_id="1").state == "withdrawn"
    kinds = Event.objects.filter(customer__external_id="1").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["customer.created", "consent.granted", "consent.withdrawn"]


def test_another_address_lets_the_consent_for_the_old_one_lapse() -> None:
    done(mapping(CUSTOMERS), HEADER + ANN + BEN.replace(",,", ",,yes"))
    done(mapping(CUSTOMERS), HEADER + ANN.replace("ann@", "ANN@").replace(",yes", ","))
    assert Consent.objects.filter(state="granted").count() == 2
    changed = ANN.replace("ann@", "new@").replace(",yes", ",") + BEN.replace("ben@", "b@").replace(",,", ",,yes")
    _, taken = bring(mapping(CUSTOMERS), HEADER + changed)
    assert list(Consent.objects.values_list("customer__external_id", "proof")) == [
        ("2", f"import {taken.pk}: file.csv")
    ]
    assert Event.objects.filter(kind="consent.lapsed").count() == 2


def test_text_messages_are_agreed_to_apart_from_e_mail() -> None:
    fields = {name: {"column": name} for name in ("customer_id", "phone", "consent", "sms_consent")}
    header = "customer_id,phone,consent,sms_consent\n"

    def said(text: str) -> list[tuple[str, str, str]]:
        done(mapping(CUSTOMERS, fields=fields), header + text)
        found = Consent.objects.order_by("customer__external_id", "channel")
        return list(found.values_list("customer__external_id", "channel", "state"))

    mail, texts = ("1", "email", "granted"), ("1", "sms", "granted")
    assert said("1,+49 30 1,yes,yes\n2,55555,,no\n") == [mail, texts, ("2", "sms", "withdrawn")]
    assert said("1,0049 (30) 1,,\n2,66666,,yes\n") == [mail, texts, ("2", "sms", "withdrawn")]
    assert said("1,+49 30 2,,\n") == [mail, ("2", "sms", "withdrawn")]
    assert Event.objects.get(kind="consent.lapsed").payload == {"channel": "sms"}
    assert said("1,,no,yes\n") == [("1", "email", "withdrawn"), texts, ("2", "sms", "withdrawn")]


def test_a_number_is_the_same_in_the_digits_of_any_script() -> None:
    assert consent.has_moved("sms", "٠٠٤٩٣٠١", "٠٠٤٩٣٠٢")
    assert consent.has_moved("sms", "٠٠٤٩٣٠١", "")
    assert not consent.has_moved("sms", "٠٠٤٩٣٠١", "+49 30 1")
    assert not consent.has_moved("sms", "+۴۹ 30 1", "+４９ 30 1")


def test_a_consent_lapses_with_a_file_where_it_would_with_the_form() -> None:
    """Whatever stood there and is in the cells: the rule is written twice, in SQL and in Python."""
    brought = [
        "+49 30 1",
        "0049 (30) 1",
        "0049-30-1",
        "00 49301",
        "04930 1",
        "49301",
        "+0049301",
        "00+49301",
        "++49301",
    ]
    brought += ["+49 30 1 ext. 2", "+49\u200f301", "٠٠٤٩٣٠١", "٠٠٤٩٣٠٢", "+４９ 30 1"]
    stood = [*brought, "ask her", "n/a", "+", "00", "0", ""]
    mails = ["ann@x.example", "ANN@x.example", "ann@X.example", "jörg@x.example", "JÖRG@x.example"]
    places = {f"{was}|{becomes}": (was, becomes, "", "") for was in stood for becomes in brought}
    places |= {f"{was}|{becomes}": ("", "", was, becomes) for was in mails for becomes in mails}
    before = {key: Customer.objects.create(external_id=key, phone=a, email=b) for key, (a, _, b, _) in places.items()}
    for one in before.values():
        for channel in consent.PLACES:
            consent.grant(one.pk, channel, "web", "", NOON)
    fields = {name: {"column": name} for name in ("customer_id", "phone", "email")}
    lines = (f'"{key}","{phone}",{mail}\n' for key, (_, phone, _, mail) in places.items())
    assert done(mapping(CUSTOMERS, fields=fields), "customer_id,phone,email\n" + "".join(lines))["rejected"] == 0
    kept = set(Consent.objects.values_list("customer", "channel"))
    for channel, place in consent.PLACES.items():
        after = dict(Customer.objects.values_list("pk", place))
        lapsed = {one.pk for one in before.values() if consent.has_moved(channel, getattr(one, place), after[one.pk])}
        assert lapsed == {one.pk for one in before.values()} - {pk for pk, of in kept if of == channel}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "The file is empty."),
        (HEADER, "The file has a header line and no rows."),
        ("customer_id,name\n1,Ann\n", "The file has no column email; it has customer_id, name."),
        (HEADER.encode() + b"1,Zo\xeb,,,,\n", "Line 2 is not UTF-8: byte 0xEB at position 5."),
        (HEADER + ",a,,,,\n,b,,,,\n", "None of the 2 rows can be used."),
    ],
)
def test_bad_files_change_nothing(text: str | bytes, error: str) -> None:
    assert error in failed(mapping(CUSTOMERS), text)
    assert not Customer.objects.exists()


def test_whoever_brings_a_file_in_here_does_not_wait_once_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    time = mock.Mock()
    monkeypatch.setattr(imports, "time", time)
    taken = imports.take_in(io.BytesIO((HEADER + ANN).encode()), "file.csv", mapping(CUSTOMERS))
    job = imports.run_here(taken, dry_run=False, tell=lambda *_: None)
    assert (job.state, time.sleep.called) == ("done", False)
