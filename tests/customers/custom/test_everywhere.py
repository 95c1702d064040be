"""Each type of custom field is at work everywhere: a file brings it, and list, segment, text and API agree on it."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from campaigns.previewing import preview
from campaigns.rendering.sandbox import Texts
from customers.facts import folding
from customers.models import Customer, CustomField, Segment
from customers.segments import membership
from retention.workspace.roles import Role
from tests.api.program import Program, a_key
from tests.customers.custom.defining import one_of_each
from tests.customers.ingest.bringing import done, mapping

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Told:
    """A value as a file has it, as it is stored and the API tells it, as a list shows it, and who has it by a rule."""

    file: str
    value: Any
    shown: str
    op: str
    asked: str | float
    text: str


TOLD = {
    "contract": Told("C-17", "C-17", "C-17", "is", "c-17", "C-17"),
    "story": Told("A long one", "A long one", "A long one", "contains", "long", "A long one"),
    "seats": Told("12.5", 12.5, "12.5", "at_least", 12, "12.5"),
    "budget": Told("1999.90", 1999.9, "1,999.90 EUR", "equals", 1999.9, "1999.9"),
    "trained": Told("2026-02-28", "2026-02-28", "28 Feb 2026", "before", "2026-03-01", "2026-02-28"),
    "reference": Told("yes", True, "Yes", "is", "yes", "true"),
    "site": Told(
        "https://example.test/", "https://example.test/", "https://example.test/", "contains", "test", "test/"
    ),
    "tier": Told("gold", "gold", "gold", "is", "gold", "gold"),
    "areas": Told("north", ["north"], "north", "has", "north", "north"),
}


@pytest.fixture
def brought() -> dict[str, Customer]:
    """Ada with a value of each type and Bob with none, as one file brought them; by name."""
    fields = one_of_each()
    assert {field.type for field in fields} == set(CustomField.Type)
    assert {field.key for field in fields} == set(TOLD)
    columns = {name: {"column": name} for name in ("customer_id", "name")}
    columns |= {f"custom_{key}": {"column": key} for key in TOLD}
    head, ada = ",".join(TOLD), ",".join(told.file for told in TOLD.values())
    done(mapping({"kind": "customers", "fields": columns}), f"customer_id,name,{head}\n1,Ada,{ada}\n2,Bob{',' * 9}\n")
    folding.fold(list(Customer.objects.values_list("pk", flat=True)))
    return {row.name: row for row in Customer.objects.all()}


def listed(client: Client, query: str) -> str:
    return client.get(f"/customers/?{query}").content.decode()


def members(rule: dict[str, Any]) -> list[str]:
    segment = Segment.objects.create(name="Who", rule={"all": [rule]})
    membership.refresh([segment.pk])
    found = list(Customer.objects.filter(memberships__segment=segment).values_list("name", flat=True))
    segment.delete()
    return found


def test_it_works(brought: dict[str, Customer], signed_in: Any) -> None:
    client, program = signed_in(Role.ANALYST), Program(a_key())
    for key, told in TOLD.items():
        assert program.get(f"customers/{brought['Ada'].pk}/").json()["custom"][key] == told.value, key
        page = listed(client, f"column=custom.{key}&custom.{key}={told.file}")
        assert (f">{told.shown}</td>" in page, ">Ada<" in page, ">Bob<" in page) == (True, True, False), key
        assert members({"field": f"custom.{key}", "op": told.op, "value": told.asked}) == ["Ada"], key
        text = Texts("Hello", "", f"It is {{{{ customer.custom.{key} }}}}.")
        assert told.text in preview(text, brought["Ada"], asks=False).text, key
        assert program.patch(f"customers/{brought['Bob'].pk}/", {"custom": {key: told.value}}).status_code == 200, key
    ada, bob = Customer.objects.order_by("name")
    assert bob.attributes == ada.attributes == {key: told.value for key, told in TOLD.items()}
