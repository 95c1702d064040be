"""Books of business: what each manager's customers bring, what of it stays, what was done for them, and it opens."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.facts.folding import fold
from customers.models import Customer, CustomerFacts, Interaction, Task
from metrics.books import FIGURES, SOURCES, BooksReport, books
from metrics.catalogue import source
from metrics.receipts import receipt
from metrics.scope import BadScope, Book, Scope, read_scope
from retention.workspace.models import Basis, User, Workspace
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.customers.subscribing import subscription, term
from tests.metrics.worlds import NOW, customer, instant, scope, segment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]
SignIn = Callable[[str], Client]


def manager(name: str) -> User:
    role = Role.ACCOUNT_MANAGER
    return User.objects.create_user(f"{name.lower()}@example.test", role=role, first_name=name)


def subscriber(name: str, owner: User | None, *terms: tuple[str, str | None, int], **contract: Any) -> Customer:
    who = customer(name)
    row = subscription(who, **contract)
    for start, end, amount in terms:
        term(row, instant(start), instant(end) if end else None, amount=amount, interval="month")
    Customer.objects.filter(pk=who.pk).update(owner=owner)
    return who


@pytest.fixture
def where() -> Scope:
    """Anna keeps one of two, who pays half as much again; Ben's pays less; nobody's has left."""
    anna, ben = manager("Anna"), manager("Ben")
    grown = subscriber(
        "Grown", anna, ("2025-01-10", "2026-03-01", 100), ("2026-03-01", None, 150),
        renews_at=NOW + timedelta(days=80), auto_renews=False,
    )  # fmt: skip
    subscriber("Gone", anna, ("2025-01-10", "2026-03-01", 60))
    subscriber("Shrunk", ben, ("2025-01-10", "2026-03-01", 80), ("2026-03-01", None, 40))
    subscriber("Nobody's", None, ("2025-01-10", "2026-04-01", 10))
    Customer.objects.filter(pk=grown.pk).update(is_key_account=True)
    fold(list(Customer.objects.values_list("pk", flat=True)))
    CustomerFacts.objects.filter(customer=grown).update(health=20, health_band="poor")
    _worked(grown, anna)
    return scope("2026-01-01", "2026-06-01", basis=Basis.CONTRACTUAL)


def _worked(who: Customer, by: User) -> None:
    for day, kind in (
        ("2026-02-01", "call"),
        ("2026-05-20", "meeting"),
        ("2026-05-21", "note"),
        ("2025-12-31", "chat"),
    ):
        Interaction.objects.create(customer=who, kind=kind, text="x", happened_at=instant(day), author=by)
    removed = {"happened_at": instant("2026-03-01"), "removed_at": NOW}
    Interaction.objects.create(customer=who, kind="call", text="x", author=by, **removed)
    for day, state in (("2026-02-01", "done"), ("2026-02-02", "dropped"), ("2025-02-01", "done")):
        at = instant(day)
        Task.objects.create(customer=who, title="x", due_at=at, state=state, closed_at=at, assignee=by)


def values(report: BooksReport) -> dict[str, list[Any]]:
    return {each.name: [figure.value for figure in each.shown] for each in (*report.books, report.whole)}


def test_it_works(where: Scope) -> None:
    found = values(books(where))
    assert list(found) == ["Anna", "Ben", "Nobody", "Everybody"]
    anna = dict(zip(FIGURES, found["Anna"], strict=True))
    assert anna == {
        "book_customers": 2,
        "book_key_accounts": 1,
        "mrr": Decimal(150),
        "retention_rate": 0.5,
        "net_revenue_retention": Decimal(150) / 160,
        "mrr_renewing": Decimal(150),
        "book_poor_health": 1,
        "interactions": 2,
        "tasks_done": 1,
        "not_talked_to": 0,
    }
    ben, nobody, whole = (dict(zip(FIGURES, found[name], strict=True)) for name in ("Ben", "Nobody", "Everybody"))
    assert (ben["retention_rate"], ben["net_revenue_retention"], ben["not_talked_to"]) == (1, Decimal("0.5"), 1)
    assert (nobody["book_customers"], nobody["retention_rate"], nobody["mrr_renewing"]) == (1, 0, None)
    assert (whole["retention_rate"], whole["net_revenue_retention"]) == (0.5, Decimal(190) / 250)


def test_a_book_is_what_the_scope_of_its_owner_gives(where: Scope) -> None:
    """What is counted for all owners at once is what each source counts for one of them, or for everybody."""
    report = books(where)
    for each in (*report.books, report.whole):
        within = where.of(each.book) if each.book else where
        for kind in SOURCES:
            told = {name: found[0] for name, found in kind().figures(within).items() if name in FIGURES}
            assert {name: each.figures[name] for name in told} == told, each.name


def test_each_figure_opens_to_customers_of_the_book(where: Scope) -> None:
    for each in books(where).books:
        assert each.book is not None
        theirs = set(Customer.objects.filter(owner=each.book.owner).values_list("pk", flat=True))
        for figure in each.shown:
            for part in figure.parts:
                found = receipt(figure.name, where.of(each.book), {"part": part.key})
                listed = {line.customer.pk for line in found.all_lines()}
                assert len(listed) == part.customers
                assert listed <= theirs


def test_a_book_within_a_segment(where: Scope) -> None:
    few = segment("Few", Customer.objects.get(name="Gone"), Customer.objects.get(name="Shrunk"))
    found = values(books(scope("2026-01-01", "2026-06-01", basis=Basis.CONTRACTUAL, segment=few)))
    assert list(found) == ["Anna", "Ben", "Everybody"]
    assert found["Anna"][0] == 1


def test_the_address_says_whose() -> None:
    anna, workspace = manager("Anna"), Workspace.current()
    assert read_scope({"owner": str(anna.pk)}, workspace).book == Book(anna)
    nobodys = read_scope({"owner": "none", "window": "30d"}, workspace)
    assert nobodys.book == Book(None)
    assert nobodys.query["owner"] == "none"
    for wrong in ("0", "x", "9" * 30):
        with pytest.raises(BadScope):
            read_scope({"owner": wrong}, workspace)
    assert {source(name, {}).definitions for name in ("interactions", "book_customers")}


def test_the_pages(where: Scope, signed_in: SignIn) -> None:
    Workspace.objects.update(basis=Basis.CONTRACTUAL)
    client, anna = signed_in("analyst"), User.objects.get(first_name="Anna")
    page = client.get("/metrics/books/?from=2026-01-01&to=2026-06-01").content.decode()
    assert "93.8" in page  # 150 of 160
    assert f"/metrics/?from=2026-01-01&amp;to=2026-06-01&amp;owner={anna.pk}" in page
    opened = client.get(
        f"/metrics/receipt/interactions/?from=2026-01-01&to=2026-06-01&owner={anna.pk}"
    ).content.decode()
    assert "Anna’s book" in opened
    assert "2, 1 customer" in opened
    overview = client.get(f"/metrics/?from=2026-01-01&to=2026-06-01&owner={anna.pk}").content.decode()
    assert "Anna’s book" in overview
    assert f'<option value="{anna.pk}" selected>' in overview
    sent = client.get("/metrics/books/?from=2026-01-01&to=2026-06-01&format=csv").content.decode()
    assert "Anna,net_revenue_retention,1 Jan 2026 to 31 May 2026,Anna’s book,0.94" in sent


def test_a_fixed_number_of_queries(where: Scope, signed_in: SignIn) -> None:
    client = signed_in("analyst")
    counts = []
    for number in (1, 9):
        for each in range(number):
            subscriber(f"More {each}", manager(f"M{number}{each}"), ("2025-01-10", None, 10))
        client.get("/metrics/books/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/metrics/books/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert_query_count("metrics books", client, "/metrics/books/")
