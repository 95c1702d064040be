"""Ranking: open tasks, and the needs that no task was made of, in one order by one statement."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Value, When
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Greatest

from customers.models import Customer, Task
from customers.work.needs import NOW, SOURCES, THIS_WEEK, Line, Lines, Moment, Nearing, Overtaken, Told

TASK = "task"
#: So many lines of a kind are ranked at most, where the list is not one person's: nobody works through more.
MOST = 1_000
BANDS = {1: "Now", 2: "This week", 3: "Coming up"}
_MY_CUSTOMERS = "need_customer IN (SELECT id FROM customers_customer WHERE owner_id = %s)"
_NOBODYS = "need_customer IN (SELECT id FROM customers_customer WHERE owner_id IS NULL)"
#: Whose lines, of a kind that names nobody, and of one that may; each %s is me. Asked of each kind by itself, so that
#: no more is read of it than that.
WHOSE = {
    "mine": (_MY_CUSTOMERS, f"(need_person = %s OR need_person IS NULL AND {_MY_CUSTOMERS})"),
    "nobodys": (_NOBODYS, f"(need_person IS NULL AND {_NOBODYS})"),
    "everyones": ("true", "true"),
}


@dataclass(frozen=True)
class Rank:
    """A line in its place: `stake` is the money that it was weighed by."""

    line: Line
    stake: Decimal

    @property
    def score(self) -> float:
        return float(self.stake) * self.line.urgency

    @property
    def band(self) -> int:
        """1: for now; 2: for this week; 3: coming up."""
        return 1 if self.line.urgency >= NOW else 2 if self.line.urgency >= THIS_WEEK else 3

    @property
    def name(self) -> str:
        return BANDS[self.band]


_TOLD = """
SELECT %s AS kind, need_ref::bigint AS ref, need_customer AS customer_id, %s || need_key::text AS origin,
       need_at::timestamptz AS at, need_urgency::float8 AS urgency, need_about AS about, need_money::numeric AS money,
       need_currency::text AS currency, need_person::bigint AS person, %s AS yields, %s AS lasts
  FROM ({rows}) AS rows
 WHERE {whose}
"""
_LINE = "kind, ref, customer_id, origin, at, urgency, about, money, currency, person"
# What yields leaves the customer to an open task that is due before what the line is about, and to the most urgent of
# their other such lines. What lasts stays silent for good once there was a task of its origin.
_RANKED = """
WITH standing AS (
    SELECT told.*, greatest(12 * facts.mrr, facts.revenue_365d, 0) AS known
      FROM ({told}) AS told
      LEFT JOIN customers_customerfacts facts ON facts.customer_id = told.customer_id
     WHERE (told.kind = 'task' OR NOT EXISTS (
            SELECT FROM customers_task task
             WHERE task.customer_id = told.customer_id
               AND (task.origin = told.origin AND (told.lasts OR task.state = 'open')
                    OR told.yields AND task.state = 'open' AND (told.at <= %s OR task.due_at < told.at))))
), shown AS (
    SELECT DISTINCT ON (customer_id, CASE WHEN yields THEN '' ELSE kind || ref END) *,
           greatest(CASE WHEN currency = %s THEN money ELSE known END, 1) AS stake
      FROM standing
     ORDER BY customer_id, CASE WHEN yields THEN '' ELSE kind || ref END, urgency DESC, kind DESC
)
SELECT {line}, stake, count(*) OVER ()
  FROM shown
 ORDER BY CASE WHEN urgency >= %s THEN 1 WHEN urgency >= %s THEN 2 ELSE 3 END,
          stake * urgency DESC, at, kind, ref
 LIMIT %s OFFSET %s
