"""Scoring: the health of some customers, worked out anew in one statement for each profile, kept where it differs.

METRICS, Health score: `Σ w·s / Σ w` over the inputs that there is data for, each with `s` from 0 to 100 points, on a
line from its worst raw value to its best; coverage is the share of the weight that those inputs have. Points, coverage
and score are whole numbers, by decimal arithmetic rounded half up.

None of this depends on what the score was before, so that scoring those who changed gives what scoring everybody
gives. What does depend on it is in `drops`.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection

from customers.events.routing import Taken
from customers.facts.those import each as each_of
from customers.health import drops
from customers.health.inputs import STEPS, Input
from customers.health.profiles import Ruler, rulers, sorted_out
from customers.models import HealthProfile, HealthSettings
from customers.segments.operators import Moment
from retention.workspace.models import Workspace

MOVES = ("segment.entered", "segment.left")
#: Keeps a subquery from being merged with the one around it, which would work out a value wherever it is named.
_ONCE = "OFFSET 0"
# In what follows # stands for an input's number in its profile: its parameters are best#, worst# and weight#.
_POINTS = "round(100 * LEAST(1, GREATEST(0, (r#::numeric - %(worst#)s) / (%(best#)s - %(worst#)s))))"
# Of an age: how many steps it has passed, and the instant of the next. A step is a whole number of seconds.
_STEP = f"(%(worst#)s - %(best#)s) * {86_400 // STEPS}"
_PASSED = f"""LEAST({STEPS}, GREATEST(0, floor(
    (extract(epoch FROM %(now)s::timestamptz - r#) - %(best#)s * 86400) / ({_STEP}))))"""
_POINTS_OF_AGE = f"100 - {100 // STEPS} * {_PASSED}"
_NEXT_STEP = f"""CASE WHEN r# + %(worst#)s * interval '1 day' > %(now)s
    THEN r# + (%(best#)s * 86400 + ({_PASSED} + 1) * {_STEP})::float8 * interval '1 second' END"""


def score(customer_ids: Sequence[int], now: datetime) -> None:
    """Bring the health of these customers up to `now`. Inside the transaction that folded their facts, at its turn."""
    moment, settings = Moment(now, Workspace.current().zone), HealthSettings.current()
    for ruler, whose in sorted_out(rulers(), customer_ids, moment):
        if whose:
            with connection.cursor() as cursor:
                cursor.execute(drops.statement(scored(tuple(ruler.inputs))), parameters(ruler, whose, now, settings))


def parameters(ruler: Ruler, customer_ids: Sequence[int], now: datetime, settings: HealthSettings) -> dict[str, Any]:
    """What the statement for a ruler takes."""
    workspace = Workspace.current()
    given: dict[str, Any] = {
        "ids": sorted(set(customer_ids)),
        "now": now,
        "currency": workspace.currency,
        "zone": workspace.time_zone,
        "window": timedelta(days=workspace.activity_window),
        "version": ruler.version,
        "good": settings.good_from,
        "watch": settings.watch_from,
        "least": settings.least_coverage,
        "drop_points": settings.drop_points,
        "drop_days": settings.drop_days,
        "drop_by_band": settings.drop_by_band,
        "labels": json.dumps({each.key: each.label for each in ruler.inputs}),
    }
    for number, measure in enumerate(ruler.inputs.values()):
        given |= {f"weight{number}": measure.weight, f"worst{number}": measure.worst, f"best{number}": measure.best}
    return given


def of_other_profile(events: Iterable[Taken]) -> set[int]:
    """The customers who may have come under another profile, because they entered or left its segment."""
    moves = [event for event in events if event.kind in MOVES]
    if not moves:
        return set()
    of_profiles = set(HealthProfile.objects.exclude(segment=None).values_list("segment_id", flat=True))
    return {event.customer_id for event in moves if event.payload["segment"] in of_profiles}


@cache
def scored(inputs: tuple[Input, ...]) -> str:
    """SQL of a profile's scores: customer_id, score, band, coverage, parts, next_edge_at."""
    weights = " + ".join(_each(inputs, "%(weight#)s")) or "0"
    present = " + ".join(_each(inputs, "CASE WHEN p# IS NULL THEN 0 ELSE %(weight#)s END")) or "0"
    gained = " + ".join(_each(inputs, "COALESCE(p# * %(weight#)s, 0)")) or "0"
    parts = ", ".join(
        f"'{each.key}', {part}"
        for each, part in zip(inputs, _each(inputs, "jsonb_build_array(r#, p#, %(weight#)s)"), strict=True)
    )
    edges = ", ".join(["NULL::timestamptz", *_each(inputs, "e#")])
    return f"""
        SELECT customer_id, score, coverage, parts, next_edge_at,
               CASE WHEN score >= %(good)s THEN 'good' WHEN score >= %(watch)s THEN 'watch'
                    WHEN score IS NOT NULL THEN 'poor' ELSE '' END AS band
        FROM (SELECT *, CASE WHEN coverage >= %(least)s THEN round(gained::numeric / NULLIF(present, 0)) END AS score
              FROM (SELECT customer_id, ({gained}) AS gained, ({present}) AS present,
                           COALESCE(round(100.0 * ({present}) / NULLIF({weights}, 0)), 0) AS coverage,
                           jsonb_build_object({parts}) AS parts, LEAST({edges}) AS next_edge_at
                    FROM ({_pointed(inputs)}) pointed {_ONCE}) summed {_ONCE}) scored
    """  # noqa: S608 - constants of the inputs


def _pointed(inputs: tuple[Input, ...]) -> str:
    """SQL of the raw value, the points and the next edge of each input: r#, p#, e#."""
    raws = (f", ({each.raw}) AS r{n}, {_later(each.edge)} AS w{n}" for n, each in enumerate(inputs))
    points = (_at(n, _POINTS_OF_AGE if each.is_age else _POINTS) for n, each in enumerate(inputs))
    edges = (_at(n, f"LEAST(w#, {_NEXT_STEP})" if each.is_age else "w#") for n, each in enumerate(inputs))
    # Without data there are no points: GREATEST and LEAST would pass over the NULL.
    told = (
        f", CASE WHEN r{n} IS NOT NULL THEN {point} END AS p{n}, {edge} AS e{n}"
        for n, (point, edge) in enumerate(zip(points, edges, strict=True))
    )
    return f"""
        SELECT *{"".join(told)}
        FROM (SELECT f.customer_id{"".join(raws)} FROM ({each_of("customers_customerfacts", "customer_id")}) f
              {" ".join(each.join for each in inputs)} {_ONCE}) raws {_ONCE}
    """  # noqa: S608 - constants of the inputs


def _later(edge: str) -> str:
    return f"CASE WHEN {edge} > %(now)s THEN {edge} END" if edge else "NULL::timestamptz"


def _each(inputs: tuple[Input, ...], template: str) -> list[str]:
    return [_at(number, template) for number in range(len(inputs))]


def _at(number: int, template: str) -> str:
    return template.replace("#", str(number))
