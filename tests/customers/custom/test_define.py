"""Defining custom fields, and the promise that their values are of their type whoever writes them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.custom import definitions, values
from customers.custom.asking import form_field
from customers.custom.definitions import Draft, Refused, define
from customers.custom.forms import key_from
from customers.models import Customer, CustomField, Segment
from retention.common import clock
from tests.customers.custom.defining import a_field, one_of_each
from tests.customers.known import customer

SignIn = Callable[[str], Client]
FIELDS = "/settings/fields/"


def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    assert "None yet" in client.get(FIELDS).content.decode()
    said = {"label": "Account tier", "type": "choice", "choices": "Gold\n Silver \n\nGold", "help": "By contract."}
    assert client.post(f"{FIELDS}new/customer/", said).status_code == 302
    field = CustomField.objects.get()
    assert (field.key, field.choices, field.position) == ("account_tier", ["Gold", "Silver"], 0)
    page = client.get(FIELDS).content.decode()
    assert "Account tier" in page
    assert "Gold, Silver" in page
    more = {"label": "Tier", "choices": "Gold\nSilver\nBronze", "required": "on"}
    assert client.post(f"{FIELDS}{field.pk}/", more).status_code == 302
    field.refresh_from_db()
    assert (field.label, field.required, field.type) == ("Tier", True, "choice")
    assert field.choices == ["Gold", "Silver", "Bronze"]


@pytest.mark.parametrize("role", ["account_manager", "marketer", "analyst"])
def test_only_administrators_define(role: str, signed_in: SignIn) -> None:
    field = a_field("tier")
    client = signed_in(role)
    for url in (FIELDS, f"{FIELDS}new/customer/", f"{FIELDS}{field.pk}/"):
        assert client.get(url).status_code == 403
        assert client.post(url, {"label": "x", "type": "text"}).status_code in (403, 405)
    assert client.post(f"{FIELDS}{field.pk}/act/", {"do": "archive"}).status_code == 403
    assert list(CustomField.objects.values_list("label", "archived_at")) == [("Tier", None)]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"label": ""}, "required"),
        ({"type": "sound"}, "not one of the available choices"),
        ({"type": "choice"}, "A list needs at least one choice."),
        ({"key": "Größe"}, "small letters, digits and underscores"),
        ({"key": "9lives"}, "Begin with a letter"),
        ({"key": "taken"}, "Another field has this key."),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_is_kept(said: dict[str, str], problem: str, signed_in: SignIn) -> None:
    a_field("taken")
    typed = {"label": "My label", "type": "text", "help": "My help", **said}
    response = signed_in("administrator").post(f"{FIELDS}new/customer/", typed)
    (errors,) = response.context["form"].errors.values()
    assert problem in errors[0]
    assert errors[0] in response.content.decode()
    assert 'value="My help"' in response.content.decode()
    assert CustomField.objects.count() == 1


@pytest.mark.parametrize(
    ("label", "key"),
    [("Größe in m²", "grosse_in_m2"), ("Énergie", "energie"), ("名前", "field"), ("2nd site", "field_2nd_site")],
)
def test_a_key_is_made_from_the_label(label: str, key: str) -> None:
    assert key_from(label) == key


def test_order_and_putting_away(signed_in: SignIn) -> None:
    fields = [a_field(key) for key in ("one", "two", "three")]
    client = signed_in("administrator")

    def act(place: int, what: str) -> list[str]:
        client.post(f"{FIELDS}{fields[place].pk}/act/", {"do": what})
        return [field.key for field in definitions.defined()]

    assert act(2, "up") == ["one", "three", "two"]
    assert act(0, "up") == ["one", "three", "two"]
    assert act(0, "down") == ["three", "one", "two"]
    assert act(0, "archive") == ["three", "two"]
    assert [field.key for field in definitions.every()] == ["three", "one", "two"]
    assert act(0, "restore") == ["three", "one", "two"]


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        st.sampled_from(["gold", "GOLD", "north", "2026-02-28", "2026-02-30", "0001-01-01", "https://a.test/x", "ftp://a"]),
        st.dates().map(str),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=1), inner, max_size=1)),
    max_leaves=4,
)  # fmt: skip


def is_of_type(field: CustomField, value: Any) -> bool:
    """What the types mean, judged by the form that reads them: a stored value, typed in again, is itself."""
    figure = (int, float)
    shapes: dict[str, Any] = {"number": figure, "money": figure, "yes_no": bool, "choices": list}
    if not isinstance(value, shapes.get(field.type, str)) or (isinstance(value, bool) and field.type != "yes_no"):
        return False
    try:
        typed = values.typed(field, value)
        cleaned = form_field(field).clean(typed)
    except Exception:
        return False
    again = values.stored(field, cleaned)
    if isinstance(value, list) and isinstance(again, list):
        return sorted(again) == sorted(value)
    return bool(again == value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["seats", "budget", "trained", "reference", "tier", "areas"]), value=JSON)
@pytest.mark.django_db
def test_the_database_takes_a_value_just_when_the_form_would(key: str, value: Any) -> None:
    with transaction.atomic():
        one_of_each()
        ada, field = customer("ada"), CustomField.objects.get(key=key)
        try:
            with transaction.atomic():
                Customer.objects.filter(pk=ada.pk).update(attributes={key: value})
            taken = True
        except IntegrityError:
            taken = False
        assert taken == is_of_type(field, value), (key, value)
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("contract", 5), ("contract", "two\nlines"), ("contract", "x" * 301), ("contract", " "), ("contract", None),
        ("story", "x" * 10_001), ("site", "javascript:alert(1)"), ("site", "https:///x"), ("site", "https://a b"),
        ("areas", []), ("areas", ["north", "north"]), ("areas", ["west"]), ("areas", "north"), ("tier", "bronze"),
        ("seats", "12"), ("seats", 1e12), ("reference", "yes"), ("trained", "28.02.2026"), ("trained", "2026-02-30"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_what_is_not_of_the_type_is_refused_on_every_way(key: str, value: Any) -> None:
    one_of_each()
    ada = customer("ada", attributes={"free": "as before"})
    with pytest.raises(IntegrityError, match="cannot be"), transaction.atomic():
        Customer.objects.filter(pk=ada.pk).update(attributes={key: value})
    with pytest.raises(IntegrityError, match="cannot be"), transaction.atomic():
        Customer.objects.bulk_create([Customer(external_id="b", attributes={key: value})])


@pytest.mark.django_db
def test_without_the_trigger_a_wrong_type_would_stay() -> None:
    """What the tests above would miss if the database did not look."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customer DISABLE TRIGGER customer_attributes_changed")
    one_of_each()
    ada = customer("ada")
    Customer.objects.filter(pk=ada.pk).update(attributes={"seats": "many"})
    ada.refresh_from_db()
    assert ada.attributes == {"seats": "many"}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("number", "12", 12), ("number", " 3.50 ", 3.5), ("yes_no", "TRUE", True), ("yes_no", "n", False),
        ("choices", "north; south", ["north", "south"]), ("date", "2026-01-31", "2026-01-31"), ("text", " a ", "a"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_what_files_brought_before_becomes_typed(kind: str, before: Any, after: Any) -> None:
    ada, bob = customer("ada", attributes={"x": before, "other": "y"}), customer("bob", attributes={"x": ""})
    a_field("x", kind, *(["north", "south"] if kind == "choices" else []))
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.attributes, bob.attributes) == ({"x": after, "other": "y"}, {})


