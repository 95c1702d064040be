"""What is no currency and no phone number is refused wherever it is said: in files, forms and the API."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from customers.models import Contact, Customer
from customers.products.forms import ProductForm
from customers.subscriptions.forms import ConditionsForm
from retention.common.currencies import CURRENCIES, check_currency
from retention.workspace.forms import FirstPersonForm, WorkspaceForm
from tests.customers.ingest.bringing import CUSTOMERS, ORDERS, bring, mapping, refusals

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("form", [ProductForm, ConditionsForm, FirstPersonForm, WorkspaceForm])
def test_a_form_takes_currencies_alone(form: type) -> None:
    for code, wrong in (("ZZZ", True), ("E", True), ("usd", False), ("DEM", False)):
        filled = form(data={"currency": code})
        assert ("currency" in filled.errors) is wrong, (form, code)


def test_no_code_for_nothing_is_a_currency() -> None:
    assert {"EUR", "USD", "JPY", "DEM"} <= CURRENCIES
    for code in ("XXX", "XTS", "ZZZ", ""):
        with pytest.raises(ValidationError):
            check_currency(code)


def test_an_order_in_no_currency_is_refused() -> None:
    head = "order_id,customer_id,ordered_at,amount,currency,email\n"
    _, taken = bring(mapping(ORDERS), head + "A1,1,2024-05-01,5,ZZZ,\nA2,1,2024-05-01,5,eur,\n")
    assert [reason for _, reason, _ in refusals(taken)] == [
        "Currency: “ZZZ” is not the code of a currency, such as EUR."
    ]


PHONES = {
    "ask me": False,
    "-": False,
    "1234": False,
    "12345": True,
    "+49 (0)30 / 12 34": True,
    "1 800 FLOWER5": True,
    "٠٣٠ ١٢٣": True,
}


def test_a_file_keeps_numbers_as_they_were_typed() -> None:
    how = CUSTOMERS | {"fields": {name: {"column": name} for name in ("customer_id", "phone")}}
    rows = "".join(f"{typed},{typed}\n" for typed in PHONES)
    _, taken = bring(mapping(how), "customer_id,phone\n" + rows)
    assert {row.external_id: row.phone for row in Customer.objects.all()} == {
        typed: typed for typed, good in PHONES.items() if good
    }
    assert [reason for _, reason, _ in refusals(taken)] == [
        f"Phone: “{typed}” is not a phone number: five digits at least, 40 characters at most."
        for typed, good in PHONES.items()
        if not good
    ]


@pytest.fixture
def acme() -> Customer:
    return Customer.objects.create(external_id="acme", name="Acme", phone="12")


@pytest.mark.parametrize(("typed", "good"), PHONES.items())
def test_forms_keep_numbers_as_they_were_typed(signed_in: SignIn, acme: Customer, typed: str, good: bool) -> None:
    url = f"/customers/{acme.pk}/edit/"
    said = {"external_id": "acme", "kind": "company", "name": "New", "opened": acme.updated_at.isoformat()}
    signed_in("account_manager").post(url, said | {"phone": typed})
    acme.refresh_from_db()
    assert (acme.phone == typed) is good
    signed_in("account_manager").post(f"/customers/{acme.pk}/people/new/", {"name": "Eva", "phone": typed})
    assert Contact.objects.filter(phone=typed).exists() is good


def test_what_stood_before_bars_no_other_change(signed_in: SignIn, acme: Customer) -> None:
    said = {"external_id": "acme", "kind": "company", "name": "New", "opened": acme.updated_at.isoformat()}
    signed_in("account_manager").post(f"/customers/{acme.pk}/edit/", said | {"phone": "12"})
    acme.refresh_from_db()
    assert (acme.name, acme.phone) == ("New", "12")
