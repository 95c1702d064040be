"""A customer's timeline: their events, latest first, each told in a sentence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.utils import timezone

from customers.events.kinds import CATALOGUE
from customers.events.recording import API_KEY
from customers.models import Channel, Event, Segment, Stage
from retention.common import planned
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import money

SIZE = 100
STAGES = {stage: label.lower() for stage, label in Stage.choices}
#: What the timeline can be narrowed to, and the first parts of the kinds that belong to it.
GROUPS: dict[str, tuple[str, ...]] = {
    "Orders": ("order",),
    "Subscriptions": ("subscription", "renewal"),
    "Usage": ("usage",),
    "Other systems": ("reported",),
    "Lifecycle": ("customer", "stage", "health", "segment", "import"),
    "Messages": ("message", "campaign", "consent", "address"),
    "People": ("contact",),
    "Interactions": ("interaction",),
    "Surveys": ("survey",),
    "Offers": ("offer",),
    "Tasks": ("task", "playbook"),
    "Cases": ("case",),
    "Plans": ("plan", "milestone"),
}
#: Where an event leads: the payload's part that has the id, and the page of it.
LEADS = (
    ("merge", "customers:merge"),
    ("segment", "customers:segment"),
    ("campaign", "campaigns:detail"),
    ("survey", "surveys:detail"),
    ("offer", "loyalty:detail"),
    ("interaction", "customers:interaction"),
    ("plan", "customers:plan"),
    ("handover", "customers:handover"),
    ("subscription", "customers:subscription"),
    ("run", "customers:playbook_run"),
)


#: Fewer events of some kinds than these are all read, and the latest chosen; of more the timeline is walked.
FEW = 2_000
# Of a customer with very many events those of a seldom kind are found by the index that keeps each from being recorded
# twice, one kind at a time; for all kinds together the planner takes the timeline, which may be walked to its end.
_OF_KINDS = f"""id = ANY(ARRAY(
    WITH met(id) AS MATERIALIZED (
        SELECT each.id
          FROM unnest(%(kinds)s::text[]) AS wanted(kind) CROSS JOIN LATERAL
               (SELECT id FROM customers_event
                 WHERE customer_id = %(customer)s AND kind = wanted.kind LIMIT {FEW}) AS each
         LIMIT {FEW}
    ), many(so) AS MATERIALIZED (SELECT count(*) = {FEW} FROM met)
    SELECT id FROM met WHERE NOT (SELECT so FROM many) UNION ALL
    (SELECT id FROM customers_event
      WHERE (SELECT so FROM many) AND customer_id = %(customer)s AND kind = ANY(%(kinds)s) AND {{after}}
      ORDER BY occurred_at DESC, id DESC LIMIT %(most)s)
)) AND {{after}}"""  # noqa: S608 - constants
_OF_ALL = "customer_id = %(customer)s AND {after}"
_AFTER = "(occurred_at, id) < (%(at)s, %(id)s)"
# By hand: to put it together for each page takes longer than to ask it.
_LATEST = f"""
    SELECT {planned.columns(Event, "event")}, segment.name AS segment_name
    FROM (SELECT * FROM customers_event WHERE {{where}} ORDER BY occurred_at DESC, id DESC LIMIT %(most)s) AS event
    LEFT JOIN customers_segment AS segment
           ON segment.id = CASE WHEN jsonb_typeof(payload -> 'segment') = 'number'
                                THEN (payload ->> 'segment')::numeric END
    ORDER BY occurred_at DESC, event.id DESC
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Told:
    """An event as the timeline shows it."""

    pk: int
    group: str
    sentence: str
    note: str
    url: str
    at: datetime
    source: str
    times: int = 1
    since: datetime | None = None


@dataclass(frozen=True)
class Part:
    """Some events and the mark to go on from, empty at the end."""

    events: Sequence[Told]
    next: str


@cache
def group_of(kind: str) -> str:
    first = kind.split(".")[0]
    return next((name for name, firsts in GROUPS.items() if first in firsts), "Other")


def kinds_of(groups: Iterable[str]) -> list[str]:
    wanted = set(groups)
    return [kind for kind in CATALOGUE if group_of(kind) in wanted]


