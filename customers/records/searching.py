"""Finding customers as somebody types: who has that id or address, then whose name it is, then the rest."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Lower

from customers.models import Customer, FormerId
from customers.records.pools import CUSTOMERS
from retention.common.asking import Asking, Given, Kept, kept
from retention.common.marking import has_all
from retention.common.phone_digits import few_with, is_number, may_be_number, some_with
from retention.common.text_search import beyond, folded
from retention.common.word_index import Among, few, some
from retention.workspace.finding import Find, Typed
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import words

#: Of so many candidates the best are shown.
CANDIDATES, BY_ID = 30, 10


class Found(NamedTuple):
    """A candidate; `formerly` are the ids of customers that were merged into this one."""

    id: int
    name: str
    email: str
    external_id: str
    phone: str
    attributes: dict[str, Any]
    formerly: list[str]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id


def found(typed: Typed) -> Asking[list[Find]]:
    """The best first."""
    if not typed.words:
        return []
    number = may_be_number(typed.text)
    given = {"id": typed.text, "over": beyond(typed.text)}
    chosen = yield from few(CUSTOMERS, typed.text, CANDIDATES, typed.most + 1)
    numbered = (yield from few_with(CUSTOMERS, typed.text, BY_ID)) if number else {}
    (rows,) = yield [_candidates(number).asked(**given, **chosen, **numbered)]
    ranked = ((row, rank) for row in (Found(**each) for each in rows) for rank in _ranks(row, typed))
    best = sorted((rank, folded(str(row)), row.id, row) for row, rank in ranked)
    return [_find(row, typed) for *_, row in best[: typed.most + 1]]


@cache
def _candidates(number: bool) -> Kept:
    """A few that have the words, and those who have what was typed as their address or as the beginning of their id."""
    every, text, over = Customer.objects.all(), Given("id"), Given("over")
    by_address = every.alias(by=Lower("email")).filter(by=Given("text")).values("pk")
    by_id = every.filter(external_id__gte=text, external_id__lt=over).order_by("external_id").values("pk")
    formerly = FormerId.objects.filter(external_id__gte=text, external_id__lt=over).order_by("external_id")
    near = some(CUSTOMERS, CANDIDATES)
    for each in (by_address, by_id, formerly.values("customer")):
        near |= Q(Among(F("pk"), Subquery(each[:BY_ID])))
    if number:
        near |= some_with(CUSTOMERS, "phone", BY_ID)
    ids = FormerId.objects.filter(customer=OuterRef("pk")).values("external_id")
    columns = ("id", "name", "email", "external_id", "phone", "attributes")
    return kept(every.filter(near).annotate(formerly=ArraySubquery(ids)).values(*columns, "formerly"))


def _ranks(row: Found, typed: Typed) -> Iterator[int]:
    """How well a candidate fits, 0 best; nothing where it does not."""
    text, name = typed.text.lower(), folded(str(row))
    if text in (row.external_id.lower(), row.email.lower()):
        yield 0
    elif name.startswith(typed.plain):
        yield 1 if name == typed.plain else 2
    elif has_all(name, typed.words):
        yield 3
    elif has_all(" ".join(said for _, said in _said(row)), typed.words):
        yield 4
    elif is_number(row.phone, typed.text):
        yield 5
    elif any(was.startswith(typed.text) for was in row.formerly):
        yield 6


def _said(row: Found) -> Iterator[tuple[str, str]]:
    """All that a customer is found by, each with what it is."""
    yield "Name", row.name
    yield "E-mail", row.email
    yield "Id", row.external_id
    yield "Phone", row.phone
    for key, value in row.attributes.items():
        yield words(key), ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _find(row: Found, typed: Typed) -> Find:
    name = str(row)
    detail = next((text for text in (row.email, row.external_id) if text and text != name), "")
    place, snippet = _elsewhere(row, f"{name} {detail}", typed)
    return Find(name, detail, page_of("customers:detail", row.id), snippet, place)


def _elsewhere(row: Found, shown: str, typed: Typed) -> tuple[str, str]:
    """Where a word was found that what is shown does not have."""
    missing = [word for word in typed.words if not has_all(shown, [word])]
    for place, text in _said(row):
        if any(has_all(text, [word]) for word in missing):
            return place, text
    if missing and is_number(row.phone, typed.text):
        return "Phone", row.phone
    was = next((was for was in row.formerly if missing and was.startswith(typed.text)), "")
    return ("Id before a merge", was) if was else ("", "")
