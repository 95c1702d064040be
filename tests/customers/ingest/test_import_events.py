"""Files of what happened: told once, folded and followed like what other systems tell by the API, and taken back."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.events.telling import Report, tell
from customers.ingest import imports, merging_events
from customers.ingest.guess import guess
from customers.ingest.mapping import Mapping, Source
from customers.ingest.undo import judging
from customers.models import Contact, Customer, CustomerFacts, Event, Segment
from customers.records import timeline
from retention.common import clock
from tests.customers.ingest.bringing import CUSTOMERS, again, bring, done, failed, mapping, refusals
from tests.customers.ingest.test_import_others import table, versions
from tests.customers.ingest.test_undo import kept, undo
from tests.customers.router import route

pytestmark = pytest.mark.django_db

EVENTS = """event_id,customer_id,what,kind,occurred_at,payload,plan
e1,acme,Came to the webinar,,2024-05-03T10:00Z,"{""seats"": 3, ""name"": ""other""}",Pro
,acme,,usage,2024-05-04 10:00,,
,acme,Exported,USAGE,2024-05-04 11:00,,Pro
"""


@pytest.fixture
def acme() -> Customer:
    return Customer.objects.create(external_id="acme", name="Acme")


def file(text: str = EVENTS) -> tuple[Mapping, str]:
    """The column `plan` becomes what the event says of it."""
    how, text = table("events", text)
    fields = {name: source for name, source in how.fields.items() if name != "plan"}
    attributes = {"plan": Source("plan")} if "plan" in how.fields else {}
    return replace(how, fields=fields, attributes=attributes), text


def recorded() -> list[tuple[Any, ...]]:
    return list(Event.objects.order_by("occurred_at").values_list("kind", "occurred_at", "payload", "source"))


def test_they_are_recorded_as_what_other_systems_tell(acme: Customer) -> None:
    summary = done(*file())
    assert summary["events"] == {"named": 3, "created": 3, "updated": 0, "removed": 0, "unchanged": 0}
    told = {"seats": 3, "plan": "Pro", "name": "Came to the webinar"}
    assert recorded() == [
        ("reported", datetime(2024, 5, 3, 10, tzinfo=UTC), told, "import"),
        ("usage", datetime(2024, 5, 4, 10, tzinfo=UTC), {}, "import"),
        ("usage", datetime(2024, 5, 4, 11, tzinfo=UTC), {"plan": "Pro", "name": "Exported"}, "import"),
    ]
    assert timeline.told(Event.objects.get(kind="reported"), {}).sentence == "Came to the webinar"


def test_facts_and_segments_follow(acme: Customer) -> None:
    where = [{"field": "payload.seats", "op": "is", "value": "3"}]
    asked = {"field": "events.reported", "op": "at_least", "value": {"times": 1}, "where": where}
    seated = Segment.objects.create(name="Seated", rule={"all": [asked]})
    route()
    at = clock.now() - timedelta(days=1)
    done(*file(EVENTS.replace("2024-05-04 10:00", at.isoformat())))
    route()
    assert CustomerFacts.objects.get().usage_30d == 1
    assert not Event.objects.filter(routed_at=None).exists()
    seated.refresh_from_db()
    assert seated.size == 1


def test_a_file_and_the_api_lead_to_the_same(acme: Customer) -> None:
    """What is folded and shown of a report does not depend on which way it came."""
    at = clock.now() - timedelta(days=1)
    beta = Customer.objects.create(external_id="beta", name="Beta")
    tell([Report(beta.pk, "usage", at, "1", {"plan": "Pro"})])
    done(*file(f"event_id,customer_id,what,kind,occurred_at,payload,plan\n1,acme,,usage,{at.isoformat()},,Pro\n"))
    route()
    ours, theirs = map(dict, CustomerFacts.objects.filter(customer__in=[acme, beta]).order_by("customer").values())
    same = ours.keys() - {"customer_id", "folded_at", "id", "stage_since", "next_edge_at"}
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    first, second = map(dict, Event.objects.filter(kind="usage").order_by("customer").values())
    assert {name for name in first if first[name] != second[name]} == {"id", "customer_id", "source", "recorded_at"}


def test_the_same_file_again_changes_nothing(acme: Customer) -> None:
    done(*file())
    before = versions()
    summary = done(*file())
    assert (summary["events"]["created"], summary["events"]["unchanged"]) == (0, 3)
    assert versions() == before


def test_a_file_that_is_told_twice_is_found_out(acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, what has no reference gets a new key each time."""
    text = merging_events._CREATE.as_string(None)
    assert text.count("told.dedup_key") == 2
    monkeypatch.setattr(merging_events, "_CREATE", text.replace("told.dedup_key", "gen_random_uuid()::text"))
    with pytest.raises(AssertionError):
        test_the_same_file_again_changes_nothing(acme)


def test_under_its_reference_it_is_one_with_what_the_api_told(acme: Customer) -> None:
    tell([Report("acme", "reported", clock.now(), "e1", {"name": "Came"})])
    assert done(*file())["events"] == {"named": 3, "created": 2, "updated": 0, "removed": 0, "unchanged": 1}
    assert Event.objects.get(kind="reported").payload == {"name": "Came"}


