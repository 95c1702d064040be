"""What holds of every part of the API: who may, that reading changes nothing, and that answers are as described."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from pytest_django import Settings

from customers.events.recording import Happening, record
from customers.models import (
    Customer,
    CustomerFacts,
    Health,
    HealthChange,
    OrderLine,
    Segment,
    SegmentMembership,
    Subscription,
)
from retention.common import clock
from retention.workspace.api.schema import described
from retention.workspace.models import ApiKey
from retention.workspace.roles import Can, Role
from tests.addresses import SAMPLES, patterns
from tests.api.program import Program, a_key, a_person, places
from tests.api.shop import more_of_each
from tests.api.writes import NUMBER, WRITES
from tests.baseline import assert_query_count
from tests.customers.custom.defining import a_field, one_of_each
from tests.workspace import test_a_get_changes_nothing as everything

SAMPLES_BY_NAME = {"{attachment}": SAMPLES["uuid"], "{external_id}": "x"}
READERS = {"GET", "HEAD"}


@pytest.fixture
def full(db: None, settings: Settings, tmp_path: Path) -> dict[str, str]:
    """Something at every address; gives the samples that had to be replaced."""
    settings.MEDIA_ROOT, settings.OUTBOX_DIR, settings.EMAIL_URL = tmp_path / "files", tmp_path / "outbox", ""
    by = a_person()
    one_of_each()
    found = everything.one_of_each(by)
    Segment.objects.create(pk=NUMBER + 1, name="Nothing stands on it", rule={"nobody": True})
    now, one = clock.now(), Customer.objects.get(pk=NUMBER)
    SegmentMembership.objects.create(segment_id=NUMBER, customer=one, entered_at=now)
    Segment.objects.filter(pk=NUMBER).update(size=1)
    CustomerFacts.objects.update_or_create(customer=one)
    parts = {"nps": [9, 90, 2], "gone": [None, None, 1]}
    same = {"customer": one, "score": 90, "band": "good", "coverage": 66, "parts": parts, "version": 0}
    Health.objects.create(**same, judged_since=now, scored_at=now)
    HealthChange.objects.create(**same, at=now)
    Subscription.objects.filter(pk=NUMBER).update(renews_at=now + timedelta(days=20), auto_renews=False)
    OrderLine.objects.create(order_id=NUMBER, position=1, sku="A-1", quantity=2, unit_price=5)
    record([Happening(NUMBER, "customer.created", now)])
    return found


def resources() -> Iterator[tuple[URLPattern, Any, str]]:
    for pattern, url in patterns():
        if view := getattr(pattern.callback, "cls", None):
            yield pattern, view, url


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each with its path and its method."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def conforms(schema: dict[str, Any], operation: dict[str, Any], response: Any) -> None:
    """The answer is as the schema says for its status."""
    said = operation["responses"][str(response.status_code)]
    content = said.get("content", {}).get("application/json")
    if content:
        fits(schema, content["schema"], response.json())


def fits(schema: dict[str, Any], shape: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**shape, "components": schema["components"]}).validate(value)


def as_json(schema: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(schema, default=str))
    return plain


def test_each_view_declares_what_each_of_its_methods_needs() -> None:
    for _, view, url in resources():
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert methods == set(view.needs), url
        assert set(view.needs.values()) <= set(Can), url
        assert all((need == Can.READ) == (method == "GET") for method, need in view.needs.items()), url
        assert all(hasattr(view.post, "once") for method in view.needs if method == "POST"), url


def test_the_schema_is_valid_and_has_everything(db: None) -> None:
    GENERATOR_STATS.reset()
    schema = described()
    assert not GENERATOR_STATS, "see the warnings above"
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert {operation["operationId"] for _, method, operation in operations(schema) if method != "GET"} == set(WRITES)
    assert len({operation["operationId"] for _, _, operation in operations(schema)}) == len(list(operations(schema)))


def test_custom_fields_of_this_workspace_are_in_the_schema(db: None) -> None:
    a_field("tier", "choice", "gold", "silver")
    a_field("seats", "number")
    for name in ("Customer", "CustomerRequest", "PatchedCustomerRequest"):
        custom = described()["components"]["schemas"][name]["properties"]["custom"]
        assert custom["properties"]["tier"]["enum"] == ["gold", "silver", None]
        assert custom["properties"]["seats"]["type"] == ["number", "null"]


def test_every_answer_is_as_the_schema_says(full: dict[str, str]) -> None:
    program, schema = Program(a_key()), as_json(described())
    found = list(operations(schema))
    for path, method, operation in found:
        if method == "GET":
            url = _filled(path)
            response = program.get(full.get(url, url))
            assert response.status_code == 200, f"{url}: {response.content!r}"
            conforms(schema, operation, response)
            assert response.json().get("results") != [], f"{url} has nothing to compare"
    known = {operation["operationId"]: operation for _, _, operation in found}
    for name, (url, body) in WRITES.items():
        operation = known[name]
        if body is not None:
            fits(schema, operation["requestBody"]["content"]["application/json"]["schema"], body)
        response = program.send(name, url, body)
        assert response.status_code in (200, 201, 204), f"{name}: {response.content!r}"
        conforms(schema, operation, response)


def _filled(path: str) -> str:
    """A path of the schema with samples: numbers for ids."""
    parts = (SAMPLES_BY_NAME.get(part, str(NUMBER)) if part.startswith("{") else part for part in path.split("/"))
    return "/".join(parts)


def test_a_parameter_that_nobody_reads_is_refused_everywhere(full: dict[str, str]) -> None:
    program = Program(a_key())
    for _, view, url in resources():
        if "GET" in view.needs:
            response = program.get(full.get(url, url), nope="1")
            assert (response.status_code, list(places(response))) == (400, ["?nope"]), url


def test_reading_changes_nothing(full: dict[str, str]) -> None:
    program = Program(a_key(writes=False, role=Role.ANALYST))
    program.get("people/")
    ApiKey.objects.update(last_used_at=clock.now())
    for _, view, url in resources():
        if "GET" in view.needs:
            with everything.read_only():
                assert program.get(full.get(url, url)).status_code == 200, url


def test_reading_takes_as_many_queries_whatever_there_is(full: dict[str, str]) -> None:
    program = Program(a_key())
    found = {each["operationId"]: _filled(path) for path, method, each in operations(described()) if method == "GET"}
    del found["get_schema"]  # it is about the API, not about what there is
    for name, url in found.items():
        assert_query_count(f"api {name}", program.client, full.get(url, url))
    more_of_each(NUMBER)
    for name, url in found.items():
        assert_query_count(f"api {name}", program.client, full.get(url, url))


def test_whoever_may_not_write_is_refused_each_write(full: dict[str, str]) -> None:
    for role, writes in ((Role.ADMINISTRATOR, False), (Role.ANALYST, True), (Role.ANALYST, False)):
        program = Program(a_key(role, writes=writes))
        for operation, (url, body) in WRITES.items():
            response = program.send(operation, url, body)
            assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json"), operation


def test_strangers_get_401_and_a_form_from_elsewhere_403(db: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(a_person())
    for _, view, url in resources():
        for method in view.needs:
            assert Client().generic(method, url).status_code == 401, f"{method} {url}"
            if method not in READERS:
                assert browser.generic(method, url, "{}", "application/json").status_code == 403, f"{method} {url}"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("{", 400, "no JSON"),
        ('{"name": NaN}', 400, "no number"),
        ('{"name": "a\\u0000"}', 400, "no text can have"),
        ('{"name": "\\ud800"}', 400, "no text can have"),
        ('{"custom": ' + "[" * 50 + "]" * 50 + "}", 400, "deep"),
        ("[" * 100_000, 400, "deep"),
        ('{"name": "' + "x" * 2_000_001 + '"}', 413, "2,000,000"),
        ("[]", 422, "dictionary"),
    ],
)
def test_a_hostile_body_is_refused_with_its_reason(body: str, status: int, words: str, program: Program) -> None:
    response = program.client.generic("POST", "/api/v1/customers/", body, "application/json")
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert words in response.content.decode()


def test_what_is_no_json_and_what_is_nowhere_is_told_as_a_problem(program: Program) -> None:
    form = program.client.post("/api/v1/customers/", {"name": "Ada"})
    assert (form.status_code, form["Content-Type"]) == (415, "application/problem+json")
    nowhere = program.client.get("/api/v1/nowhere/")
    assert (nowhere.status_code, nowhere["Content-Type"]) == (404, "application/problem+json")
    assert program.client.delete("/api/v1/customers/").status_code == 405


def test_the_documentation_tells_each_operation_and_the_workspaces_fields(db: None) -> None:
    one_of_each()
    client = Client()
    client.force_login(a_person(Role.ANALYST))
    page = client.get("/api/v1/docs/").content.decode()
    for path, method, _ in operations(described()):
        assert f"<code>{path}</code>" in page, f"{method} {path}"
    assert "<code>tier</code>" in page
    assert "gold | silver" in page
    assert "style=" not in page
    assert "onclick" not in page