def part(customer_id: int, groups: Sequence[str], after: str = "") -> Part:
    """The latest events, or those after a mark; of some groups, or of all where none is named. One query."""
    found = _latest(customer_id, kinds_of(groups) if groups else None, _unmark(after))
    shown = found[:SIZE]
    names = {event.payload["segment"]: event.segment_name for event in shown if event.segment_name}
    lines = _together((told(event, names) for event in shown), by_day=list(groups) == ["Usage"])
    return Part(lines, _mark(shown[-1]) if len(found) > SIZE else "")


def _latest(customer_id: int, kinds: Sequence[str] | None, mark: tuple[datetime, int] | None) -> list[Any]:
    """Events, one more than a part has."""
    at, pk = mark or (None, None)
    where = (_OF_ALL if kinds is None else _OF_KINDS).format(after=_AFTER if mark else "true")
    given = {"customer": customer_id, "kinds": kinds, "at": at, "id": pk, "most": SIZE + 1}
    return planned.instances(Event, _LATEST.format(where=where), given)


def _together(events: Iterable[Told], *, by_day: bool) -> list[Told]:
    """Uses of the product that nothing came between are one line, which says how many they were and since when."""
    lines: list[Told] = []
    for event in events:
        last = lines[-1] if lines else None
        if last and event.group == last.group == "Usage" and not (by_day and _day(event.at) != _day(last.at)):
            since = None if _day(event.at) == _day(last.at) else event.at
            lines[-1] = replace(last, times=last.times + 1, since=since)
        else:
            lines.append(event)
    return lines


def _day(at: datetime) -> date:
    return timezone.localtime(at).date()


def told(event: Event, segments: dict[int, str]) -> Told:
    return Told(
        pk=event.pk,
        group=group_of(event.kind),
        sentence=_sentence(event, segments),
        note=_note(event.payload),
        url=_leads_to(event.payload),
        at=event.occurred_at,
        source=event.source,
    )


def _note(payload: dict[str, Any]) -> str:
    if payload.get("machine"):
        return "By a machine that checks mail: it counts for nothing"
    because = f"Because: {payload['why']}" if payload.get("why") else ""
    return " · ".join(filter(None, (because, _evidence(payload), by_key(payload))))


def _evidence(payload: dict[str, Any]) -> str:
    """Where a consent was given or withdrawn, and what proves it."""
    return ", ".join(filter(None, (str(payload.get("told", "")), str(payload.get("proof", "")))))


def by_key(payload: dict[str, Any]) -> str:
    """Which API key wrote it, unless the sentence says that; empty where a person did, or the product."""
    return f"By API key {payload[API_KEY]}" if payload.get(API_KEY) and "by" not in payload else ""


def _sentence(event: Event, segments: dict[int, str]) -> str:
    kind = CATALOGUE.get(event.kind)
    if kind is None:
        return event.kind
    try:
        return kind.sentence.format_map(_words(event.payload, segments)) or kind.label
    except KeyError:
        return kind.label


def _words(payload: dict[str, Any], segments: dict[int, str]) -> dict[str, Any]:
    words = dict(payload)
    if payload.get("segment") in segments:
        words["segment"] = segments[payload["segment"]]
    else:
        words.pop("segment", None)
    for end in ("from", "to"):
        stage = payload.get(end)
        if isinstance(stage, str) and stage in STAGES:
            words[end] = STAGES[stage]
    if payload.get(API_KEY) and "by" in payload:
        words["by"] = f"API key {payload[API_KEY]}"
    if payload.get("channel") in Channel.values:
        words["channel"] = Channel(payload["channel"]).label.lower()
    if "amount" in payload:
        words["amount"] = _amount(payload)
    return words


def _amount(payload: dict[str, Any]) -> str:
    try:
        return money(Decimal(str(payload["amount"])), str(payload.get("currency", "")))
    except InvalidOperation:
        return str(payload["amount"])


def segment_names(events: Iterable[Event]) -> dict[int, str]:
    ids = {event.payload["segment"] for event in events if isinstance(event.payload.get("segment"), int)}
    return dict(Segment.objects.filter(pk__in=ids).values_list("pk", "name"))


def _leads_to(payload: dict[str, Any]) -> str:
    found = (page_of(view, payload[name]) for name, view in LEADS if isinstance(payload.get(name), int))
    return next(found, "")


def _mark(event: Event) -> str:
    return f"{event.occurred_at.isoformat()}~{event.pk}"


def _unmark(text: str) -> tuple[datetime, int] | None:
    at, _, pk = text.partition("~")
    try:
        return datetime.fromisoformat(at), int(pk)
    except ValueError:
        return None
