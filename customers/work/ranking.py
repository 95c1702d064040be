"""Ranking: open tasks, and the needs that no task was made of, in one order by one statement.

What is told of whom is compiled once, not for each page: the moment is put in when it is asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Greatest, NullIf, Trim
from django.db.models.lookups import LessThanOrEqual

from customers.models import Customer, Stage, Task
from customers.work.moments import WHENEVER, Moment, Then, filled
from customers.work.needs import NOW, SOURCES, THIS_WEEK, About, Line, Lines, Nearing, Overtaken, Source, Told, calm
from retention.common import planned

TASK = "task"
#: So many lines of a kind are ranked at most, where the list is not one person's: as they are dealt with, others come.
MOST = 50
#: Open tasks of one customer that are shown.
OF_ONE = 50
BANDS = {1: "Now", 2: "This week", 3: "Coming up"}
# As an array, for which the planner looks up each of them by index, however little it knows of the rest.
_MY_CUSTOMERS = "need_customer = ANY(ARRAY(SELECT id FROM mine))"
_NOBODYS = "need_customer IN (SELECT id FROM customers_customer WHERE owner_id IS NULL)"
#: Whose lines, of a kind that names nobody, and of one that may; each %s is me. Asked of each kind by itself, so that
#: no more is read of it than that.
WHOSE = {
    "mine": (_MY_CUSTOMERS, f"(need_person = %s OR need_person IS NULL AND {_MY_CUSTOMERS})"),
    "nobodys": (_NOBODYS, f"(need_person IS NULL AND {_NOBODYS})"),
    "everyones": ("true", "true"),
}


@dataclass(frozen=True)
class Who:
    """The customer of a line, as far as lists tell of them; `name` is what they go by, `owner` who looks after them."""

    pk: int
    name: str
    email: str
    phone: str
    is_key_account: bool
    owner: str
    stage: str
    stage_since: datetime | None
    mrr: Decimal
    revenue_365d: Decimal
    nps_score: int | None
    nps_at: datetime | None
    usage_30d: int
    usage_prior_30d: int
    last_order_at: datetime | None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Rank:
    """A line in its place: `stake` is the money that it was weighed by."""

    line: Line
    stake: Decimal
    who: Who

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
       need_currency::text AS currency, need_person::bigint AS person, %s AS yields
  FROM ({rows}) AS rows
 WHERE {whose}
"""
_COLUMNS = "kind, ref, customer_id, origin, at, urgency, about, money, currency, person"
_LINE = "told." + _COLUMNS.replace(", ", ", told.").replace("told.about", "row_to_json(told.about)")
_WHO = f"""
    customer.id, COALESCE(NULLIF(customer.name, ''), NULLIF(customer.email, ''), customer.external_id), customer.email,
    customer.phone, is_key_account,
    COALESCE(NULLIF(btrim(owner.first_name || ' ' || owner.last_name), ''), owner.email, ''),
    COALESCE(stage, '{Stage.PROSPECT}'), stage_since, COALESCE(mrr, 0), COALESCE(revenue_365d, 0), nps_score, nps_at,
    COALESCE(usage_30d, 0), COALESCE(usage_prior_30d, 0), last_order_at
"""
# What yields leaves the customer to the most urgent of their other such lines. The money is looked up only as far down
# as the bands that the part reaches.
_RANKED = """
WITH mine AS MATERIALIZED (
    SELECT id FROM customers_customer WHERE owner_id = %s
), shown AS MATERIALIZED (
    SELECT DISTINCT ON (customer_id, CASE WHEN yields THEN '' ELSE kind || ref END) {columns},
           CASE WHEN urgency >= {now} THEN 1 WHEN urgency >= {this_week} THEN 2 ELSE 3 END AS band
      FROM ({told}) AS told
     WHERE urgency >= {least}
     ORDER BY customer_id, CASE WHEN yields THEN '' ELSE kind || ref END, urgency DESC, kind DESC
), weighed AS MATERIALIZED (
    SELECT {columns}, band,
           greatest(CASE WHEN currency = %s THEN money
                         ELSE (SELECT greatest(12 * mrr, revenue_365d) FROM customers_customerfacts facts
                                WHERE facts.customer_id = shown.customer_id) END, 1) AS stake
      FROM shown
     WHERE band <= COALESCE((SELECT band FROM shown ORDER BY band LIMIT 1 OFFSET %s), 3)
), listed AS (
    SELECT * FROM weighed ORDER BY band, stake * urgency DESC, at, kind, ref LIMIT %s OFFSET %s
)
SELECT {line}, stake, (SELECT count(*) FROM shown), {who}
  FROM listed AS told
  JOIN customers_customer customer ON customer.id = told.customer_id
  LEFT JOIN customers_customerfacts facts ON facts.customer_id = told.customer_id
  LEFT JOIN workspace_user owner ON owner.id = customer.owner_id
 ORDER BY band, stake * urgency DESC, at, told.kind, ref
"""
_FOUND = "SELECT {line} FROM ({told}) AS told WHERE ref = %s ORDER BY urgency DESC LIMIT 1"
_BEHIND = "SELECT {line} FROM ({told}) AS told WHERE customer_id = ANY(%s) AND origin = ANY(%s)"
_OF_ONE = "SELECT {line} FROM ({told}) AS told WHERE customer_id = %s ORDER BY at, ref LIMIT {most}"
Sql = tuple[str, tuple[Any, ...]]
Slices = Callable[[Source], Iterable[Lines]]
_ASSIGNEE = Trim(Concat("assignee__first_name", Value(" "), "assignee__last_name"))
_OF_TASK = {
    "title": F("title"),
    "reason": F("reason"),
    "origin": F("origin"),
    "assignee": Coalesce(NullIf(_ASSIGNEE, Value("")), "assignee__email"),
    "run": F("run_step__run_id"),
    "playbook": F("run_step__run__playbook__name"),
}


