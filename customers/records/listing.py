"""The list of customers, a page at a time. Paging goes by the last row shown, so page 1,000 costs what page 1 does."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict

from customers.models import Customer
from customers.models.facts import NEVER, UNKNOWN_HEALTH
from customers.records.columns import MOST, paths
from retention.common.keyset import amount, beyond

SIZES = (25, 50, 100, 200)
EXACT_UP_TO = 10_000
#: So many times as much, and an estimate that is out by half would still not be counted.
FAR = 2
COLUMNS = (
    "pk",
    "name",
    "email",
    "external_id",
    "country",
    "tags",
    "is_key_account",
    "owner__first_name",
    "owner__last_name",
    "owner__email",
    "facts__stage",
    "facts__orders",
    "facts__revenue",
    "facts__mrr",
    "facts__subscribed_at",
    "facts__churned_at",
    "facts__last_order_at",
    "facts__renews_at",
    "facts__nps_score",
)


@dataclass(frozen=True)
class Order:
    """A column that the list can be put in order by; its index leads with the same expression."""

    name: str
    label: str
    by: Expression | F
    tie: str
    first_down: bool
    read: Any

    @property
    def by_facts(self) -> bool:
        return self.tie != "pk"


_COLUMN = re.compile(r"[a-z][a-z0-9_.]{0,60}")
OF_FACTS = "facts__customer_id"
LAST_ORDER = Coalesce("facts__last_order_at", Value(NEVER))
ORDERS = {
    order.name: order
    for order in (
        Order("name", "Customer", Lower("name"), "pk", False, str),
        Order("last_order", "Last order", LAST_ORDER, OF_FACTS, True, datetime.fromisoformat),
        Order("revenue", "Revenue", F("facts__revenue"), OF_FACTS, True, amount),
        Order("mrr", "MRR", F("facts__mrr"), OF_FACTS, True, amount),
        Order("health", "Health", Coalesce("facts__health", Value(UNKNOWN_HEALTH)), OF_FACTS, False, int),
    )
}


@dataclass(frozen=True)
class Cut:
    """Which part of a list: its order, its direction, how many rows, and the row it goes on after or ends before.

    `columns` are those shown on request, by their keys in `columns.offered`.
    """

    order: Order
    down: bool
    size: int
    after: str = ""
    before: str = ""
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, said: QueryDict) -> Self:
        """Take what makes sense: `sort`, a name of `ORDERS`, with a minus for downwards; `size`; `after`, `before`."""
        sort = said.get("sort", "name")
        order = ORDERS.get(sort.removeprefix("-"), ORDERS["name"])
        size = said.get("size", "")
        return cls(
            order,
            sort.startswith("-"),
            int(size) if size in map(str, SIZES) else SIZES[1],
            said.get("after", ""),
            said.get("before", ""),
            tuple(dict.fromkeys(key for key in said.getlist("column") if _COLUMN.fullmatch(key)))[:MOST],
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """What is read of each customer."""
        return (*COLUMNS, *paths(self.columns))

    @property
    def mark(self) -> tuple[Any, int] | None:
        """The row beside which the page begins; None for the first page, and where what was said is no mark."""
        return _unmark(self.before or self.after, self.order)

    @property
    def sort(self) -> str:
        return f"{'-' if self.down else ''}{self.order.name}"


@dataclass(frozen=True)
class Page:
    """Rows as dicts of the cut's `paths`, and the marks of the pages beside it, empty where there is none."""

    rows: Sequence[dict[str, Any]]
    next: str
    previous: str


@dataclass(frozen=True)
class Count:
    number: int
    exact: bool


def page(customers: QuerySet[Customer], cut: Cut) -> Page:
    """One page, by one query."""
    mark = cut.mark
    backwards = bool(cut.before and mark)
    ordered = in_order(customers, cut.order, down=cut.down != backwards)
    if mark:
        ordered = ordered.filter(beyond((cut.order.by, F(cut.order.tie)), mark, down=cut.down != backwards))
    rows = list(ordered.values(*cut.paths, by=cut.order.by)[: cut.size + 1])
    more, rows = len(rows) > cut.size, rows[: cut.size]
    if backwards:
        rows.reverse()
    if not rows:
        return Page([], "", "")
    on, back = (True, more) if backwards else (more, bool(mark))
    return Page(rows, _mark(rows[-1]) if on else "", _mark(rows[0]) if back else "")


def in_order(customers: QuerySet[Customer], order: Order, *, down: bool) -> QuerySet[Customer]:
    """By facts, only customers who have facts: a new one has them within seconds."""
    if order.by_facts:
        customers = customers.filter(facts__isnull=False)
    return customers.order_by(*(OrderBy(key, descending=down) for key in (order.by, F(order.tie))))


def count(customers: QuerySet[Any], *, by_statistics: bool = False) -> Count:
    """How many: counted up to 10,000, above that as the planner estimates.

    Where its estimate rests on statistics alone (`by_statistics`) and is far above that, nothing is counted.
    """
    if by_statistics and (estimate := _estimate(customers)) > FAR * EXACT_UP_TO:
        return Count(estimate, exact=False)
    seen = customers.order_by().values("pk")[: EXACT_UP_TO + 1].count()
    if seen <= EXACT_UP_TO:
        return Count(seen, exact=True)
    return Count(max(_estimate(customers), EXACT_UP_TO), exact=False)


def _estimate(customers: QuerySet[Any]) -> int:
    query, params = customers.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", params)
        (plan,) = cursor.fetchone()
    return int(plan[0]["Plan"]["Plan Rows"])


def _mark(row: dict[str, Any]) -> str:
    by = row["by"]
    text = json.dumps([by.isoformat() if isinstance(by, datetime) else str(by), row["pk"]])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unmark(text: str, order: Order) -> tuple[Any, int] | None:
    """What a mark says, or None where it is none of this order."""
    try:
        by, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return None if "\0" in str(by) else (order.read(by), int(pk))
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        return None