def test_rows_that_say_the_same_are_one_event(acme: Customer) -> None:
    rows = EVENTS + EVENTS.split("\n")[2] + "\n" + EVENTS.split("\n")[1] + "\n"
    summary = done(*file(rows))
    assert (summary["rows"], summary["taken"], summary["repeated"]) == (5, 3, 2)
    assert Event.objects.count() == 3


@pytest.mark.parametrize(("policy", "created", "left_out"), [("create", 2, 1), ("update", 0, 2), ("fill", 0, 2)])
def test_policies(acme: Customer, policy: str, created: int, left_out: int) -> None:
    how, text = file()
    done(how, "\n".join(text.split("\n")[:2]) + "\n")
    before = recorded()
    summary = done(replace(how, policy=policy), text.replace("webinar", "talk"))
    assert (summary["events"]["created"], summary["left_out"]) == (created, left_out)
    assert recorded()[:1] == before


def test_a_trial_does_nothing(acme: Customer) -> None:
    job, _ = bring(*file(), dry_run=True)
    assert job.summary["events"]["created"] == 3
    assert not Event.objects.exists()


def test_what_is_taken_back_counts_no_more_and_can_come_again(acme: Customer) -> None:
    at = clock.now() - timedelta(days=1)
    tell([Report("acme", "usage", at, "1", {})])
    _, taken = bring(*file(EVENTS.replace("2024-05-04 10:00", at.isoformat())))
    route()
    assert CustomerFacts.objects.get().usage_30d == 2
    assert undo(taken, dry_run=True).summary["tables"]["events"]["removed"] == 3
    assert undo(taken).summary["tables"]["events"] == {"removed": 3, "changed": 0, "kept": 0}
    route()
    assert CustomerFacts.objects.get().usage_30d == 1
    assert Event.objects.get(kind="import.undone").payload["said"] == "3 × event"
    assert again(taken).state == "done"
    assert Event.objects.filter(kind__in=["usage", "reported"]).count() == 4


def whom_a_file_brought_who_did_something() -> Any:
    _, people = bring(mapping(CUSTOMERS), "customer_id,name,email,joined_at,tags,consent\nacme,Acme,,,,\n")
    _, taken = bring(*file())
    assert undo(people).state == "failed", "the later file is to be taken back first"
    imports.remove(taken)
    return people


def test_whoever_did_something_stays() -> None:
    """Also where the import that told of it is forgotten."""
    people = whom_a_file_brought_who_did_something()
    assert undo(people).error == ""
    assert kept(people) == [("Acme", "Something happened to them after the file came in.")]


def test_one_who_goes_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, what a file told holds nobody."""
    monkeypatch.setattr(judging, "TOLD", ())
    people = whom_a_file_brought_who_did_something()
    undo(people)
    assert not Customer.objects.exists()
    assert not Event.objects.exists()


def test_rows_that_make_no_sense_are_refused_with_the_reason(acme: Customer) -> None:
    said = json.dumps({"a": "x" * 3_000}).replace('"', '""')
    rows = f"""event_id,customer_id,what,kind,occurred_at,payload,plan
1,other,Came,,2024-01-01,,
2,acme,,,2024-01-01,,
3,acme,Came,order.placed,2024-01-01,,
4,acme,Came,,,,
5,acme,Came,,2099-01-01,,
6,acme,Came,,2024-01-01,[1],
7,acme,Came,,2024-01-01,seats,
8,acme,Came,,2024-01-01,"{said}",{"y" * 1_500}
9,acme,Came,,2024-01-01,,
9,acme,Went,,2024-01-01,,
"""
    _, taken = bring(*file(rows))
    assert [(line, reason) for line, reason, _ in refusals(taken)] == [
        (2, "Customer “other” is not there. Bring them in first."),
        (3, "There is neither what happened, nor that it is use of the product."),
        (4, "Kind: “order.placed” is not one of usage, reported."),
        (5, "When: there is none."),
        (6, "When: “2099-01-01” lies in the future."),
        (7, "All it says: “[1]” is not a JSON object of at most 4000 characters."),
        (8, "All it says: “seats” is not a JSON object of at most 4000 characters."),
        (9, "It says more than 4,000 characters."),
        (11, "Event “9” is already in line 10, which says otherwise; that line stands."),
    ]
    assert Event.objects.get().payload == {"name": "Came"}


def test_a_fixed_text_that_is_no_object_refuses_its_rows(acme: Customer) -> None:
    how, text = file()
    fixed = replace(how, fields=how.fields | {"payload": Source(text="seats")})
    assert failed(fixed, text).startswith("None of the 3 rows can be used.")


def test_whose_they_are_is_told_by_an_address(acme: Customer) -> None:
    Contact.objects.create(customer=acme, name="Eva", email="Eva@acme.test")
    how, text = table("events", "email,what,occurred_at\neva@ACME.test,Came,2024-01-01\nx@y.test,Came,2024-01-01\n")
    _, taken = bring(replace(how, match="email"), text)
    assert [reason for _, reason, _ in refusals(taken)] == ["E-mail: nobody here has “x@y.test”. Bring them in first."]
    assert Event.objects.get().customer == acme


def test_a_file_of_them_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("Customer ID,Event,Timestamp,Properties\nacme,Came,2024-01-01T10:00:00Z,{}\n")
    how = guess(path)
    assert (how.kind, sorted(how.fields)) == ("events", ["customer_id", "occurred_at", "payload", "what"])
    path.write_text("id,name,created\n1,Acme,2024-01-01\n")
    assert guess(path).kind == "customers"
