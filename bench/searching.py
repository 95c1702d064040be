"""The search over everything as somebody types, against the bare questions to the same indexes, by shape of the words.

Run by its name alone: it makes a company of a million customers, or as many as BENCH_LARGE says (bench.population).
The floor asks the word index of customers, contacts and notes for sixty rows that have all words, and nothing else.
Our time is the whole search: the sample, ranking, the other rooms. What the floor pays for common words ours does not;
for rare ones ours asks more. BENCH_PLANS=1 prints the plans, and stops at one that reads a large table from end to end.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial

from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from bench.harness import Race
from bench.population import fill
from customers.models import Contact, Customer, Interaction
from customers.models.contacts import CONTACT_WORDS
from customers.models.interactions import INTERACTION_WORDS
from customers.models.records import CUSTOMER_WORDS
from customers.records.filters import Filters, matching
from customers.records.listing import Cut, page
from retention.common.text_search import SearchWords, beginnings
from retention.workspace.finding import Typed, search
from retention.workspace.models import User

CUSTOMERS = int(os.environ.get("BENCH_LARGE", "1000000"))
TABLES = ((Customer, CUSTOMER_WORDS), (Contact, CONTACT_WORDS), (Interaction, INTERACTION_WORDS))
SHAPES = {
    "two letters that most have": "ex",
    "a word that most have": "example",
    "two letters of a name": "jo",
    "a name": "wanda walrawood",
    "a rare word and a common beginning": "walrawood ex",
    "two common words": "the example",
    "nothing": "qqqq",
    "nothing and a common word": "qqqq example",
    "an id": "C00012345",
    "a half typed address": "emma.belgi",
}
FOLD = 20
#: In fewer rows than these a planner is right to read a table from end to end.
ENOUGH = 100_000
LARGE = ("customers_customer ", "customers_contact ", "customers_interaction ")


def races() -> Iterator[Race]:
    fill(CUSTOMERS)
    boss = User(role="administrator")
    for shape, typed in SHAPES.items():
        if os.environ.get("BENCH_PLANS"):
            _plans(partial(_ours, typed, boss))
        yield Race(
            f"search, {shape} (“{typed}”), {CUSTOMERS:,} customers, {FOLD} times",
            "three bare questions to the same indexes",
            ours=partial(_times, partial(_ours, typed, boss)),
            floor=partial(_times, partial(_bare, typed)),
            goal=3,
            units=FOLD,
        )
    for typed in ("example", "wanda"):
        yield Race(
            f"a page of the customers who have “{typed}”, {FOLD} times",
            "the bare question to the same index",
            ours=partial(_times, partial(_page, typed)),
            floor=partial(_times, partial(_ask, Customer.objects.all(), SearchWords(*CUSTOMER_WORDS), typed)),
            goal=3,
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


def _ask(rows: QuerySet[Customer] | QuerySet[Contact] | QuerySet[Interaction], words: SearchWords, typed: str) -> None:
    list(rows.alias(found=words).filter(found=beginnings(typed)).values("pk")[:60])


def _plans(work: Callable[[], object]) -> None:
    """Print how each question of the search is planned. Raises AssertionError for one that reads a whole table."""
    with CaptureQueriesContext(connection) as queries:
        work()
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (COSTS OFF) {query['sql']}")
            plan = [line[:110] for (line,) in cursor.fetchall() if "Scan" in line]
        print(*plan, sep="\n", flush=True)
        if CUSTOMERS < ENOUGH:
            continue
        assert not any("Seq Scan" in line and name in f"{line} " for line in plan for name in LARGE), query["sql"][:300]
