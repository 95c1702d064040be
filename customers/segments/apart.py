"""What sets a segment apart: the fields in which its customers differ most from everybody.

Numbers are compared by the standardised difference of means, (mean of members - mean of all) / standard deviation of
all (Cohen 1988, d with the population's deviation); categories by lift, share among members / share among all, put in
order by (p - q) / sqrt(q(1 - q)), which is the same measure for a yes or no. Unknown values are left out of either.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customers.models import CustomerFacts, Segment
from customers.segments import catalogue, for_dates, for_values
from customers.segments.custom import CustomColumns
from customers.segments.fields import TABLES, Column
from customers.segments.operators import Moment, Sql, bound, join
from customers.segments.patience import patiently

#: Above so many customers everybody is judged by a sample of about so many; members above so many likewise.
SAMPLE = 100_000
#: A value that fewer of the members have than this says little.
FEW = 5
_CATEGORIES = ("country", "language", "source")
_LEFT_OUT = ("value_recency", "value_frequency", "value_money", "value_group")


@dataclass(frozen=True)
class Contrast:
    """A field, or one value of it, among members and among everybody; `effect` is in standard deviations.

    Of a number `members` and `all` are means, of a category's value they are shares from 0 to 1.
    """

    column: Column
    effect: float
    members: float
    all: float
    known_members: int
    known_all: int
    value: str = ""

    @property
    def is_share(self) -> bool:
        return bool(self.value)

    @property
    def lift(self) -> float | None:
        return self.members / self.all if self.is_share and self.all else None

    @property
    def having(self) -> int:
        """How many members have the value."""
        return round(self.members * self.known_members)


@dataclass(frozen=True)
class Apart:
    """`sampled`: everybody was judged by about so many, 0 where by all."""

    contrasts: list[Contrast]
    sampled: int


def columns() -> dict[str, Column]:
    """The fields that are compared, by key."""
    every = (*catalogue.COLUMNS, *CustomColumns().columns.values())
    asked = [column for column in every if _is_number(column) or _is_category(column)]
    return {column.key: column for column in asked if column.key not in _LEFT_OUT}


def _is_number(column: Column) -> bool:
    return column.operators in (for_values.NUMBER, for_dates.DATE)


def _is_category(column: Column) -> bool:
    return (
        column.key in _CATEGORIES
        or column.operators is for_values.TAGS
        or (bool(column.choices) and column.operators is not for_values.SEVERAL)
    )


def number(column: Column, moment: Moment) -> Sql:
    """A number of a customer, for an instant the days since then."""
    x = bound(column.sql, moment)
    if column.operators is for_dates.DATE:
        return Sql(f"extract(epoch FROM %s - {x.text})::float8 / 86400", (moment.now, *x.params))
    return Sql(f"({x.text})::float8", x.params)


def apart(segment: Segment, moment: Moment) -> Apart:
    """The differences, the greatest first. Four statements at most, whatever the fields. Raises TooSlow."""
    asked = list(columns().values())
    everybody = CustomerFacts.objects.all()[: SAMPLE + 1].count()
    sample, sampled = _sample() if everybody > SAMPLE else ("", 0)
    members = _Who(f"JOIN ({_MEMBERS}) m ON m.customer_id = f.customer_id", (segment.pk, SAMPLE))
    all_ = _Who("", (), sample)
    numbers = [column for column in asked if _is_number(column)]
    categories = [column for column in asked if _is_category(column)]
    found = _numbers(numbers, _means(numbers, members, moment), _means(numbers, all_, moment))
    found += _shares(categories, _counts(categories, members, moment), _counts(categories, all_, moment))
    return Apart(sorted(found, key=lambda contrast: -abs(contrast.effect)), sampled)


_MEMBERS = """SELECT customer_id FROM customers_segmentmembership
    WHERE segment_id = %s AND left_at IS NULL ORDER BY hashint8(customer_id) LIMIT %s"""


@dataclass(frozen=True)
class _Who:
    """Of whom: a join that narrows everybody down, or a sample of them."""

    join: str
    params: tuple[Any, ...]
    sample: str = ""

    @property
    def tables(self) -> str:
        return " ".join([TABLES["f"], self.sample, self.join, *(sql for alias, sql in TABLES.items() if alias != "f")])


def _sample() -> tuple[str, int]:
    """Whole pages of the facts, the same each time."""
    with patiently() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'customers_customerfacts'::regclass")
        rows = max(float(SAMPLE), cursor.fetchone()[0])
    return f"TABLESAMPLE SYSTEM ({100 * SAMPLE / rows:.4f}) REPEATABLE (1)", SAMPLE


Mean = tuple[int, float | None, float | None]


def _means(asked: Sequence[Column], who: _Who, moment: Moment) -> list[Mean]:
    """Of each number: how many have it, mean, standard deviation. One pass."""
    values = [number(column, moment) for column in asked]
    picked = join((Sql(f"{x.text} AS x{at}", x.params) for at, x in enumerate(values)), ", ")
    told = ", ".join(f"count(x{at}), avg(x{at}), stddev_samp(x{at})" for at in range(len(values)))
    with patiently() as cursor:
        cursor.execute(
            f"SELECT {told} FROM (SELECT {picked.text} FROM {who.tables}) x",  # noqa: S608 - constants with parameters
            (*picked.params, *who.params),
        )
        row = cursor.fetchone()
    return [row[3 * at : 3 * at + 3] for at in range(len(values))]


def _numbers(asked: Sequence[Column], members: Sequence[Mean], all_: Sequence[Mean]) -> list[Contrast]:
    found = []
    for column, (known, mean, _), (known_all, mean_all, deviation) in zip(asked, members, all_, strict=True):
        if mean is not None and mean_all is not None and deviation and known >= FEW:
            found.append(Contrast(column, (mean - mean_all) / deviation, mean, mean_all, known, known_all))
    return found


def _counts(asked: Sequence[Column], who: _Who, moment: Moment) -> dict[str, dict[str, int]]:
    """How many have each value of each category. One pass."""
    with patiently() as cursor:
        everyone = Sql("SELECT ''::text, 'all'::text")
        values = join((everyone, *(_values(column, moment) for column in asked)), " UNION ALL ")
        cursor.execute(
            f"SELECT field, value, count(*) FROM {who.tables} CROSS JOIN LATERAL ({values.text}) each(field, value) "  # noqa: S608
            "WHERE value IS NOT NULL GROUP BY field, value",
            (*who.params, *values.params),
        )
        found: dict[str, dict[str, int]] = {}
        for field, value, count in cursor.fetchall():
            found.setdefault(field, {})[value] = count
    return found


def _values(column: Column, moment: Moment) -> Sql:
    x = bound(column.sql, moment)
    if column.operators is for_values.TAGS:
        return Sql(f"SELECT %s::text, unnest({x.text})::text", (column.key, *x.params))
    return Sql(f"SELECT %s::text, ({x.text})::text", (column.key, *x.params))


def _shares(
    asked: Sequence[Column], members: Mapping[str, Mapping[str, int]], all_: Mapping[str, Mapping[str, int]]
) -> list[Contrast]:
    found = []
    for column in asked:
        here, everywhere = members.get(column.key, {}), all_.get(column.key, {})
        known, known_all = (_known(column, counts) for counts in (members, all_))
        for value, count in everywhere.items():
            share, mine = count / known_all, here.get(value, 0) / known if known else 0
            if known and 0 < share < 1 and max(here.get(value, 0), share * known) >= FEW:
                effect = (mine - share) / math.sqrt(share * (1 - share))
                found.append(Contrast(column, effect, mine, share, known, known_all, value))
    return found


def _known(column: Column, counts: Mapping[str, Mapping[str, int]]) -> int:
    """Of how many customers the field is known; of tags that is everybody, for they can have several or none."""
    of = "" if column.operators is for_values.TAGS else column.key
    return sum(counts.get(of, {}).values())