@dataclass(frozen=True)
class Ranks:
    """A part of a list. `total` is how long the whole is; unless `whole`, how much of it is for now, which goes on."""

    ranks: list[Rank]
    total: int
    whole: bool


@dataclass(frozen=True)
class Listed:
    """A statement that ranks, and what varies of its parameters."""

    statement: str
    params: tuple[Any, ...]
    whole: bool


def ranked(whose: str, moment: Moment, currency: str, start: int, size: int) -> Ranks:
    """A part of the list of `whose` (a key of WHOSE).

    One query, or two: lists that are not one person's are long and begin with what is for now, so that is asked by
    itself, and the whole where it does not fill the part.
    """
    kinds, part = tuple(SOURCES.values()), slice(start, start + size)
    if whose != "mine":
        for_now = _ranked(_listed(whose, MOST, _pressing(kinds), NOW), moment, currency, part)
        if for_now.total > part.stop:
            return for_now
    return _ranked(_listed(whose, MOST, kinds), moment, currency, part)


def _ranked(listed: Listed, moment: Moment, currency: str, part: slice) -> Ranks:
    last, size = max(0, part.stop - 1), part.stop - part.start
    given = [moment.me, *filled(listed.params, moment), currency, last, size, part.start]
    rows = planned.rows(listed.statement, given)
    ranks = [Rank(_line(row), row[10], Who(*row[12:])) for row in rows]
    return Ranks(ranks, rows[0][11] if rows else 0, listed.whole)