@pytest.mark.django_db
def test_a_field_is_refused_over_values_that_are_none_of_its_type() -> None:
    customer("ada", attributes={"x": "many"})
    customer("bob", attributes={"x": "3"})
    with pytest.raises(Refused, match=r"1 of the customers .* such as “many”"):
        a_field("x", "number")
    assert not CustomField.objects.exists()


@pytest.mark.django_db
def test_a_choice_in_use_stays() -> None:
    tier, areas = a_field("tier", "choice", "gold", "silver", "tin"), a_field("areas", "choices", "north", "south")
    customer("ada", attributes={"tier": "gold", "areas": ["south"]})
    Segment.objects.create(name="Tin", rule={"all": [{"not": {"field": "custom.tier", "op": "is", "value": "tin"}}]})
    with pytest.raises(Refused, match="“gold” stays on the list as long as somebody has it"):
        definitions.change(tier.pk, Draft("Tier", ["silver", "tin"]))
    with pytest.raises(Refused, match="“tin” stays on the list as long as the segment “Tin” asks for it"):
        definitions.change(tier.pk, Draft("Tier", ["gold", "silver"]))
    with pytest.raises(Refused, match="“south” stays"):
        definitions.change(areas.pk, Draft("Areas", ["north"]))
    definitions.change(tier.pk, Draft("Tier", ["tin", "gold"]))
    assert CustomField.objects.get(pk=tier.pk).choices == ["tin", "gold"]


@pytest.mark.django_db(transaction=True)
def test_no_value_slips_in_while_a_field_is_made() -> None:
    """A value is not yet committed when a number is defined under its key: the definition waits, and refuses."""
    ada = customer("ada")
    written, told = threading.Event(), []

    def bring() -> None:
        with transaction.atomic():
            Customer.objects.filter(pk=ada.pk).update(attributes={"seats": "many"}, updated_at=clock.now())
            written.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")
        connection.close()

    other = threading.Thread(target=bring)
    other.start()
    written.wait()
    try:
        define("customer", "seats", "number", Draft("Seats"))
    except Refused as reason:
        told.append(str(reason))
    other.join()
    assert "such as “many”" in told[0]


@pytest.mark.django_db(transaction=True)
def test_a_long_import_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "WAIT", "50ms")
    ada = customer("ada")
    begun, over = threading.Event(), threading.Event()

    def bring() -> None:
        with transaction.atomic():
            Customer.objects.filter(pk=ada.pk).update(attributes={"seats": "many"})
            begun.set()
            over.wait(120)
        connection.close()

    other = threading.Thread(target=bring)
    other.start()
    begun.wait()
    try:
        with pytest.raises(Refused, match="Try again"):
            define("customer", "seats", "number", Draft("Seats"))
    finally:
        over.set()
        other.join()
