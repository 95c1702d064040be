"""Custom fields at work: the form and the page, the list and its export, a file, the text of a campaign."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from campaigns.previewing import preview
from campaigns.rendering.sandbox import Texts
from campaigns.rendering.variables import catalogue
from customers.custom.definitions import archive
from customers.ingest.guess import guess
from customers.models import Customer, CustomField
from retention.workspace.models import Job
from tests.baseline import assert_query_count
from tests.customers.custom.defining import a_field, one_of_each
from tests.customers.ingest.bringing import bring, done, failed, mapping, refusals, versions
from tests.customers.known import customer

SignIn = Callable[[str], Client]
TYPED = {
    "custom_contract": "C-17",
    "custom_story": "First line\nSecond line",
    "custom_seats": "12.5",
    "custom_budget": "1999.90",
    "custom_trained": "2026-02-28",
    "custom_reference": "no",
    "custom_site": "example.test/ada",
    "custom_tier": "gold",
    "custom_areas": ["south", "north"],
}
STORED = {
    "contract": "C-17",
    "story": "First line\nSecond line",
    "seats": 12.5,
    "budget": 1999.9,
    "trained": "2026-02-28",
    "reference": False,
    "site": "https://example.test/ada",
    "tier": "gold",
    "areas": ["north", "south"],
}


def opened(client: Client, pk: int) -> str:
    found = re.search(r'name="opened" value="([^"]+)"', client.get(f"/customers/{pk}/edit/").content.decode())
    assert found
    return found[1]


def test_it_works(signed_in: SignIn) -> None:
    one_of_each()
    client = signed_in("account_manager")
    said: dict[str, Any] = {"name": "Ada", "kind": "person", **TYPED}
    assert client.post("/customers/new/", said).status_code == 302
    ada = Customer.objects.get()
    assert ada.attributes == STORED
    page = client.get(f"/customers/{ada.pk}/").content.decode()
    for words in ("C-17", "12.5", "1,999.90 EUR", "28 Feb 2026", "<dd>No</dd>", "north, south", "Second line"):
        assert words in page
    assert 'href="https://example.test/ada" rel="noopener noreferrer"' in page
    form = client.get(f"/customers/{ada.pk}/edit/").content.decode()
    assert 'name="custom_trained" value="2026-02-28"' in form
    assert re.search(r'value="north"[^>]*checked', form)
    less = {**said, "external_id": ada.external_id, "opened": opened(client, ada.pk)}
    less |= {"custom_seats": "", "custom_areas": []}
    assert client.post(f"/customers/{ada.pk}/edit/", less).status_code == 302
    ada.refresh_from_db()
    assert "seats" not in ada.attributes
    assert "areas" not in ada.attributes
    assert ada.attributes["tier"] == "gold"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("seats", "many"), ("seats", "1.23456"), ("budget", "9" * 13), ("trained", "31.12.2026"),
        ("trained", "1899-12-31"),
        ("site", "javascript:alert(1)"), ("tier", "bronze"), ("areas", "west"), ("contract", "x" * 301), ("must", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_told_beside_its_field(name: str, typed: str, signed_in: SignIn) -> None:
    one_of_each()
    a_field("must", required=True)
    said = {"name": "Ada", "kind": "person", "custom_must": "x", f"custom_{name}": typed}
    page = signed_in("account_manager").post("/customers/new/", said).content.decode()
    assert f'id="id_custom_{name}_error"' in page
    assert not Customer.objects.exists()


def test_a_link_is_completed(signed_in: SignIn) -> None:
    a_field("site", "link")
    client = signed_in("account_manager")
    assert 'type="url"' not in client.get("/customers/new/").content.decode()  # a browser would not send it
    client.post("/customers/new/", {"name": "Ada", "kind": "person", "custom_site": "example.test/ada"})
    assert Customer.objects.get().attributes == {"site": "https://example.test/ada"}


def test_what_no_field_asks_for_stays(signed_in: SignIn) -> None:
    gone = a_field("gone")
    a_field("tier", "choice", "gold")
    ada = customer("ada", attributes={"gone": "kept", "free": "kept", "tier": "gold"})
    archive(gone.pk)
    client = signed_in("account_manager")
    said = {"name": "Ada", "kind": "person", "external_id": "ada", "opened": opened(client, ada.pk)}
    assert client.post(f"/customers/{ada.pk}/edit/", said).status_code == 302
    ada.refresh_from_db()
    assert ada.attributes == {"gone": "kept", "free": "kept"}
    page = client.get(f"/customers/{ada.pk}/").content.decode()
    assert "Gone" not in page
    assert "<dt>Free</dt><dd>kept</dd>" in page


def test_the_second_of_two_editors_is_told_and_loses_nothing(signed_in: SignIn) -> None:
    one_of_each()
    ada = customer("ada", attributes={"seats": 1})
    first, second = signed_in("account_manager"), signed_in("administrator")
    form: dict[str, Any] = {"name": "Ada", "kind": "person", "external_id": "ada"}
    by_first = {**form, "custom_seats": "2", "opened": opened(first, ada.pk)}
    by_second = {**form, "custom_seats": "3", "custom_areas": ["north", "south"], "opened": opened(second, ada.pk)}
    assert first.post(f"/customers/{ada.pk}/edit/", by_first).status_code == 302
    response = second.post(f"/customers/{ada.pk}/edit/", by_second)
    page = response.content.decode()
    assert response.status_code == 409
    assert '<th scope="row">Seats</th><td>2</td><td>3</td>' in page
    assert len(re.findall(r'name="custom_areas"[^>]*checked', page)) == 2
    ada.refresh_from_db()
    assert ada.attributes == {"seats": 2}


def test_the_list_shows_filters_and_exports_it(signed_in: SignIn) -> None:
    one_of_each()
    customer("ada", attributes=STORED)
    customer("bob", attributes={"tier": "silver", "reference": True, "areas": ["north"], "seats": 3})
    client = signed_in("analyst")

    def names(query: str) -> list[str]:
        return re.findall(r'<td class="main"><a [^>]+>([^<]+)</a>', client.get(f"/customers/?{query}").content.decode())

    assert names("custom.tier=gold") == ["Ada"]
    assert names("custom.reference=yes") == ["Bob"]
    assert names("custom.reference=no") == ["Ada"]
    assert names("custom.areas=north") == ["Ada", "Bob"]
    assert names("custom.areas=north&custom.seats=3") == ["Bob"]
    assert names("custom.budget=1999.9") == ["Ada"]
    assert names("custom.trained=2026-02-28") == ["Ada"]
    assert names("custom.seats=many") == []
    assert names("custom.unknown=x") == ["Ada", "Bob"]
    assert "Remove the filter" not in client.get("/customers/?custom.unknown=x").content.decode()
    archive(CustomField.objects.get(key="contract").pk)
    assert names("custom.contract=C-17") == ["Ada"]  # a saved view stays narrow
    assert "Remove the filter Contract: C-17" in client.get("/customers/?custom.contract=C-17").content.decode()
    page = client.get("/customers/?column=custom.budget&column=custom.tier&custom.tier=gold").content.decode()
    assert re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]+)', page)[-2:] == ["Budget", "Tier"]
    assert '<td class="num">1,999.90 EUR</td>' in page
    assert "Remove the filter Tier: gold" in page
    assert "Remove the filter Reference: Yes" in client.get("/customers/?custom.reference=yes").content.decode()
    query = "column=custom.budget&column=custom.tier&column=custom.trained&column=custom.reference"
    text = client.post("/customers/export/", {"query": query, "scope": "all"}).content.decode("utf-8-sig")
    head, ada, bob = text.splitlines()
    assert head.endswith("Budget,Trained,Reference,Tier")
    assert ada.endswith("1999.9,2026-02-28,No,gold")
    assert bob.endswith(",,Yes,silver")


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    one_of_each()
    ada = customer("ada", attributes=STORED)
    client = signed_in("administrator")
    assert_query_count("custom fields", client, "/settings/fields/")
    assert_query_count("customer form", client, f"/customers/{ada.pk}/edit/")
    assert_query_count("customers list with custom fields", client, "/customers/?column=custom.tier&custom.tier=gold")


ROW = "contract,seats,budget,trained,reference,site,tier,areas"
HOW: dict[str, Any] = {
    "kind": "customers",
    "fields": {"customer_id": {"column": "id"}, **{f"custom_{key}": {"column": key} for key in ROW.split(",")}},
}
GOOD = "1,C-17,12.5,1999.90,2026-02-28,no,https://example.test/ada,GOLD,South; north\n"


def test_a_file_fills_them(signed_in: SignIn) -> None:
    one_of_each()
    customer("1", attributes={"story": "kept", "seats": 1})
    assert done(mapping(HOW), f"id,{ROW}\n{GOOD}2,,,,,,,,\n")["customers"]["created"] == 1
    ada = Customer.objects.get(external_id="1")
    assert ada.attributes == {**STORED, "story": "kept"}
    assert Customer.objects.get(external_id="2").attributes == {}
    before = versions()
    done(mapping(HOW), f"id,{ROW}\n{GOOD}2,,,,,,,,\n")
    assert versions() == before


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("seats", "many", "Seats: “many” is not a number written as 1234.50."),
        ("seats", "1e12", "Seats: “1e12” is not a number written as 1234.50."),
        ("trained", "2026-02-30", "Trained: “2026-02-30” is not a day written as 2011-12-31."),
        ("trained", "2026-02-28 10:00", "Trained: “2026-02-28 10:00” is not a day written as 2011-12-31."),
        ("reference", "maybe", "Reference: “maybe” is not a plain “yes” or “no”."),
        ("site", "javascript:x", "Site: “javascript:x” is not a link that begins with https:// or http://."),
        ("tier", "bronze", "Tier: “bronze” is not one of gold, silver."),
        ("areas", "north, west", "Areas: “north, west” is not a list made of north, south."),
        ("contract", "x" * 301, f"Contract: “{'x' * 80}” is not a text on one line of at most 300 characters."),
    ],
)
@pytest.mark.django_db
def test_a_row_that_does_not_fit_is_refused_with_its_reason(column: str, text: str, reason: str) -> None:
    one_of_each()
    fields = {"customer_id": {"column": "id"}, f"custom_{column}": {"column": "x"}}
    how = mapping({"kind": "customers", "fields": fields})
    job, taken = bring(how, f'id,x\n1,"{text}"\n2,\n')
    assert job.state == Job.State.DONE
    assert [told for _, told, _ in refusals(taken)] == [reason]
    assert list(Customer.objects.values_list("external_id", "attributes")) == [("2", {})]


@pytest.mark.django_db
def test_a_mapping_from_before_the_field_is_told_to_be_mended() -> None:
    kept = {"seats": {"column": "seats"}}
    how = mapping({"kind": "customers", "fields": {"customer_id": {"column": "id"}}, "attributes": kept})
    a_field("seats", "number")
    assert "is the custom field Seats now" in failed(how, "id,seats\n1,many\n")


@pytest.mark.django_db
def test_columns_are_guessed_by_label_and_key(tmp_path: Any) -> None:
    a_field("account_tier", "choice", "gold")
    a_field("trained", "date")
    file = tmp_path / "file.csv"
    file.write_text("Id,Name,Account Tier,Trained\n1,Ada,gold,28.02.2026\n")
    found = guess(file)
    assert {name: source.column for name, source in found.fields.items()} == {
        "customer_id": "Id", "name": "Name", "custom_account_tier": "Account Tier", "custom_trained": "Trained",
    }  # fmt: skip
    assert found.dates == "dmy"


@pytest.mark.django_db
def test_a_campaigns_text_may_use_them() -> None:
    one_of_each()
    ada, bob = customer("ada", attributes=STORED), customer("bob")
    assert "customer.custom.tier" in {variable.name for variable in catalogue()}
    text = Texts(
        "Hello", "", "{{ customer.custom.tier }}/{{ customer.custom.seats }}/{{ customer.custom.areas | join: '+' }}"
        "/{% if customer.custom.reference %}yes{% else %}no{% endif %}",
    )  # fmt: skip
    assert "gold/12.5/north+south/no" in preview(text, ada, asks=False).text
    assert "///no" in preview(text, bob, asks=False).text
    assert preview(Texts("", "", "{{ customer.custom.nothing }}"), ada, asks=False).problem