@cache
def _pressing(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Those of which something may be for now."""
    return tuple(each for each in sources if not calm(_column(each, "need_urgency")))


def find(kind: str, ref: int, moment: Moment) -> Line:
    """What a source says now of a row. Raises Overtaken where it says nothing any more."""
    told, params = _every((SOURCES[kind],))
    rows = _rows(_FOUND.format(line=_LINE, told=told), [*filled(params, moment), ref])
    if not rows:
        raise Overtaken(f"{kind}:{ref}")
    return _line(rows[0])


def behind(tasks: Mapping[tuple[int, str], int], moment: Moment) -> dict[int, Line]:
    """What tasks were made of, where that is still so, by the tasks' ids; given by their customer and origin.

    One query, or none.
    """
    made = {of: pk for of, pk in tasks.items() if of[1].partition(":")[0] in SOURCES}
    if not made:
        return {}
    told, params = _every(tuple(SOURCES.values()))
    customers, origins = zip(*made, strict=True)
    statement = _BEHIND.format(line=_LINE, told=told)
    lines = map(_line, planned.rows(statement, [*filled(params, moment), list(customers), list(origins)]))
    return {made[of]: line for line in lines if (of := (line.customer_id, line.origin)) in made}


def tasks_of(customer_id: int, moment: Moment) -> list[Line]:
    """A customer's open tasks, the first due first. One query."""
    told, params = _open_tasks()
    statement = _OF_ONE.format(line=_LINE, told=told, most=OF_ONE)
    return [_line(row) for row in planned.rows(statement, [*filled(params, moment), customer_id])]


@cache
def _listed(whose: str, most: int, sources: tuple[Source, ...], least: float = 0) -> Listed:
    """The list of `whose`, as far as it is as urgent as `least`; of a kind that has very many only the `most` that come
    first, but all of mine.
    """
    shown = Q(put_off_until=None) | Q(put_off_until__lt=WHENEVER.midnight_in(1))
    soon = Task.objects.filter(shown, due_at__lt=WHENEVER.midnight_in(8))
    slices = partial(_waiting, whose, 0 if whose == "mine" else most, least >= NOW)
    told, params = _together([_tasks(soon, whose), *_needs(sources, whose, slices)])
    told, varying = planned.written(told, params, lambda param: isinstance(param, Then))
    parts = {"columns": _COLUMNS, "line": _LINE, "told": told, "who": _WHO}
    statement = _RANKED.format(**parts, least=least, now=NOW, this_week=THIS_WEEK)
    return Listed(statement, tuple(varying), whole=not least)


@cache
def _every(sources: tuple[Source, ...]) -> Sql:
    """All that the sources say."""
    return _together(_needs(sources))


@cache
def _open_tasks() -> Sql:
    return _tasks(Task.objects.all())


def _tasks(tasks: QuerySet[Task], whose: str = "everyones") -> Sql:
    """Those of the tasks that are open. A detractor waits for a call, however long there is for it."""
    nearing = Nearing("due_at", WHENEVER)
    urgency = Case(When(origin__startswith="answer:", then=Greatest(nearing, Value(NOW))), default=nearing)
    told = Told("customer_id", ref="pk", key="pk", at="due_at", urgency=urgency, about=_OF_TASK, person="assignee_id")
    return _whose(_told(TASK, yields=False), told.of(tasks.filter(state=Task.State.OPEN)), whose)


def _needs(sources: Iterable[Source], whose: str = "everyones", slices: Slices | None = None) -> Iterator[Sql]:
    """What the sources say, all of it unless there are `slices`."""
    for source in sources:
        for rows in slices(source) if slices else (source.rows(WHENEVER),):
            with suppress(EmptyResultSet):  # the queryset can be seen to be empty
                yield _whose(_told(source.kind, yields=source.yields), rows, whose)


def _waiting(whose: str, most: int, pressing: bool, source: Source) -> Iterator[Lines]:
    """What nobody has dealt with; `most`: of a kind that has very many those that come first, or are for now."""
    rows = source.rows(WHENEVER)
    rows = rows.exclude(Exists(_dealt_with(source)))
    if not most or not source.first:
        yield rows
        return
    if whose == "nobodys":  # before they are cut off
        rows = rows.filter(need_customer__in=Customer.objects.filter(owner=None).values("pk"), need_person=None)
    for first in source.first:
        where = first.where & first.pressing if pressing else first.where
        yield rows.filter(where).order_by(first.order)[:most]


def _dealt_with(source: Source) -> QuerySet[Task]:
    """Tasks that silence a line.

    One of its origin does: for good, or while it is open where there is something to be done beside. What yields leaves
    the customer to any open task that is due before what the line is about.
    """
    still_open = Q(state=Task.State.OPEN)
    made = Q(origin=Concat(Value(f"{source.kind}:"), Cast(OuterRef("need_key"), TextField())))
    silencing = made & still_open if source.done else made
    if source.yields:
        overdue = LessThanOrEqual(OuterRef("need_at"), WHENEVER.now)
        silencing |= still_open & (Q(overdue) | Q(due_at__lt=OuterRef("need_at")))
    return Task.objects.filter(silencing, customer=OuterRef("need_customer"))


def _told(kind: str, *, yields: bool) -> list[Any]:
    """What stands before the rows of `_TOLD`."""
    return [kind, f"{kind}:", yields]


def _whose(head: list[Any], rows: Lines, whose: str) -> Sql:
    statement, params = rows.query.sql_with_params()
    named = getattr(rows.query.annotations["need_person"], "value", rows) is not None
    mine = WHOSE[whose][named]
    me: list[Then] = [WHENEVER.me] * mine.count("%s")
    return _TOLD.format(rows=statement, whose=mine), (*head, *params, *me)


def _together(parts: Iterable[Sql]) -> Sql:
    statements, params = zip(*parts, strict=True)
    return " UNION ALL ".join(statements), tuple(one for each in params for one in each)


def _rows(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _line(row: tuple[Any, ...]) -> Line:
    kind, ref, customer_id, origin, at, urgency, about, money, currency, person = row[:10]
    told = dict(zip(_names(kind), about.values(), strict=True))
    return Line(kind, ref, customer_id, origin, at, urgency, told, money, currency or "", person)


def _names(kind: str) -> Iterable[str]:
    return _OF_TASK if kind == TASK else _named(SOURCES[kind])


@cache
def _named(source: Source) -> tuple[str, ...]:
    return cast("About", _column(source, "need_about")).names


def _column(source: Source, name: str) -> Any:
    return source.rows(WHENEVER).query.annotations[name]
