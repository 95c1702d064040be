"""The API's description: as OpenAPI for programs, and as a page for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from retention.workspace.api.paging import only
from retention.workspace.api.resource import Resource
from retention.workspace.roles import Can, requires


class Schema(Resource):
    """What the API can do, with this workspace's custom fields."""

    noun = "Schema"
    needs = {"GET": Can.READ}

    @extend_schema(summary="This description, as OpenAPI 3.1", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        only(request)
        return Response(described())


def described() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@dataclass(frozen=True)
class Member:
    """One field, as the page tells it. `depth` says how deep it lies in others."""

    name: str
    type: str
    told: str
    required: bool
    depth: int


@dataclass(frozen=True)
class Operation:
    """One thing that can be done."""

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    parameters: list[Member]
    sent: list[Member]
    answered: list[Member]
    curl: str


@require_safe
@requires(Can.READ)
def documentation(request: HttpRequest) -> HttpResponse:
    """Every resource with what it takes and answers, from the very schema that programs read."""
    schema = described()
    return render(request, "workspace/api.html", {"groups": list(_groups(schema)), "base": settings.PUBLIC_URL})


def _groups(schema: Mapping[str, Any]) -> Iterator[tuple[str, list[Operation]]]:
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, said in methods.items():
            found.setdefault(said["tags"][0], []).append(_operation(schema, method.upper(), path, said))
    yield from sorted(found.items())


def _operation(schema: Mapping[str, Any], method: str, path: str, said: Mapping[str, Any]) -> Operation:
    sent = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = [each for code, each in said["responses"].items() if code.startswith("2")]
    answered = answers[0].get("content", {}).get("application/json", {}).get("schema") if answers else None
    return Operation(
        method=method,
        path=path,
        anchor=said["operationId"],
        summary=said.get("summary", ""),
        description=said.get("description", ""),
        parameters=[
            Member(each["name"], _type(each["schema"]), each.get("description", ""), each.get("required", False), 0)
            for each in said.get("parameters", [])
            if each["in"] != "path"
        ],
        sent=list(_members(schema, sent)) if sent else [],
        answered=list(_members(schema, answered)) if answered else [],
        curl=_curl(method, path, sent=bool(sent)),
    )


def _members(schema: Mapping[str, Any], said: Mapping[str, Any], depth: int = 0) -> Iterator[Member]:
    said = _resolved(schema, said)
    for name, each in said.get("properties", {}).items():
        inner = _resolved(schema, each)
        yield Member(name, _type(inner), inner.get("description", ""), name in said.get("required", ()), depth)
        if depth < 3:
            yield from _members(schema, _resolved(schema, inner.get("items", inner)), depth + 1)


def _resolved(schema: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for, be it alone or one of several."""
    for each in (said, *said.get("allOf", ()), *said.get("oneOf", ()), *said.get("anyOf", ())):
        if ref := each.get("$ref"):
            target: Mapping[str, Any] = schema["components"]["schemas"][ref.rsplit("/", 1)[1]]
            return target
    return said


def _type(said: Mapping[str, Any]) -> str:
    """A type in few words: its choices, where there are some."""
    if choices := said.get("enum"):
        return " | ".join("null" if each is None else str(each) or '""' for each in choices)
    kinds = said.get("type", "object")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "array" in words and said.get("items", {}).get("type"):
        words = f"{words} of {_type(said['items'])}"
    return f"{words} ({said['format']})" if said.get("format") else words


def _curl(method: str, path: str, *, sent: bool) -> str:
    """The request as a line for a shell; what stands in braces is to be filled in."""
    parts = ["curl"] if method == "GET" else ["curl", "-X", method]
    parts += [f"'{settings.PUBLIC_URL}{path}'", "-H", '"Authorization: Bearer $KEY"']
    if method == "PATCH":
        parts += ["-H", "'If-Match: *'"]
    if sent:
        parts += ["-H", "'Content-Type: application/json'", "-d", "@body.json"]
    return " ".join(parts)