"""
_FOUND = "SELECT {line} FROM ({told}) AS told WHERE ref = %s ORDER BY urgency DESC LIMIT 1"
_BEHIND = "SELECT {line} FROM ({told}) AS told WHERE customer_id = ANY(%s) AND origin = ANY(%s)"
Sql = tuple[str, list[Any]]


def ranked(whose: str, me: int, moment: Moment, currency: str, start: int, size: int) -> tuple[list[Rank], int]:
    """A part of the list of `whose` (a key of WHOSE), and how long the whole is. One query."""
    told, params = _together([_tasks(moment, whose, me), *_needs(moment, whose, me, cut=whose != "mine")])
    rows = _rows(_RANKED.format(line=_LINE, told=told), [*params, moment.now, currency, NOW, THIS_WEEK, size, start])
    return [Rank(_line(row), row[-2]) for row in rows], rows[0][-1] if rows else 0


def find(kind: str, ref: int, moment: Moment) -> Line:
    """What a source says now of a row. Raises Overtaken where it says nothing any more."""
    rows = []
    for told, params in _needs(moment, kind=kind):
        rows = _rows(_FOUND.format(line=_LINE, told=told), [*params, ref])
    if not rows:
        raise Overtaken(f"{kind}:{ref}")
    return _line(rows[0])


def behind(tasks: Iterable[Task], moment: Moment) -> dict[int, Line]:
    """What the tasks were made of, where that is still so, by the tasks' ids. One query, or none."""
    made = {(task.customer_id, task.origin): task.pk for task in tasks if task.origin.partition(":")[0] in SOURCES}
    if not made:
        return {}
    told, params = _together([_tasks(moment), *_needs(moment)])
    customers, origins = zip(*made, strict=True)
    rows = _rows(_BEHIND.format(line=_LINE, told=told), [*params, list(customers), list(origins)])
    lines = map(_line, rows)
    return {made[of]: line for line in lines if (of := (line.customer_id, line.origin)) in made}


def _tasks(moment: Moment, whose: str = "everyones", me: int = 0) -> Sql:
    """Those due within a week. A detractor waits for a call, however long there is for it."""
    nearing = Nearing("due_at", moment)
    urgency = Case(When(origin__startswith="answer:", then=Greatest(nearing, Value(NOW))), default=nearing)
    told = Told("customer_id", ref="pk", key="pk", at="due_at", urgency=urgency, person="assignee_id")
    rows = Task.objects.filter(state=Task.State.OPEN, due_at__lt=moment.midnight_in(8))
    return _whose(_told(TASK, yields=False, lasts=False), told.of(rows), whose, me)


def _needs(
    moment: Moment, whose: str = "everyones", me: int = 0, kind: str = "", *, cut: bool = False
) -> Iterator[Sql]:
    """What the sources say, or one `kind` of them; `cut` where of very many those with most at stake will do."""
    for source in [SOURCES[kind]] if kind else SOURCES.values():
        rows = source.rows(moment)
        if cut and source.weight is not None:
            rows = _heaviest(rows, source.weight, whose)
        with suppress(EmptyResultSet):  # the queryset can be seen to be empty
            yield _whose(_told(source.kind, yields=source.yields, lasts=source.done is None), rows, whose, me)


def _heaviest(rows: Lines, weight: Expression, whose: str) -> Lines:
    if whose == "nobodys":
        rows = rows.filter(need_customer__in=Customer.objects.filter(owner=None).values("pk"))
    return rows.order_by(OrderBy(weight, descending=True))[:MOST]


def _told(kind: str, *, yields: bool, lasts: bool) -> list[Any]:
    """What stands before the rows of `_TOLD`."""
    return [kind, f"{kind}:", yields, lasts]


def _whose(head: list[Any], rows: Lines, whose: str, me: int) -> Sql:
    statement, params = rows.query.sql_with_params()
    named = getattr(rows.query.annotations["need_person"], "value", rows) is not None
    mine = WHOSE[whose][named]
    return _TOLD.format(rows=statement, whose=mine), [*head, *params, *[me] * mine.count("%s")]


def _together(parts: Iterable[Sql]) -> Sql:
    statements, params = zip(*parts, strict=True)
    return " UNION ALL ".join(statements), [one for each in params for one in each]


def _rows(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _line(row: tuple[Any, ...]) -> Line:
    kind, ref, customer_id, origin, at, urgency, about, money, currency, person = row[:10]
    return Line(kind, ref, customer_id, origin, at, urgency, json.loads(about), money, currency or "", person)
