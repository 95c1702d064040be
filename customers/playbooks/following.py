"""Following what happened: rules start playbooks, their conditions end them, and closed tasks finish them.

Called by the router with each batch, in its transaction, once facts, stages and segments are as they should be. What
holds now decides, and the events only say for whom to ask: who has left a segment again by now is not started.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from django.db import connection

from customers.events.routing import Taken
from customers.models import Playbook, RunStep
from customers.playbooks import ending, starting
from retention.common import clock

_WANTED = """
SELECT event.customer_id, {origin} AS origin, %(now)s::timestamptz AS counts_from
  FROM customers_event event
 WHERE event.id = ANY(%(events)s) AND event.occurred_at >= %(on_since)s AND {holds}
   AND (%(segment)s::bigint IS NULL OR EXISTS (
        SELECT FROM customers_segmentmembership member
         WHERE member.segment_id = %(segment)s AND member.customer_id = event.customer_id AND member.left_at IS NULL))
"""
_IN_STAGE = """EXISTS (SELECT FROM customers_customerfacts facts
                        WHERE facts.customer_id = event.customer_id AND facts.stage = %(stage)s)"""
_EVENT = "'event:' || event.id"
#: By rule: the kind of event that starts it, what names the start, and what must hold of the event's customer.
_RULES = {
    Playbook.Rule.NEW: ("customer.created", "'new'", "true"),
    Playbook.Rule.SEGMENT: ("segment.entered", _EVENT, "event.payload ->> 'segment' = %(segment)s::text"),
    Playbook.Rule.STAGE: ("stage.changed", _EVENT, f"event.payload ->> 'to' = %(stage)s AND {_IN_STAGE}"),
}
_LEAVING = {"segment.left", "stage.changed", "subscription.cancelled", "subscription.changed", "subscription.ended"}
# Who was put into a playbook by hand stays in it, whatever holds of them.
_LEFT = """
SELECT run.id, playbook.rule
  FROM customers_playbookrun run JOIN customers_playbook playbook ON playbook.id = run.playbook_id
 WHERE run.state = 'running' AND playbook.ends_early AND run.origin NOT LIKE '%%hand:%%' AND {among}
   AND CASE playbook.rule
       WHEN 'stage' THEN NOT EXISTS (
            SELECT FROM customers_customerfacts facts
             WHERE facts.customer_id = run.customer_id AND facts.stage = playbook.stage)
       WHEN 'renewal' THEN run.counts_from > %(now)s AND NOT EXISTS (
            SELECT FROM customers_subscription contract
             WHERE contract.customer_id = run.customer_id AND contract.renews_at = run.counts_from)
       ELSE playbook.segment_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM customers_segmentmembership member
             WHERE member.segment_id = playbook.segment_id AND member.customer_id = run.customer_id
               AND member.left_at IS NULL)
       END
"""
WHY: dict[str, str] = {
    Playbook.Rule.STAGE: "They left the stage",
    Playbook.Rule.RENEWAL: "Nothing of theirs renews on that day any more",
}


def follow(events: Sequence[Taken]) -> None:
    """What a batch of events means for playbooks."""
    by_kind: dict[str, list[Taken]] = defaultdict(list)
    for event in events:
        by_kind[event.kind].append(event)
    _start(by_kind)
    if leaving := {event.customer_id for kind in _LEAVING for event in by_kind.get(kind, ())}:
        stop_left("run.customer_id = ANY(%(those)s)", list(leaving))
    if changed := _tasks(by_kind["task.closed"] + by_kind["task.opened"]):
        runs = RunStep.objects.filter(task__in=changed).values_list("run", flat=True)
        if found := set(runs):
            ending.finish(found)
            ending.go_on(found)


def _start(by_kind: dict[str, list[Taken]]) -> None:
    rules = [rule for rule, (kind, _, _) in _RULES.items() if by_kind.get(kind)]
    if not rules:
        return
    for playbook in Playbook.objects.filter(rule__in=rules, on_since__isnull=False).order_by("pk"):
        kind, origin, holds = _RULES[Playbook.Rule(playbook.rule)]
        given = {
            "events": [event.id for event in by_kind[kind]],
            "on_since": playbook.on_since,
            "segment": playbook.segment_id,
            "stage": playbook.stage,
        }
        with suppress(starting.NothingToDo):
            starting.start(playbook, _WANTED.format(origin=origin, holds=holds), given)


def stop_left(among: str, those: list[int]) -> int:
    """Stop the runs of whom the rule holds no longer; `among` narrows them by `those`. Gives how many."""
    by_rule: dict[str, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LEFT.format(among=among), {"those": those, "now": clock.now()})
        for run, rule in cursor.fetchall():
            by_rule[rule].append(run)
    return sum(ending.stop(runs, WHY.get(rule, "They left the segment"))[0] for rule, runs in by_rule.items())


def _tasks(events: Iterable[Taken]) -> list[Any]:
    return [event.payload["task"] for event in events if "task" in event.payload]
