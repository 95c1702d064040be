"""Adding and changing a customer, also when two do it at once."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from customers.models import Channel, Consent, Customer, CustomField, Dirty, Event
from customers.records import consent, editing
from retention.common import clock
from retention.workspace.models import User
from tests.customers.known import customer
from tests.workspace.test_two_at_every_form import Forms

SignIn = Callable[[str], Client]
CHECKED = re.compile(r'name="custom_choices" value="(\w+)"[^>]* checked')
TYPED = {
    "name": "Ada Lovelace",
    "kind": "person",
    "email": "ada@example.test",
    "tags": "vip, math , vip",
    "country": "UK",
}


def opened(client: Client, pk: int) -> str:
    found = re.search(r'name="opened" value="([^"]+)"', client.get(f"/customers/{pk}/edit/").content.decode())
    assert found
    return found[1]


def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    response = client.post("/customers/new/", TYPED)
    ada = Customer.objects.get()
    assert response["Location"] == f"/customers/{ada.pk}/"
    assert (ada.name, ada.tags, ada.source) == ("Ada Lovelace", ["vip", "math"], "web")
    assert ada.external_id
    assert list(Event.objects.values_list("kind", "dedup_key")) == [("customer.created", "created")]
    said = {**TYPED, "name": "Ada King", "external_id": "ada-1", "opened": opened(client, ada.pk)}
    assert client.post(f"/customers/{ada.pk}/edit/", said).status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.external_id) == ("Ada King", "ada-1")
    assert Dirty.objects.filter(customer=ada).exists()
    page = client.get(f"/customers/{ada.pk}/").content.decode()
    assert "account_manager@example.test changed external id, name" in page
    again = {**said, "opened": opened(client, ada.pk)}
    assert client.post(f"/customers/{ada.pk}/edit/", again).status_code == 302
    assert Event.objects.filter(kind="customer.edited").count() == 1, "what changes nothing is no event"


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"name": "", "email": ""}, "name", "so that the customer can be found again"),
        ({"email": "nope"}, "email", "valid email"),
        ({"external_id": "taken"}, "external_id", "already exists"),
        ({"tags": "vip," + "x" * 51}, "tags", "“xxxxxxxxxxxxxxxxxxxx…” has 51"),
        ({"tags": ",".join(map(str, range(31)))}, "tags", "can be given 30 tags, these are 31"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
    said: dict[str, str], field: str, words: str, signed_in: SignIn
) -> None:
    customer("taken")
    page = signed_in("account_manager").post("/customers/new/", {**TYPED, **said}).content.decode()
    assert f'id="id_{field}_error"' in page
    assert words in page
    assert 'value="UK"' in page
    assert Customer.objects.count() == 1


def test_who_has_more_tags_than_can_be_given_keeps_them(signed_in: SignIn) -> None:
    """Files and merges bring any number of them."""
    ada = customer("ada", name="Ada", tags=[str(each) for each in range(40)])
    client = signed_in("account_manager")
    said = {**TYPED, "external_id": "ada", "tags": ",".join(ada.tags), "opened": opened(client, ada.pk)}
    assert client.post(f"/customers/{ada.pk}/edit/", said).status_code == 302
    ada.refresh_from_db()
    assert (ada.country, len(ada.tags)) == ("UK", 40)


def test_the_second_of_two_editors_is_told_and_loses_nothing(signed_in: SignIn) -> None:
    ada = customer("ada", name="Ada", country="Malta")
    first, second = signed_in("account_manager"), signed_in("administrator")
    form = {"kind": "person", "external_id": "ada", "name": "Ada", "country": "Malta"}
    by_first = {**form, "name": "Ada Byron", "country": "Chad", "opened": opened(first, ada.pk)}
    by_second = {**form, "name": "Ada King", "phone": "55555", "opened": opened(second, ada.pk)}
    assert first.post(f"/customers/{ada.pk}/edit/", by_first).status_code == 302
    response = second.post(f"/customers/{ada.pk}/edit/", by_second)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Somebody else saved this customer" in page
    assert "<td>Ada Byron</td><td>Ada King</td>" in page
    assert 'value="Ada King"' in page
    assert 'value="55555"' in page
    ada.refresh_from_db()
    assert (ada.name, ada.country) == ("Ada Byron", "Chad")
    again = re.search(r'name="opened" value="([^"]+)"', page)
    assert again
    assert second.post(f"/customers/{ada.pk}/edit/", {**by_second, "opened": again[1]}).status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.country, ada.phone) == ("Ada King", "Malta", "55555")


def test_what_only_the_first_changed_stands_in_the_seconds_form(signed_in: SignIn) -> None:
    """One of each kind of field that the second did not touch, as the first saved it."""
    for number, kind in enumerate(("choice", "choices", "number", "date")):
        choices = ["Gold", "Free", "Old"] if kind.startswith("choice") else []
        CustomField.objects.create(key=kind, label=kind, type=kind, choices=choices, position=number)
    had = {"choice": "Free", "choices": ["Free"], "number": 1, "date": "2026-01-02"}
    ada = customer("ada", name="Ada", country="Malta", is_key_account=True, tags=["old"], attributes=had)
    url, first, second = f"/customers/{ada.pk}/edit/", signed_in("account_manager"), signed_in("administrator")
    (form,) = [each for each in Forms(second.get(url).content.decode()).found if "external_id" in each.fields]
    theirs: dict[str, Any] = {
        "country": "Chad",
        "tags": "new, newer",
        "custom_choice": "Gold",
        "custom_choices": ["Gold", "Old"],
    }
    theirs |= {"custom_number": "2.5", "custom_date": "2026-03-04", "owner": User.objects.all()[0].pk}
    by_first = {name: value for name, value in (form.fields | theirs).items() if name != "is_key_account"}
    assert first.post(url, by_first).status_code == 302
    page = second.post(url, form.fields | {"phone": "55555"}).content.decode()
    assert "They changed other fields than you" in page
    assert "They saved" not in page
    (again,) = [each for each in Forms(page).found if "external_id" in each.fields]
    assert second.post(url, again.fields | {"custom_choices": CHECKED.findall(page)}).status_code == 302
    ada.refresh_from_db()
    assert (ada.country, ada.is_key_account, ada.tags, ada.phone) == ("Chad", False, ["new", "newer"], "55555")
    assert ada.owner == User.objects.all()[0]
    assert ada.attributes == {"choice": "Gold", "choices": ["Gold", "Old"], "number": 2.5, "date": "2026-03-04"}


@pytest.mark.parametrize("stamp", ["", "yesterday", "2020-01-01T00:00:00+00:00"])
def test_a_form_without_its_stamp_overwrites_nothing(stamp: str, signed_in: SignIn) -> None:
    ada = customer("ada")
    said = {"kind": "person", "external_id": "ada", "name": "Eve", "opened": stamp}
    assert signed_in("account_manager").post(f"/customers/{ada.pk}/edit/", said).status_code in (200, 409)
    ada.refresh_from_db()
    assert ada.name == "Ada"


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_the_same_moment_one_wins() -> None:
    ada, anna = customer("ada"), User.objects.create_user("anna@example.test")
    barrier, told = threading.Barrier(2), []

    def save(name: str) -> None:
        values: dict[str, Any] = {"name": name}
        barrier.wait()
        try:
            editing.change(ada.pk, values, ada.updated_at, by=anna)
        except editing.ChangedMeanwhile as other:
            told.append(other.stands.name)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=[name]) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ada.refresh_from_db()
    assert told == [ada.name]


def test_an_address_that_another_customer_has_is_asked_about(signed_in: SignIn) -> None:
    other = customer("other", email="ADA@example.test")
    client = signed_in("account_manager")
    assert "They share this address" not in client.get("/customers/new/").content.decode()
    page = client.post("/customers/new/", TYPED).content.decode()
    assert f'<a href="/customers/{other.pk}/">{other}</a> has this address already' in page
    assert "They share this address" in page
    assert Customer.objects.count() == 1
    assert client.post("/customers/new/", TYPED | {"shared_email": "on"}).status_code == 302
    ada = Customer.objects.exclude(pk=other.pk).get()
    same = {**TYPED, "name": "Ada King", "external_id": ada.external_id, "opened": opened(client, ada.pk)}
    assert client.post(f"/customers/{ada.pk}/edit/", same).status_code == 302


def test_a_consent_to_text_messages_does_not_go_over_to_another_number(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    client.post("/customers/new/", {**TYPED, "phone": "+49 30 1"})
    ada = Customer.objects.get()
    consent.grant(ada.pk, Channel.EMAIL, "web", "", clock.now())
    consent.grant(ada.pk, Channel.SMS, "web", "", clock.now())
    for number, left in (("+49 (30) 1", ["email", "sms"]), ("+49 30 2", ["email"])):
        said = {**TYPED, "phone": number, "external_id": ada.external_id, "opened": opened(client, ada.pk)}
        assert client.post(f"/customers/{ada.pk}/edit/", said).status_code == 302
        assert list(ada.consents.order_by("channel").values_list("channel", flat=True)) == left
    assert "Consent to messages by text message lapsed" in client.get(f"/customers/{ada.pk}/").content.decode()


def test_a_consent_does_not_go_over_to_another_address(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    client.post("/customers/new/", TYPED)
    ada = Customer.objects.get()
    consent.grant(ada.pk, Channel.EMAIL, "web", "", clock.now())

    def save(email: str) -> None:
        said = {**TYPED, "email": email, "external_id": ada.external_id, "opened": opened(client, ada.pk)}
        assert client.post(f"/customers/{ada.pk}/edit/", said).status_code == 302

    save("Ada@EXAMPLE.test")
    assert ada.consents.get().state == Consent.State.GRANTED
    save("other@example.test")
    assert not ada.consents.exists()
    assert Event.objects.filter(customer=ada, kind="consent.lapsed").count() == 1
    assert (
        "Consent to messages by e-mail lapsed with the address" in client.get(f"/customers/{ada.pk}/").content.decode()
    )
    consent.withdraw(ada.pk, Channel.EMAIL, "web", "", clock.now())
    save("third@example.test")
    assert ada.consents.get().state == Consent.State.WITHDRAWN


@pytest.mark.parametrize(
    ("country", "taken"), [("Espagne!", False), ("C0", False), ("Côte d'Ivoire", True), ("", True)]
)
def test_a_country_is_written_in_letters(signed_in: SignIn, country: str, taken: bool) -> None:
    response = signed_in("account_manager").post("/customers/new/", TYPED | {"country": country})
    assert (response.status_code == 302) == taken
    assert taken or "Give the name of a country" in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        ("German", "de", "German"),
        ("deutsch", "de", "German"),
        ("de", "de", "German"),
        ("brazilian portuguese", "pt-br", "Brazilian Portuguese"),
        ("de-AT", "de-AT", "de-AT"),
        ("Klingon", "Klingon", "Klingon"),
    ],
)
def test_a_language_is_typed_by_its_name_and_kept_by_its_code(
    signed_in: SignIn, typed: str, kept: str, shown: str
) -> None:
    """Segments and texts ask for the code; the page says the name, so that a name is what people type."""
    client = signed_in("account_manager")
    client.post("/customers/new/", TYPED | {"language": typed})
    ada = Customer.objects.get()
    assert ada.language == kept
    page = client.get(f"/customers/{ada.pk}/edit/").content.decode()
    assert f'name="language" value="{shown}"' in page
    said = TYPED | {"external_id": "ada", "language": shown, "opened": opened(client, ada.pk)}
    assert client.post(f"/customers/{ada.pk}/edit/", said).status_code == 302
    ada.refresh_from_db()
    assert ada.language == kept, "what was not touched is as it was"
