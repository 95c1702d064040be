"""What the search over everything finds of this room."""

from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Case as Rank
from django.db.models import F, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf, Upper
from django.urls import reverse

from customers.models import Case, Contact, Interaction, Order, Product, Segment
from customers.records import searching
from customers.records.filters import Filters
from customers.records.pools import CASES, CONTACTS, NOTES
from retention.common.asking import Asking, Given, Kept, Row, kept
from retention.common.marking import around, has_all
from retention.common.phone_digits import few_with, is_number, may_be_number, some_with
from retention.common.text_search import SearchWords, all_of, asking_for, beyond, folded
from retention.common.word_index import Among, few, some
from retention.workspace.finding import Find, Typed, finder
from retention.workspace.models import User
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import relative

#: Of so many candidates the best are shown.
CANDIDATES, BY_ADDRESS = 30, 10
#: What the customer of a row goes by.
_WHO = Coalesce(
    NullIf("customer__name", Value("")),
    NullIf("customer__email", Value("")),
    F("customer__external_id"),
    output_field=TextField(),
)


def _fit_of(field: str) -> Rank:
    """What has that name first, then what begins with it, then the rest."""
    begins = When(**{f"{field}__istartswith": Given("text")}, then=1)
    return Rank(When(exactly=Upper(Given("text")), then=0), begins, default=2)


def _list_of(typed: str) -> str:
    return f"{reverse('customers:list')}?{Filters(q=typed).query()}"


@finder("Customers", 1, _list_of)
def customers(typed: Typed, _person: User) -> Asking[list[Find]]:
    return (yield from searching.found(typed))


@finder("Contacts", 2)
def contacts(typed: Typed, _person: User) -> Asking[list[Find]]:
    """Who has that address, then whose name it is, then the rest; a contact leads to their customer."""
    if not typed.words:
        return []
    number = may_be_number(typed.text)
    chosen = yield from few(CONTACTS, typed.text, CANDIDATES, typed.most + 1)
    numbered = (yield from few_with(CONTACTS, typed.text, CANDIDATES)) if number else {}
    (rows,) = yield [_contacts(number).asked(**chosen, **numbered)]
    found = sorted(rows, key=lambda row: _fit(row, typed))
    return [_contact(row, typed) for row in found[: typed.most + 1]]


@cache
def _contacts(number: bool) -> Kept:
    by_address = CONTACTS.rows.alias(by=Lower("email")).filter(by=Given("text")).values("pk")
    those = some(CONTACTS, CANDIDATES) | Q(Among(F("pk"), Subquery(by_address[:BY_ADDRESS])))
    if number:
        those |= some_with(CONTACTS, "phone", CANDIDATES)
    name = Coalesce(NullIf("name", Value("")), F("email"), output_field=TextField())
    return kept(Contact.objects.filter(those).values("customer_id", "email", "phone", "role", called=name, who=_WHO))


def _fit(row: Row, typed: Typed) -> tuple[bool, bool, bool, str]:
    name, text = folded(row["called"]), typed.plain
    return row["email"].lower() != typed.text.lower(), not name.startswith(text), not has_all(name, typed.words), name


def _contact(row: Row, typed: Typed) -> Find:
    name, phone = row["called"], row["phone"]
    detail = ", ".join(filter(None, [row["role"], row["who"]]))
    missing = [word for word in typed.words if not has_all(f"{name} {detail}", [word])]
    other = [(label, text) for label, text in (("E-mail", row["email"]), ("Phone", phone)) if text]
    hits = (each for each in other if any(has_all(each[1], [word]) for word in missing))
    place, snippet = next(hits, ("Phone", phone) if missing and is_number(phone, typed.text) else ("", ""))
    return Find(name, detail, page_of("customers:detail", row["customer_id"]), snippet, place)


