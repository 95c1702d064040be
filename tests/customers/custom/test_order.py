"""The list of customers in the order of a custom field: as numbers, days and lists go, what is empty last both ways."""

import csv
import io
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from customers.custom.definitions import archive, defined
from customers.models import Customer
from customers.records.columns import CUSTOM
from customers.records.exporting import lines
from customers.records.filters import Filters, matching
from customers.records.listing import Cut, page
from tests.api.program import Program, a_key
from tests.baseline import assert_query_count
from tests.customers.custom.defining import a_field
from tests.customers.known import customer

SignIn = Callable[[str], Client]
#: By type: the choices, and values as they go up.
UP: dict[str, tuple[tuple[str, ...], list[Any]]] = {
    "number": ((), [-3, 0, 2.5, 9, 10, 1_000_000]),
    "money": ((), [0.01, 9.99, 10, 100]),
    "date": ((), ["1900-01-01", "2025-12-31", "2026-02-01", "2026-10-01"]),
    "text": ((), ["ann", "Bert", "carl"]),
    "long_text": ((), ["a\nb", "b" * 5_000]),
    "link": ((), ["http://a.example", "https://a.example"]),
    "yes_no": ((), [False, True]),
    "choice": (("low", "middle", "high"), ["low", "middle", "high"]),
    "choices": (("north", "south"), [["north", "south"], ["south"]]),
}


def asked(kind: str, **said: str) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update({"column": f"custom.the_{kind}", "size": "25", **said})
    return query


def with_ties_and_nothing(kind: str) -> tuple[list[int], list[int]]:
    """Ids of customers as the list has them up and down: each value thrice, twice as many without any."""
    choices, values = UP[kind]
    a_field(f"the_{kind}", kind, *choices)
    told = [value for value in values for _ in range(3)] + [None] * 30
    numbered = list(enumerate(told))
    random.Random(7).shuffle(numbered)
    rank = {}
    for place, value in numbered:
        made = customer(f"c{place:03}", attributes={} if value is None else {f"the_{kind}": value})
        rank[made.pk] = len(values) if value is None else values.index(value)
    up = sorted(rank, key=lambda pk: (rank[pk], pk))
    known = [pk for pk in up if rank[pk] < len(values)]
    return up, known[::-1] + up[: len(known) - 1 : -1]


def read_through(query: QueryDict) -> tuple[list[int], list[int]]:
    """Everybody page by page to the end, and back to the beginning."""

    def at(**mark: str) -> Any:
        said = query.copy()
        said.update(mark)
        return page(matching(Filters()), Cut.read(said, defined()))

    part = at()
    there = [row["pk"] for row in part.rows]
    while part.next:
        part = at(after=part.next)
        there += [row["pk"] for row in part.rows]
    back = [row["pk"] for row in part.rows]
    while part.previous:
        part = at(before=part.previous)
        back = [row["pk"] for row in part.rows] + back
    return there, back


@pytest.mark.parametrize("kind", list(UP))
@pytest.mark.django_db
def test_it_works(kind: str) -> None:
    """Each type up and down, page by page there and back, ties by their ids, those without a value last."""
    up, down = with_ties_and_nothing(kind)
    assert read_through(asked(kind, sort=f"custom.the_{kind}")) == (up, up)
    assert read_through(asked(kind, sort=f"-custom.the_{kind}")) == (down, down)


def shown(html: str) -> list[str]:
    return re.findall(r'<td class="main"><a href="[^"]+">([^<]+)</a>', html)


def seats(*numbers: float) -> None:
    a_field("seats", "number")
    for number in numbers:
        customer(f"c{number:g}", attributes={"seats": number})
    customer("none")


def test_a_heading_puts_the_page_in_order_and_turns_it_round(signed_in: SignIn) -> None:
    seats(9, 10, 2)
    client = signed_in("analyst")
    html = client.get("/customers/?column=custom.seats").content.decode()
    first = 'href="?sort=-custom.seats&amp;column=custom.seats">Seats</a>'
    assert first in html
    html = client.get("/customers/?column=custom.seats&sort=-custom.seats").content.decode()
    assert shown(html) == ["C10", "C9", "C2", "None"]
    assert 'aria-sort="descending"><a href="?sort=custom.seats&amp;column=custom.seats">Seats</a>' in html
    html = client.get("/customers/?column=custom.seats&sort=custom.seats").content.decode()
    assert shown(html) == ["C2", "C9", "C10", "None"]


@pytest.mark.parametrize("gone", ["column", "field", "mark"])
def test_what_there_is_not_is_passed_over(gone: str, signed_in: SignIn) -> None:
    """Without its column nobody would see what the list is in order by."""
    seats(9, 10)
    if gone == "field":
        archive(defined()[0].pk)
    column = "" if gone == "column" else "&column=custom.seats"
    after = "&after=WyJ4Il0" if gone == "mark" else ""
    html = signed_in("analyst").get(f"/customers/?sort=-custom.seats{column}{after}").content.decode()
    assert shown(html) == ["C10", "C9", "None"]


def test_the_file_is_in_that_order(signed_in: SignIn) -> None:
    seats(9, 10, 2)
    query = QueryDict("column=custom.seats&sort=-custom.seats")
    told = list(csv.DictReader(io.StringIO("".join(lines(Customer.objects.all(), query)).lstrip("\ufeff"))))
    assert [row["Seats"] for row in told] == ["10", "9", "2", ""]
    sent = {"query": query.urlencode(), "scope": "all"}
    text = signed_in("analyst").post("/customers/export/", sent).content.decode()
    assert re.findall(r"(?m)^(c\d+|none),", text) == ["c10", "c9", "c2", "none"]


def test_a_view_keeps_it(signed_in: SignIn) -> None:
    seats(9, 10, 2)
    client = signed_in("analyst")
    said = {"place": "customers:list", "name": "Largest", "query": "sort=-custom.seats&column=custom.seats"}
    kept = client.post("/views/", said, follow=True).content.decode()
    assert shown(kept) == ["C10", "C9", "C2", "None"]


@pytest.mark.django_db
def test_programs_ask_for_it() -> None:
    seats(9, 10, 2)
    program = Program(a_key())
    told = program.get("customers/?sort=-custom.seats&size=3").json()
    assert [row["external_id"] for row in told["results"]] == ["c10", "c9", "c2"]
    rest = program.get(told["next"]).json()
    assert [row["external_id"] for row in rest["results"]] == ["none"]
    refused = program.get("customers/?sort=custom.nothing")
    assert (refused.status_code, refused.json()["errors"][0]["place"]) == (400, "?sort")


def test_the_number_of_queries_is_fixed(signed_in: SignIn) -> None:
    seats(1, 2)
    client, at = signed_in("analyst"), f"/customers/?sort=-{CUSTOM}seats&column={CUSTOM}seats"
    assert_query_count("customers list by a custom field", client, at)
    for number in range(3, 60):
        customer(f"c{number}", attributes={"seats": number})
    assert_query_count("customers list by a custom field", client, at)
