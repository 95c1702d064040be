"""Contacts, interactions, tasks, cases, subscriptions, products and segments by the API: what is refused, and why."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from customers.models import (
    Case,
    Contact,
    Event,
    Milestone,
    Product,
    Segment,
    SegmentMembership,
    Subscription,
    SubscriptionTerm,
    SuccessPlan,
    Task,
)
from loyalty.models.offers import Offer
from retention.common import clock
from tests.api.program import Program, a_key, a_person, places
from tests.api.writes import WRITES
from tests.customers.custom.defining import a_field
from tests.customers.known import customer
from tests.customers.subscribing import subscription


def kinds(pk: int) -> list[str]:
    return list(Event.objects.filter(customer=pk).order_by("pk").values_list("kind", flat=True))


def day(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


def test_contacts_keep_to_the_form(program: Program) -> None:
    ada = customer("ada")
    a_field("badge", "number", about="contact")
    url = f"customers/{ada.pk}/contacts/"
    eve = program.post(
        url, {"name": "Eve", "email": "eve@example.test", "is_main": True, "custom": {"badge": 7}}
    ).json()
    assert (eve["custom"], eve["is_main"]) == ({"badge": 7}, True)
    assert "has this address" in places(program.post(url, {"email": "EVE@example.test"}))["#/email"]
    assert "Give a name" in places(program.post(url, {"role": "Buyer"}))["#/name"]
    here = f"contacts/{eve['id']}/"
    changed = program.patch(here, {"role": "Buyer"}, eve["version"]).json()
    assert (changed["role"], changed["name"], changed["custom"]) == ("Buyer", "Eve", {"badge": 7})
    assert program.patch(here, {"role": "Boss"}, eve["version"]).status_code == 412
    said = {"channel": "phone", "state": "granted", "source": "Call"}
    assert "proves" in places(program.post(f"{here}consents/", said))["#/proof"]
    assert program.post(f"{here}consents/", said | {"proof": "Tape"}).json()["consents"][0]["state"] == "granted"
    assert program.delete(here, eve["version"]).status_code == 412
    assert program.delete(here).status_code == 204
    assert program.get(here).status_code == program.delete(here).status_code == 404
    assert kinds(ada.pk) == ["contact.added", "contact.agreed", "contact.removed"]


def test_the_last_of_name_and_address_stays(program: Program) -> None:
    only = Contact.objects.create(customer=customer("ada"), email="eve@example.test")
    assert list(places(program.patch(f"contacts/{only.pk}/", {"email": ""}))) == ["#/email"]


def test_only_the_author_changes_an_interaction(program: Program) -> None:
    ada = customer("ada")
    _, talked = WRITES["post_interactions"]
    made = program.post(f"customers/{ada.pk}/interactions/", talked | {"next_step": "Call", "next_on": day(3)}).json()
    assert (made["author"], Task.objects.get().origin) == (a_person().pk, f"interaction:{made['id']}")
    other = Program(a_key(name="other", person=a_person("account_manager")))
    here = f"interactions/{made['id']}/"
    assert other.patch(here, {"text": "x"}).status_code == other.delete(here).status_code == 403
    assert program.patch(here, {"text": "They stay."}, made["version"]).json()["text"] == "They stay."
    assert program.patch(here, {"text": "No."}, made["version"]).status_code == 412
    assert program.delete(here, made["version"]).status_code == 412
    future = program.post(f"customers/{ada.pk}/interactions/", talked | {"happened_at": "2199-01-01T00:00:00Z"})
    assert "not happened yet" in places(future)["#/happened_at"]


def test_tasks_are_done_once_and_taken_back_by_whoever_did_them(program: Program) -> None:
    ada = customer("ada")
    made = program.post(
        f"customers/{ada.pk}/tasks/", {"title": "Call", "due": day(2), "assignee": a_person().pk}
    ).json()
    acts = f"tasks/{made['id']}/acts/"
    assert list(places(program.post(acts, {"act": "assign"}))) == ["#/assignee"]
    assert program.post(acts, {"act": "assign", "assignee": None}).json()["assignee"] is None
    assert program.post(acts, {"act": "done"}).json()["state"] == "done"
    assert program.post(acts, {"act": "snooze-1"}).status_code == 409
    other = Program(a_key(name="other", person=a_person("account_manager")))
    assert other.post(acts, {"act": "undo"}).status_code == 409
    assert program.post(acts, {"act": "undo"}).json()["state"] == "open"
    assert [each["id"] for each in program.get("tasks/", state="open", assignee="none").json()["results"]] == [
        made["id"]
    ]
    assert program.get("tasks/", state="opne").status_code == 400
    assert "over" in places(program.post(f"customers/{ada.pk}/tasks/", {"title": "x", "due": "2020-01-01"}))["#/due"]


def test_cases_go_their_way(program: Program) -> None:
    ada = customer("ada")
    case = program.post(f"customers/{ada.pk}/cases/", {"subject": "Late"}).json()
    acts = f"cases/{case['id']}/acts/"
    refused = program.post(acts, {"act": "rate", "rating": 4})
    assert (refused.status_code, refused.json()["detail"]) == (409, "A case is rated once it is resolved.")
    assert "1 to 5" in places(program.post(acts, {"act": "rate"}))["#/rating"]
    program.post(acts, {"act": "resolve"})
    assert program.post(acts, {"act": "rate", "rating": 4}).json()["rating"] == 4
    assert program.patch(f"cases/{case['id']}/", {"subject": "x"}, case["version"]).status_code == 412
    assert Case.objects.get().subject == "Late"
    assert program.get("cases/").json()["results"] == []
    assert len(program.get("cases/", state="resolved").json()["results"]) == 1
    assert program.get("cases/", state="gone").status_code == 400


def test_what_is_agreed_on_a_subscription_becomes_terms(program: Program) -> None:
    ada = customer("ada")
    url = f"customers/{ada.pk}/subscriptions/"
    made = program.post(url, {"plan": "Pro", "amount": "100", "quantity": 5, "external_id": "b-1"}).json()
    assert (made["state"], made["terms"][0]["mrr"]) == ("running", "100.0000000000")
    assert (
        "has this id" in places(program.post(url, {"plan": "Pro", "amount": 1, "external_id": "b-1"}))["#/external_id"]
    )
    here = f"subscriptions/{made['id']}/"
    assert program.post(f"{here}change/", {"quantity": 8}).status_code == 428
    changed = program.post(f"{here}change/", {"amount": "160", "day": day(5)}, If_Match=made["version"]).json()
    assert [each["amount"] for each in changed["terms"]] == ["100.0000", "160.0000"]
    assert [each["quantity"] for each in changed["terms"]] == [5, 5]
    late = program.post(f"{here}cancellation/", {"day": day(9), "reason": "Dear"}, If_Match=made["version"])
    assert (late.status_code, late.json()["current"]["version"]) == (412, changed["version"])
    over = program.post(f"{here}cancellation/", {"day": day(9), "reason": "Dear"}, If_Match="*").json()
    assert (over["state"], over["cancel_reason"]) == ("ending", "Dear")
    again = program.post(f"{here}cancellation/", {"day": day(9), "reason": "Dear"}, If_Match="*")
    assert (again.status_code, "Resume it first" in again.json()["detail"]) == (409, True)
    assert program.post(f"{here}resumption/", {"day": day(0)}, If_Match="*").json()["state"] == "running"
    assert SubscriptionTerm.objects.count() == 2
    assert kinds(ada.pk) == [f"subscription.{what}" for what in ("started", "changed", "cancelled", "resumed")]


def test_a_change_of_a_product_leaves_the_rest(program: Program) -> None:
    bell, clapper = (Product.objects.create(sku=sku, name=sku, currency="") for sku in ("bell", "clapper"))
    bell.goes_with.add(clapper)
    here = f"products/{bell.pk}/"
    said = program.patch(here, {"price": "9.50"}).json()
    assert (said["price"], said["companions"], said["name"]) == ("9.5000", ["clapper"], "bell")
    assert "itself" in places(program.patch(here, {"companions": ["bell"]}))["#/companions"]
    assert "nope" in places(program.patch(here, {"upgrades": ["nope"]}))["#/upgrades"]
    assert list(places(program.post("products/", {"sku": "bell", "name": "Again"}))) == ["#/sku"]
    assert [each["sku"] for each in program.get("products/", q="clap").json()["results"]] == ["clapper"]


def test_who_was_in_a_segment_when_and_why(program: Program) -> None:
    ada, ben = customer("ada", country="Malta"), customer("ben")
    rule = {"field": "country", "op": "is", "value": "Malta"}
    segment = Segment.objects.create(name="Malta", rule={"all": [rule]})
    now = clock.now()
    SegmentMembership.objects.create(segment=segment, customer=ada, entered_at=now)
    stay = {"entered_at": now - timedelta(days=9), "left_at": now - timedelta(days=3)}
    SegmentMembership.objects.create(segment=segment, customer=ben, **stay)

    def members(**said: Any) -> list[int]:
        return [each["customer"] for each in program.get(f"segments/{segment.pk}/members/", **said).json()["results"]]

    assert members() == [ada.pk]
    assert members(at=(now - timedelta(days=5)).isoformat()) == [ben.pk]
    assert program.get(f"segments/{segment.pk}/members/", at="yesterday").status_code == 400
    why = program.get(f"segments/{segment.pk}/customers/{ben.pk}/").json()
    assert (why["is_in"], why["finding"]["met"]) == (False, False)
    assert "Malta" in why["finding"]["parts"][0]["text"]


@pytest.mark.parametrize("name", ["contacts", "interactions", "cases", "subscriptions", "orders", "events", "health"])
def test_nothing_belongs_to_a_customer_who_is_not_there(name: str, program: Program) -> None:
    for number in (5, 2**70):
        assert program.get(f"customers/{number}/{name}/").status_code == 404


def test_files_go_with_an_interaction_within_the_same_limits(
    program: Program, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    made = program.post(f"customers/{customer('ada').pk}/interactions/", WRITES["post_interactions"][1]).json()
    url = f"interactions/{made['id']}/attachments/"
    pdf = base64.b64encode(b"%PDF-1.7 terms").decode()
    kept = program.post(url, {"name": "../../terms.pdf", "content": pdf}).json()
    assert (kept["name"], kept["kind"], kept["size"]) == ("terms.pdf", "application/pdf", 14)
    assert program.get(f"attachments/{kept['id']}/").json()["content"] == pdf
    assert program.get(f"interactions/{made['id']}/").json()["version"] != made["version"]
    for content, why in (
        ("%%%", "no base64"),
        ("", "blank"),
        (base64.b64encode(b"MZ\0\1").decode(), "no file of a kind"),
    ):
        assert why in places(program.post(url, {"name": "x", "content": content}))["#/content"]
    for _ in range(4):
        assert program.post(url, {"name": "more.pdf", "content": pdf}).status_code == 201
    assert "At most 5" in places(program.post(url, {"name": "x.pdf", "content": pdf}))["#/content"]
    large = base64.b64encode(b"%PDF-" + bytes(10 * 1024 * 1024)).decode()
    assert "at most 10 MB" in places(program.post(url, {"name": "x.pdf", "content": large}))["#/content"]
    assert program.post(url, {"name": "x.pdf", "content": large * 2}).status_code == 413
    other = Program(a_key(name="other", person=a_person("account_manager")))
    assert other.post(url, {"name": "x.pdf", "content": pdf}).status_code == 403
    program.delete(f"interactions/{made['id']}/")
    assert program.get(f"attachments/{kept['id']}/").status_code == program.get(url).status_code == 404


def test_renewals_are_narrowed_as_the_board_is(program: Program) -> None:
    soon = clock.now() + timedelta(days=20)
    row = subscription(customer("ada"), clock.now() - timedelta(days=300), None)
    Subscription.objects.filter(pk=row.pk).update(renews_at=soon, auto_renews=False)
    (found,) = program.get("renewals/").json()["results"]
    assert (found["subscription"], found["customer"], found["forecast"]) == (
        row.pk,
        row.customer_id,
        found["suggested"],
    )
    assert program.get("renewals/", whose="nobodys").json()["results"] == [found]
    assert program.get("renewals/", whose="mine").json()["results"] == []
    assert list(places(program.get("renewals/", month="soon"))) == ["?month"]


def test_plans_and_offers_are_told_by_their_state(program: Program) -> None:
    ada = customer("ada")
    plan = SuccessPlan.objects.create(customer=ada, title="Go live")
    Milestone.objects.create(plan=plan, title="Trained", due_on=clock.now().date())
    kept = {"customer": ada, "kind": "credit", "amount": 10, "cost": 10, "currency": "EUR", "formula": "10"}
    offer = Offer.objects.create(**kept, reason="price", state="asked", asked_by=a_person())
    assert program.get("plans/", state="draft").json()["results"][0]["milestones"][0]["title"] == "Trained"
    assert program.get(f"customers/{ada.pk}/plans/", state="agreed").json()["results"] == []
    assert program.get("offers/", state="asked").json()["results"][0]["cost"] == "10.0000"
    assert program.get(f"customers/{ada.pk}/offers/", state="granted").json()["results"] == []
    assert (
        list(places(program.get("plans/", state="x"))) == list(places(program.get("offers/", state="x"))) == ["?state"]
    )
    assert program.get(f"plans/{plan.pk}/").json()["title"] == "Go live"
    assert program.get(f"offers/{offer.pk}/").json()["kind"] == "credit"
