"""Lists a page at a time, by the last row told: page 1,000 costs what page 1 does, and no row is told twice."""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from retention.common.keyset import beyond
from retention.common.sent import whole
from retention.workspace.api.problem import misasked
from retention.workspace.api.shapes import Shape

M = TypeVar("M", bound=Model)
SIZE, MOST = 50, 200
PAGING = (
    OpenApiParameter("size", int, description=f"How many, up to {MOST}; {SIZE} where nothing is said."),
    OpenApiParameter("after", str, description="From the `next` of the page before."),
)


def only(request: Request, *names: str) -> None:
    """Refuse parameters that nobody reads: a misspelt filter must not tell everything."""
    known = {"size", "after", *names}
    for name in request.query_params:
        if name not in known:
            raise misasked(name, "There is no such parameter.")


def choice(request: Request, name: str, values: Sequence[str]) -> str:
    """A parameter that is one of these values; "" where it is not given."""
    said = request.query_params.get(name, "")
    if said and said not in values:
        raise misasked(name, "There is no such value.")
    return said


def number(request: Request, name: str) -> int | None:
    """A parameter that is somebody's or something's id; None where it is not given."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if (said := whole(text)) is None:
        raise misasked(name, "Give a whole number.")
    return said


def instant(request: Request, name: str) -> datetime | None:
    """A parameter that is an instant; None where it is not given."""
    text = request.query_params.get(name, "")
    try:
        said = parse_datetime(text.replace(" ", "+")) if text else None
    except ValueError:
        said = None
    if text and (said is None or said.tzinfo is None):
        raise misasked(name, "Give an instant with its zone, such as 2026-05-01T00:00:00Z.")
    return said


def size_of(request: Request) -> int:
    size = number(request, "size")
    if size is not None and not 1 <= size <= MOST:
        raise misasked("size", f"Give a number from 1 to {MOST}.")
    return size or SIZE


def page(
    rows: QuerySet[M], request: Request, keys: Sequence[str] = ("id",), *, down: bool = True
) -> tuple[list[M], str]:
    """The rows of one page, and the mark of the next, "" where there is none. `keys` end with one that is unique."""
    size, after = size_of(request), request.query_params.get("after", "")
    rows = rows.order_by(*(f"-{key}" if down else key for key in keys))
    if after:
        rows = rows.filter(beyond([F(key) for key in keys], _unmark(rows.model, keys, after), down=down))
    found = list(rows[: size + 1])
    return found[:size], _mark(found[size - 1], keys) if len(found) > size else ""


def _mark(row: Model, keys: Sequence[str]) -> str:
    said = [value.isoformat() if isinstance(value := getattr(row, key), datetime) else value for key in keys]
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def _unmark(model: type[Model], keys: Sequence[str], text: str) -> list[Any]:
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [_field(model, key).to_python(value) for key, value in zip(keys, said, strict=True)]
    except (ValueError, TypeError, OverflowError, ValidationError, binascii.Error, RecursionError) as error:
        raise misasked("after", "This is no mark of this list.") from error


def _field(model: type[Model], key: str) -> "Field[Any, Any]":
    field = model._meta.get_field(key)
    assert isinstance(field, Field)  # noqa: S101
    return field


def answer(request: Request, told: Iterable[Any], mark: str) -> Response:
    """A page: its rows, and the address of the next."""
    said = request.query_params.copy()
    said["after"] = mark
    following = f"{request.build_absolute_uri(request.path)}?{said.urlencode()}" if mark else None
    return Response({"results": list(told), "next": following})


@cache
def page_of(shape: type[Shape]) -> serializers.Serializer[Any]:
    """The shape of such a page."""
    fields: dict[str, Any] = {
        "results": shape(many=True),
        "next": serializers.URLField(allow_null=True, help_text="Where it goes on; null at the end."),
    }
    return inline_serializer(f"{shape.__name__}Page", fields)
