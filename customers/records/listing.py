"""The list of customers, a page at a time. Paging goes by the last row shown, so page 1,000 costs what page 1 does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict

from customers.models import Customer, CustomField
from customers.records.columns import CUSTOM, asked, paths
from customers.records.ordering import Order, having, orders
from retention.common.keyset import Turn, turn, unmark

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
    def read(cls, said: QueryDict, fields: Iterable[CustomField] = ()) -> Self:
        """Take what makes sense: `sort`, a name of `orders`, with a minus for downwards; `size`; `after`, `before`.

        By one of the custom `fields` only where its column is shown, so that a list says what it is in order by.
        """
        columns = asked(said)
        offered = orders(field for field in fields if CUSTOM + field.key in columns)
        sort, size = said.get("sort", ""), said.get("size", "")
        order = offered.get(sort.removeprefix("-"))
        return cls(
            order or offered["name"],
            order is not None and sort.startswith("-"),
            int(size) if size in map(str, SIZES) else SIZES[1],
            said.get("after", ""),
            said.get("before", ""),
            columns,
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """What is read of each customer."""
        return (*COLUMNS, *paths(self.columns))

    @property
    def mark(self) -> Sequence[Any] | None:
        """The row beside which the page begins; None for the first page, and where what was said is no mark."""
        return unmark(self.before or self.after, self.order.keys(down=self.down))

    @property
    def sort(self) -> str:
        return f"{'-' if self.down else ''}{self.order.name}"


@dataclass(frozen=True)
class Count:
    number: int
    exact: bool


def page(customers: QuerySet[Customer], cut: Cut) -> Turn:
    """One page; its rows are dicts of the cut's `paths`. One query, or two where no index has the order.

    Then everybody is compared, and the rest is read only of those who are shown.
    """
    if cut.order.is_indexed:
        return _turn(customers, cut, cut.paths)
    found = _turn(customers, cut, ("pk",))
    return replace(found, rows=_read([row["pk"] for row in found.rows], cut.paths))


def _turn(customers: QuerySet[Customer], cut: Cut, paths: Sequence[str]) -> Turn:
    rows, keys = having(customers, cut.order).values(*paths), cut.order.keys(down=cut.down)
    return turn(rows, keys, cut.size, cut.after, cut.before, down=cut.down)


def _read(pks: Sequence[int], paths: Sequence[str]) -> list[dict[str, Any]]:
    rows = {row["pk"]: row for row in Customer.objects.filter(pk__in=pks).values(*paths)}
    return [rows[pk] for pk in pks if pk in rows]


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
