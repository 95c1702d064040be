"""The people at a customer: added, changed, removed and brought back by hand; what they agreed to."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from customers.contacts import consent, editing
from customers.models import Contact, ContactConsent, Customer, Event
from retention.common import clock
from tests.baseline import assert_query_count
from tests.customers.custom.defining import a_field
from tests.customers.known import customer

SignIn = Callable[[str], Client]
ADA: dict[str, Any] = {
    "name": "Ada Lovelace", "role": "Head of computing", "email": "ada@acme.example", "phone": "+44 20 7946",
    "language": "en", "time_zone": "Europe/London", "birthday": "1815-12-10", "is_main": "on",
}  # fmt: skip


def values(name: str, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("role", "email", "phone", "language", "time_zone"), "")
    return {"name": name, **nothing, "birthday": None, "is_main": False, **more}


def person(at: Customer, name: str, **more: Any) -> Contact:
    return editing.add(at.pk, values(name, **more), {})


def told(at: Customer) -> list[tuple[str, str]]:
    return [(row.kind, row.payload["name"]) for row in Event.objects.filter(customer=at).order_by("id")]


def opened(client: Client, contact: Contact) -> str:
    page = client.get(f"/customers/people/{contact.pk}/").content.decode()
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found
    return found[1]


def test_it_works(signed_in: SignIn) -> None:
    acme, client = customer("acme", kind="company"), signed_in("account_manager")
    assert "Nobody yet" in client.get(f"/customers/{acme.pk}/people/").content.decode()
    assert "checked" in client.get(f"/customers/{acme.pk}/people/new/").content.decode()  # the first is the main one
    assert client.post(f"/customers/{acme.pk}/people/new/", {**ADA, "birthday": "1915-12-10"}).status_code == 302
    ada = Contact.objects.get()
    assert (ada.name, ada.email, ada.is_main, str(ada.birthday)) == ("Ada Lovelace", ADA["email"], True, "1915-12-10")
    panel = client.get(f"/customers/{acme.pk}/people/", headers={"HX-Request": "true"}).content.decode()
    for words in ("Ada Lovelace", "main contact", "Head of computing", "mailto:ada@acme.example", "born 10 Dec 1915"):
        assert words in panel
    said = {**ADA, "birthday": "", "role": "Countess", "opened": opened(client, ada)}
    assert client.post(f"/customers/people/{ada.pk}/", said).status_code == 302
    ada.refresh_from_db()
    assert (ada.role, ada.birthday) == ("Countess", None)
    response = client.post(f"/customers/people/{ada.pk}/remove/", follow=True)
    assert "Undo" in response.content.decode()
    assert client.get(f"/customers/people/{ada.pk}/").status_code == 404
    assert "Ada" not in client.get(f"/customers/{acme.pk}/people/").content.decode()
    client.post(f"/customers/people/{ada.pk}/restore/")
    assert "Ada" in client.get(f"/customers/{acme.pk}/people/").content.decode()
    assert told(acme) == [
        ("contact.added", "Ada Lovelace"),
        ("contact.removed", "Ada Lovelace"),
        ("contact.added", "Ada Lovelace"),
    ]
    assert "Ada Lovelace was added to the people" in client.get(f"/customers/{acme.pk}/?show=People").content.decode()


@pytest.mark.parametrize("role", ["analyst", "marketer"])
def test_who_may_not_edit_reads_only(role: str, signed_in: SignIn) -> None:
    acme = customer("acme")
    ada, client = person(acme, "Ada"), signed_in(role)
    page = client.get(f"/customers/{acme.pk}/people/").content.decode()
    assert "Ada" in page
    assert "Edit" not in page
    assert "Add a person" not in page
    for url in (f"{acme.pk}/people/new", f"people/{ada.pk}"):
        assert client.get(f"/customers/{url}/").status_code == 403
        assert client.post(f"/customers/{url}/", ADA).status_code == 403
    for act in ("remove", "restore", "consent"):
        assert client.post(f"/customers/people/{ada.pk}/{act}/").status_code == 403
    assert Client().get(f"/customers/{acme.pk}/people/").status_code == 302


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"name": "", "email": ""}, "name", "Give a name or an e-mail address."),
        ({"email": "nope"}, "email", "valid email"),
        ({"email": "BOB@acme.example"}, "email", "Bob has this address."),
        ({"birthday": "2100-01-01"}, "birthday", "Give a day in the past."),
        ({"custom_floor": "high"}, "custom_floor", "Enter a number"),
    ],
)
def test_a_mistake_is_told_beside_its_field(said: dict[str, str], field: str, words: str, signed_in: SignIn) -> None:
    acme = customer("acme")
    person(acme, "Bob", email="bob@acme.example")
    a_field("floor", "number", about="contact")
    typed = {**ADA, "birthday": "", **said}
    page = signed_in("account_manager").post(f"/customers/{acme.pk}/people/new/", typed).content.decode()
    assert f'id="id_{field}_error"' in page
    assert words in page
    assert 'value="Head of computing"' in page
    assert Contact.objects.count() == 1


def test_custom_fields_of_contacts(signed_in: SignIn) -> None:
    a_field("floor", "number", about="contact")
    a_field("floor", "text")  # the same key about customers is another field
    acme, client = customer("acme"), signed_in("account_manager")
    client.post(f"/customers/{acme.pk}/people/new/", {**ADA, "birthday": "", "custom_floor": "3"})
    ada = Contact.objects.get()
    assert ada.attributes == {"floor": 3}
    assert "<dt>Floor</dt><dd>" in client.get(f"/customers/{acme.pk}/people/").content.decode()
    with pytest.raises(IntegrityError, match="cannot be"), transaction.atomic():
        Contact.objects.filter(pk=ada.pk).update(attributes={"floor": "third"})


def test_the_second_of_two_editors_is_told_and_loses_nothing(signed_in: SignIn) -> None:
    ada = person(customer("acme"), "Ada", role="Countess")
    first, second = signed_in("account_manager"), signed_in("administrator")
    by_first = {"name": "Ada", "role": "Analyst", "opened": opened(first, ada)}
    by_second = {"name": "Ada King", "role": "Poet", "opened": opened(second, ada)}
    assert first.post(f"/customers/people/{ada.pk}/", by_first).status_code == 302
    response = second.post(f"/customers/people/{ada.pk}/", by_second)
    page = response.content.decode()
    assert response.status_code == 409
    assert "<td>Analyst</td><td>Poet</td>" in page
    assert page.count("<td>") == 2
    assert 'value="Ada King"' in page
    ada.refresh_from_db()
    assert (ada.name, ada.role) == ("Ada", "Analyst")
    again = re.search(r'name="opened" value="([^"]+)"', page)
    assert again
    assert second.post(f"/customers/people/{ada.pk}/", {**by_second, "opened": again[1]}).status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.role) == ("Ada King", "Poet")


@pytest.mark.django_db
def test_the_main_contact_is_one() -> None:
    acme = customer("acme")
    ada, bob = person(acme, "Ada", is_main=True), person(acme, "Bob", is_main=True)
    ada.refresh_from_db()
    assert (ada.is_main, bob.is_main) == (False, True)
    editing.remove(bob)
    cyd = person(acme, "Cyd", is_main=True)
    editing.restore(bob)
    bob.refresh_from_db()
    assert (bob.is_main, cyd.is_main) == (False, True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=ada.pk).update(is_main=True)


@pytest.mark.django_db
def test_whoever_comes_back_comes_with_what_they_withdrew() -> None:
    acme, now = customer("acme"), clock.now()
    ada = person(acme, "Ada", email="ada@acme.example")
    consent.grant(ada, "email", "fair", "card 7", now)
    consent.withdraw(ada, "email", "phone", "", now + timedelta(days=1))
    editing.remove(ada)
    again = person(acme, "Ada L.", email="ADA@acme.example")
    assert (again.pk, again.name, again.removed_at) == (ada.pk, "Ada L.", None)
    assert ContactConsent.objects.get(contact=again).state == "withdrawn"


@pytest.mark.django_db
def test_what_is_older_or_says_nothing_new_changes_no_consent() -> None:
    ada, now = person(customer("acme"), "Ada"), clock.now()
    consent.withdraw(ada, "phone", "call", "", now)
    consent.grant(ada, "phone", "old form", "7", now - timedelta(days=1))
    consent.withdraw(ada, "phone", "again", "", now + timedelta(days=1))
    stands = ContactConsent.objects.get()
    assert (stands.state, stands.source) == ("withdrawn", "call")
    assert [row.kind for row in Event.objects.filter(kind__startswith="contact.w")] == ["contact.withdrew"]


def test_consent_is_kept_with_source_and_proof(signed_in: SignIn) -> None:
    ada, client = person(customer("acme"), "Ada"), signed_in("account_manager")
    url = f"/customers/people/{ada.pk}/consent/"
    said = {"channel": "phone", "state": "granted", "source": "Trade fair"}
    response = client.post(url, said)
    assert response.status_code == 422
    assert "An agreement needs something that proves it." in response.content.decode()
    assert 'value="Trade fair"' in response.content.decode()
    assert client.post(url, {**said, "proof": "Card 17"}).status_code == 302
    page = client.get(f"/customers/people/{ada.pk}/").content.decode()
    assert "Phone: Agreed" in page
    assert "Trade fair, Card 17" in page
    client.post(url, {"channel": "phone", "state": "withdrawn", "source": "Call"})
    assert ContactConsent.objects.get().state == "withdrawn"
    assert [kind for kind, _ in told(ada.customer)][1:] == ["contact.agreed", "contact.withdrew"]
    assert "Ada opted out of phone calls" in client.get(f"/customers/{ada.customer_id}/").content.decode()
    assert (
        "Trade fair, Card 17" in client.get(f"/customers/{ada.customer_id}/").content.decode()
    )  # though withdrawn since


@pytest.mark.parametrize(
    ("becomes", "left"),
    [
        ({"email": "ADA@acme.example", "phone": "0049 (30) 1"}, ["email", "phone", "post", "sms"]),
        ({"email": "eve@acme.example"}, ["phone", "post", "sms"]),
        ({"phone": "+49 30 2"}, ["email", "post"]),
    ],
)
def test_who_agreed_at_an_address_or_number_did_not_agree_for_another(
    becomes: dict[str, str], left: list[str], signed_in: SignIn
) -> None:
    client = signed_in("account_manager")
    ada = person(customer("acme"), "Ada", email="ada@acme.example", phone="+49 30 1")
    for channel in ContactConsent.Channel:
        consent.grant(ada, channel, "fair", "card 7", clock.now())
    url = f"/customers/people/{ada.pk}/"
    said = {name: value or "" for name, value in client.get(url).context["form"].initial.items() if name != "is_main"}
    assert client.post(url, said | becomes).status_code == 302
    assert list(ContactConsent.objects.order_by("channel").values_list("channel", flat=True)) == left
    lapsed = Event.objects.filter(kind="contact.lapsed").values_list("payload__channel", flat=True)
    assert sorted([*left, *lapsed]) == ["email", "phone", "post", "sms"]


@pytest.mark.django_db
def test_who_opted_out_has_opted_out_wherever_they_are_reached() -> None:
    ada = person(customer("acme"), "Ada", email="ada@acme.example")
    consent.withdraw(ada, "email", "call", "", clock.now())
    editing.change(ada, values("Ada", email="eve@acme.example"), {}, ada.updated_at)
    assert ContactConsent.objects.get().state == "withdrawn"


def test_the_search_finds_people(signed_in: SignIn) -> None:
    acme = customer("acme", name="Acme")
    person(acme, "Ada Lovelace", role="Countess", email="ada@home.example")
    editing.remove(person(acme, "Lovelace the Elder"))
    page = signed_in("analyst").get("/search/?q=lovel").content.decode()
    assert "Ada <mark>Lovel</mark>ace" in page
    assert "Countess, Acme" in page
    assert "Elder" not in page
    assert "Ada Lovelace" in signed_in("analyst").get("/search/?q=home.exam").content.decode()


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    acme = customer("acme")
    a_field("floor", "number", about="contact")
    for n in range(5):
        consent.grant(person(acme, f"Person {n}"), "email", "form", "7", clock.now())
    client = signed_in("account_manager")
    assert_query_count("people of a customer", client, f"/customers/{acme.pk}/people/")
    assert_query_count("contact", client, f"/customers/people/{Contact.objects.first().pk}/")  # type: ignore[union-attr]