@finder("Notes", 3)
def notes(typed: Typed, _person: User) -> Asking[list[Find]]:
    """Interactions of every kind by what they say, the latest first."""
    if not typed.words:
        return []
    chosen = yield from few(NOTES, typed.text, CANDIDATES, typed.most + 1)
    (rows,) = yield [_notes(typed.most + 1).asked(**chosen)]
    return [_note(row, typed) for row in rows]


@cache
def _notes(most: int) -> Kept:
    found = Interaction.objects.filter(some(NOTES, CANDIDATES)).order_by("-happened_at", "-pk")
    return kept(found.values("id", "kind", "text", "outcome", "next_step", "happened_at", who=_WHO)[:most])


def _note(row: Row, typed: Typed) -> Find:
    said = " · ".join(filter(None, [row["text"], row["outcome"], row["next_step"]]))
    kind, at = Interaction.Kind(row["kind"]).label, datetime.fromisoformat(row["happened_at"])
    url = page_of("customers:interaction", row["id"])
    return Find(row["who"], f"{kind}, {relative(at)}", url, around(said, typed.words))


@finder("Cases", 4)
def cases(typed: Typed, _person: User) -> Asking[list[Find]]:
    """By subject or reference, the latest first."""
    if not typed.words:
        return []
    chosen = yield from few(CASES, typed.text, CANDIDATES, typed.most + 1)
    (rows,) = yield [_cases(typed.most + 1).asked(**chosen)]
    return [_case(row) for row in rows]


@cache
def _cases(most: int) -> Kept:
    found = Case.objects.filter(some(CASES, CANDIDATES)).order_by("-opened_at", "-pk")
    return kept(found.values("id", "subject", "state", "external_id", who=_WHO)[:most])


def _case(row: Row) -> Find:
    detail = f"{row['who']}, {Case.State(row['state']).label.lower()}"
    return Find(row["subject"], detail, page_of("customers:case", row["id"]), row["external_id"], "Reference")


@finder("Orders", 5)
def orders(typed: Typed, _person: User) -> Asking[list[Find]]:
    """By the beginning of their id; an order leads to its customer."""
    (rows,) = yield [_orders(typed.most + 1).asked(text=typed.text, over=beyond(typed.text))]
    return [_order(row) for row in rows]


def _order(row: Row) -> Find:
    return Find(row["external_id"], row["who"], page_of("customers:detail", row["customer_id"]))


@cache
def _orders(most: int) -> Kept:
    some_ids = Order.objects.filter(external_id__gte=Given("text"), external_id__lt=Given("over"))
    found = some_ids.filter(customer__isnull=False).order_by("external_id")
    return kept(found.values("customer_id", "external_id", who=_WHO)[:most])


@finder("Products", 6)
def products(typed: Typed, _person: User) -> Asking[list[Find]]:
    if not typed.words:
        return []
    (rows,) = yield [_products(typed.most + 1).asked(text=typed.text, words=all_of(*typed.words))]
    return [Find(row["name"], row["sku"], page_of("customers:product", row["id"])) for row in rows]


@cache
def _products(most: int) -> Kept:
    found = Product.objects.alias(words=SearchWords("name", "sku", "category")).filter(words=asking_for(Given("words")))
    return kept(_fitting(found).values("id", "name", "sku")[:most])


@finder("Segments", 7)
def segments(typed: Typed, _person: User) -> Asking[list[Find]]:
    """By any part of the name. A company has some hundreds: all are read sooner than an index would be asked."""
    (rows,) = yield [_segments(typed.most + 1).asked(text=typed.text)]
    return [Find(row["name"], f"{row['size']:,} customers", page_of("customers:segment", row["id"])) for row in rows]


@cache
def _segments(most: int) -> Kept:
    return kept(_fitting(Segment.objects.filter(name__icontains=Given("text"))).values("id", "name", "size")[:most])


def _fitting(found: QuerySet[Any]) -> QuerySet[Any]:
    ordered: QuerySet[Any] = found.alias(exactly=Upper("name")).order_by(_fit_of("name"), "name", "pk")
    return ordered
