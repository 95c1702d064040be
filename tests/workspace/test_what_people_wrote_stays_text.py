"""Whatever people or files wrote is text on every page, and no formula in any file.

The columns are found, not listed: each that holds words of somebody's is filled with what would be HTML, an attribute's
end, a place of a template or of a format, a formula and a second line.
"""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.test import Client

from customers.models import Customer
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.addresses import patterns
from tests.workspace.test_a_get_changes_nothing import client as client  # a fixture
from tests.workspace.test_a_get_changes_nothing import one_of_each

WROTE = "=<i7>\"'{{ 7|add:700 }}{by}%s\u202e\n@"
ROOMS = ("customers", "loyalty", "surveys", "workspace", "campaigns")
#: Columns that hold names of ours, which nobody writes.
OURS = {"kind", "place", "query", "currency", "time_zone", "type", "about", "action", "password", "language", "origin"}
OURS |= {"ref", "colour", "key", "source_key", "digest", "prefix"}


def write_everywhere() -> int:
    """Into each column of words that the database lets change; gives in how many."""
    Customer.objects.update(tags=[WROTE], attributes={WROTE: WROTE})
    return sum(
        written(model, field.name, field.max_length or 300)
        for model in apps.get_models()
        if model._meta.app_label in ROOMS
        for field in model._meta.local_concrete_fields
        if type(field) in (models.CharField, models.EmailField, models.TextField)
        and not (field.choices or field.primary_key or field.name in OURS)
    )


def written(model: type[models.Model], name: str, length: int) -> bool:
    rows = model._default_manager.order_by("pk")
    try:
        with transaction.atomic():
            done = [rows.filter(pk=pk).update(**{name: unlike(pk, length)}) for pk in rows.values_list("pk", flat=True)]
    except DatabaseError:  # what stays as it was said, or has a form that the database sees to
        return False
    return any(done)


def unlike(pk: object, length: int) -> str:
    """What is unlike that of every other row, where rows must be."""
    end = str(pk)[-6:]
    return WROTE[: length - len(end)] + end


def wrong(response: object, body: str) -> Iterator[str]:
    kind = response["Content-Type"]  # type: ignore[index]
    if "html" in kind:
        yield from (what for what, sign in SIGNS.items() if re.search(sign, body))
    elif "csv" in kind:
        cells = (cell for row in csv.reader(io.StringIO(body.lstrip("\ufeff"))) for cell in row)
        yield from (f"a formula: {cell}" for cell in cells if cell.startswith(("=", "@")))


SIGNS = {
    "an element": "<i7>",
    "the end of an attribute": "&lt;i7&gt;[\"']",
    "a template": r"=(&lt;|<)i7.{0,30}707",
}


def test_it_works(client: Client) -> None:
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    assert write_everywhere() > 70
    found: dict[str, set[str]] = {}
    shown = 0
    for _, sample in patterns():
        url = real.get(sample, sample)
        for asked in (url, url if "?" in url else f"{url}?format=csv"):
            with transaction.atomic():
                response = client.get(asked)
                body = b"".join(response).decode(errors="replace")
                transaction.set_rollback(True)
            assert response.status_code < 500, url
            shown += "i7" in body
            if what := set(wrong(response, body)):
                found[url] = what
    assert found == {}
    assert shown > 200


@pytest.mark.parametrize(
    ("body", "kind", "number"),
    [
        ("<p><i7></p>", "text/html", 1),
        ('<a title="&lt;i7&gt;"', "text/html", 1),
        ("=&lt;i7&gt;&quot;&#x27;707{by}", "text/html", 1),
        ("a,=<i7>\n'=<i7>,@\n", "text/csv", 2),
        ("=&lt;i7&gt;&quot;&#x27;{{ 7|add:700 }}", "text/html", 0),
    ],
)
def test_what_would_not_be_text_is_found(body: str, kind: str, number: int) -> None:
    assert len(list(wrong({"Content-Type": kind}, body))) == number
