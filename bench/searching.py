"""The search over everything as somebody types, against the bare questions that any search of these tables asks.

It makes 100,000 customers with their people, notes and cases, or as many as BENCH_LARGE says. The floor asks the word
index of each of these for thirty rows that have all words, and each of the other tables for what begins with the text,
and makes rows of them; it ranks nothing and shows nothing. What it pays for common words the search does not; for rare
ones the search asks more: the sample, former ids, numbers. BENCH_PLANS=1 prints the plans, and stops at one that reads
a large table from end to end.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

from django.db.models import QuerySet
from django.http import QueryDict

from bench.harness import Race
from bench.population import fill_only
from campaigns.models import Campaign
from customers.models import Case, Contact, Customer, FormerId, Interaction, Order, Product, Segment
from customers.models.cases import CASE_WORDS
from customers.models.contacts import CONTACT_WORDS
from customers.models.interactions import INTERACTION_WORDS
from customers.models.records import CUSTOMER_WORDS
from customers.records.filters import Filters, matching
from customers.records.listing import Cut, page
from retention.common import planned
from retention.common.text_search import SearchWords, beginnings
from retention.workspace.finding import Typed, search
from retention.workspace.models import User

CUSTOMERS = int(os.environ.get("BENCH_LARGE", "100000"))
TABLES: Any = (
    (Customer, CUSTOMER_WORDS),
    (Contact, CONTACT_WORDS),
    (Interaction, INTERACTION_WORDS),
    (Case, CASE_WORDS),
)
BESIDE: Any = (
    (FormerId, "external_id"),
    (Order, "external_id"),
    (Product, "name"),
    (Segment, "name"),
    (Campaign, "name"),
)
SHAPES = {
    "one letter": "e",
    "two letters that most have": "ex",
    "a word that most have": "example",
    "two letters of a name": "jo",
    "a name": "wanda walrawood",
    "a rare word and a common beginning": "walrawood ex",
    "two common words": "the example",
    "three beginnings that most have": "example c test",
    "the last digits of a number": "4567",
    "a number as it is dialled at home": "030 1234567",
    "nothing": "qqqq",
    "nothing and a common word": "qqqq example",
    "an id": "C00012345",
    "a half typed address": "emma.belgi",
}
FOLD = 3
#: Beside the floor there are the sample, former ids and numbers, and thirty candidates of a kind are ranked and worded.
GOAL = 4
#: In fewer rows than these a planner is right to read a table from end to end.
ENOUGH = 100_000
LARGE = ("customers_customer ", "customers_contact ", "customers_interaction ")
FILLED = ("customer", "contact", "interaction", "case")


def races() -> Iterator[Race]:
    fill_only(FILLED, CUSTOMERS)
    boss = User(role="administrator")
    for shape, typed in SHAPES.items():
        if os.environ.get("BENCH_PLANS"):
            _plans(partial(_ours, typed, boss))
        yield Race(
            f"search, {shape} (“{typed}”), {CUSTOMERS:,} customers, {FOLD} times",
            "a bare question to each table",
            ours=partial(_times, partial(_ours, typed, boss)),
            floor=partial(_times, partial(_bare, typed)),
            goal=GOAL,
            units=FOLD,
        )
    for typed in ("example", "wanda"):
        yield Race(
            f"a page of the customers who have “{typed}”, {FOLD} times",
            "the bare question to the same index",
            ours=partial(_times, partial(_page, typed)),
            floor=partial(_times, partial(_ask, Customer.objects.all(), SearchWords(*CUSTOMER_WORDS), typed)),
            goal=GOAL,
            units=FOLD,
        )


def _times(work: Callable[[], object]) -> None:
    for _ in range(FOLD):
        work()


def _ours(typed: str, person: User) -> None:
    list(search(Typed(typed), person))


def _page(typed: str) -> None:
    page(matching(Filters(q=typed)), Cut.read(QueryDict()))


def _bare(typed: str) -> None:
    for model, columns in TABLES:
        _ask(model.objects.all(), SearchWords(*columns), typed)
    for model, column in BESIDE:
        list(model.objects.filter(**{f"{column}__startswith": typed})[:30])


def _ask(rows: QuerySet[Any], words: SearchWords, typed: str) -> None:
    list(rows.alias(found=words).filter(found=beginnings(typed))[:30])


def _plans(work: Callable[[], object]) -> None:
    """Print how each question of the search is planned. Raises AssertionError for one that reads a whole table."""
    with patch.object(planned, "numbered", partial(_planned, planned.numbered)):
        work()


def _planned(rows: Callable[[bytes, Any], list[Any]], statement: bytes, params: Any) -> list[Any]:
    plan = [line[:110] for (line,) in rows(b"EXPLAIN (COSTS OFF) " + statement, params) if "Scan" in line]
    print(*plan, sep="\n", flush=True)
    if CUSTOMERS >= ENOUGH:
        assert not any("Seq Scan" in line and name in f"{line} " for line in plan for name in LARGE), statement[:300]
    return rows(statement, params)
