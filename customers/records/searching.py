"""Finding customers as somebody types: who has that id or address, then whose name it is, then the rest."""

from collections.abc import Iterator

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from customers.models import Customer, FormerId
from customers.models.records import CUSTOMER_WORDS
from retention.common.marking import has_all
from retention.common.phone_digits import few_with, is_number
from retention.common.text_search import SearchWords, folded
from retention.common.word_index import Among, few
from retention.workspace.finding import Find, Typed
from retention.workspace.places import page_of

#: Of so many candidates the best are shown.
CANDIDATES, BY_NAME, BY_ID = 60, 30, 10
COLUMNS = ("name", "email", "external_id", "phone", "attributes")


def found(typed: Typed) -> list[Find]:
    """The best first. Two queries."""
    if not typed.words:
        return []
    ranked = sorted((rank, folded(str(row)), row.pk, row) for row in _candidates(typed) for rank in _ranks(row, typed))
    return [_find(row, typed) for *_, row in ranked[: typed.most + 1]]


def _candidates(typed: Typed) -> QuerySet[Customer]:
    """A few that have the words, and those that the list has next to what was typed, by name, address and id."""
    every, text = Customer.objects.all(), typed.text
    by_name = every.alias(by=Lower("name")).filter(by__gte=text.lower()).order_by("by", "pk").values("pk")
    by_address = every.alias(by=Lower("email")).filter(by=text.lower()).values("pk")
    by_id = every.filter(external_id__startswith=text).order_by("external_id").values("pk")
    formerly = FormerId.objects.filter(external_id__startswith=text).order_by("external_id").values("customer")
    near = Q(Among(F("pk"), Subquery(by_name[:BY_NAME])))
    for some in (by_address, by_id, formerly):
        near |= Q(Among(F("pk"), Subquery(some[:BY_ID])))
    words = SearchWords(*CUSTOMER_WORDS)
    near |= Q(Among(F("pk"), few(every, words, typed.words, CANDIDATES, typed.most + 1)))
    near |= few_with(every, "phone", words, text, BY_ID)
    ids = FormerId.objects.filter(customer=OuterRef("pk")).values("external_id")
    return every.filter(near).only(*COLUMNS).annotate(formerly=ArraySubquery(ids))


def _ranks(row: Customer, typed: Typed) -> Iterator[int]:
    """How well a candidate fits, 0 best; nothing where it does not."""
    text, name = typed.text.lower(), folded(str(row))
    if text in (row.external_id.lower(), row.email.lower()):
        yield 0
    elif name.startswith(folded(typed.text)):
        yield 1 if name == folded(typed.text) else 2
    elif has_all(str(row), typed.words):
        yield 3
    elif has_all(" ".join(said for _, said in _said(row)), typed.words):
        yield 4
    elif is_number(row.phone, typed.text):
        yield 5
    elif any(was.startswith(typed.text) for was in _formerly(row)):
        yield 6


def _formerly(row: Customer) -> list[str]:
    return row.formerly  # type: ignore[attr-defined, no-any-return]  # annotated


def _said(row: Customer) -> Iterator[tuple[str, str]]:
    """All that a customer is found by, each with what it is."""
    yield "Name", row.name
    yield "E-mail", row.email
    yield "Id", row.external_id
    yield "Phone", row.phone
    for key, value in row.attributes.items():
        yield key.replace("_", " ").capitalize(), ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _find(row: Customer, typed: Typed) -> Find:
    name = str(row)
    detail = next((text for text in (row.email, row.external_id) if text and text != name), "")
    place, snippet = _elsewhere(row, f"{name} {detail}", typed)
    return Find(name, detail, page_of("customers:detail", row.pk), snippet, place)


def _elsewhere(row: Customer, shown: str, typed: Typed) -> tuple[str, str]:
    """Where a word was found that what is shown does not have."""
    missing = [word for word in typed.words if not has_all(shown, [word])]
    for place, text in _said(row):
        if any(has_all(text, [word]) for word in missing):
            return place, text
    if missing and is_number(row.phone, typed.text):
        return "Phone", row.phone
    was = next((was for was in _formerly(row) if missing and was.startswith(typed.text)), "")
    return ("Id before a merge", was) if was else ("", "")
