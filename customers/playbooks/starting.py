"""Starting: one statement for all customers. Of two who start at once one does, and a second try adds nothing.

A customer is never in the same playbook twice at a time, and once for each origin: the database holds both. Of the
steps whose day is over when a run begins only the last is opened; the others are left out.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.models import Playbook
from customers.playbooks import opening
from customers.work.working_days import END_OF_WORK
from retention.common import clock
from retention.workspace.models import User, Workspace


class NothingToDo(Exception):
    """The playbook has no steps."""


class NoRenewal(Exception):
    """Its days count from a renewal, and the customer has none ahead."""


_RUNS = """
INSERT INTO customers_playbookrun
       (playbook_id, customer_id, origin, state, counts_from, started_at, started_by_id, end_reason)
SELECT %(playbook)s, customer_id, origin, 'running', counts_from, %(now)s, %(by)s, ''
  FROM ({wanted}) AS wanted
 WHERE NOT EXISTS (SELECT FROM customers_playbookrun AS run
                    WHERE run.playbook_id = %(playbook)s AND run.customer_id = wanted.customer_id
                      AND (run.state = 'running' OR run.origin = wanted.origin))
 ORDER BY customer_id, counts_from
    ON CONFLICT DO NOTHING
RETURNING id
"""
# A step on a weekend moves: where days count from the renewal, to the Friday before; else to the Monday after.
_STEPS = """
INSERT INTO customers_runstep (run_id, position, title, reason, whose, person_id, opens_at, due_at, left_out)
SELECT run_id, position, title, reason, whose, person_id, day::timestamp AT TIME ZONE %(zone)s,
       (day + %(end_of_work)s::time) AT TIME ZONE %(zone)s,
       day < %(today)s AND row_number() OVER (PARTITION BY run_id, day < %(today)s ORDER BY day DESC, position DESC) > 1
  FROM (SELECT run.id AS run_id, step.position, step.title, step.reason, step.whose, step.person_id,
               wanted.day + CASE extract(isodow FROM wanted.day)
                   WHEN 6 THEN CASE WHEN %(backward)s THEN -1 ELSE 2 END
                   WHEN 7 THEN CASE WHEN %(backward)s THEN -2 ELSE 1 END ELSE 0 END::int AS day
          FROM customers_playbookrun run
          JOIN customers_playbookstep step ON step.playbook_id = run.playbook_id
         CROSS JOIN LATERAL (
               SELECT (run.counts_from AT TIME ZONE %(zone)s)::date + step.offset_days AS day) AS wanted
         WHERE run.id = ANY(%(runs)s)) AS dated
"""
TOLD = """
INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
SELECT run.customer_id, %(kind)s, %(now)s, %(now)s, 'playbooks', 'playbook:' || playbook.id,
       jsonb_build_object('playbook', playbook.id, 'run', run.id, 'name', playbook.name, 'reason', run.end_reason),
       'run:' || run.id || ':' || %(now)s::text
  FROM customers_playbookrun run JOIN customers_playbook playbook ON playbook.id = run.playbook_id
 WHERE run.id = ANY(%(runs)s)
 ORDER BY run.customer_id
    ON CONFLICT DO NOTHING
"""
_BY_HAND = """
SELECT id AS customer_id, %(origin)s AS origin, %(now)s::timestamptz AS counts_from
  FROM customers_customer WHERE id = ANY(%(customers)s)
"""
_BY_HAND_TO_RENEWAL = """
SELECT customer_id, 'renewal:' || (renews_at AT TIME ZONE 'UTC')::date || ':' || %(origin)s AS origin,
       renews_at AS counts_from
  FROM customers_customerfacts WHERE customer_id = ANY(%(customers)s) AND renews_at > %(now)s
"""


@transaction.atomic
def start_by_hand(playbook: Playbook, customer_ids: Collection[int], by: User) -> int:
    """Start it for those of these customers whom it does not run for. Gives for how many. Raises NothingToDo.

    Where days count from the renewal, customers without one ahead are left alone; NoRenewal where that leaves nobody.
    """
    wanted = _BY_HAND_TO_RENEWAL if playbook.by_renewal else _BY_HAND
    given = {"customers": list(customer_ids), "origin": f"hand:{uuid.uuid4().hex[:16]}"}
    if playbook.by_renewal and not _any(wanted, given | {"now": clock.now()}):
        raise NoRenewal
    return start(playbook, wanted, given, by)


@transaction.atomic
def start(playbook: Playbook, wanted: str, given: dict[str, Any], by: User | None = None) -> int:
    """Start it for the rows of `wanted`: a SELECT of customer_id, origin and counts_from, with its parameters.

    Gives for how many. Raises NothingToDo.
    """
    if not playbook.steps.exists():
        raise NothingToDo
    now, zone = clock.now(), Workspace.current().zone
    asked = given | {"playbook": playbook.pk, "now": now, "by": by.pk if by else None}
    with connection.cursor() as cursor:
        cursor.execute(_RUNS.format(wanted=wanted), asked)
        runs = [run_id for (run_id,) in cursor.fetchall()]
        if runs:
            cursor.execute(_STEPS, _days(playbook, runs, now, str(zone)))
            cursor.execute(TOLD, {"kind": "playbook.started", "now": now, "runs": runs})
    if runs:
        opening.open_due()
    return len(runs)


def _days(playbook: Playbook, runs: list[int], now: datetime, zone: str) -> dict[str, Any]:
    return {
        "runs": runs,
        "zone": zone,
        "today": now.astimezone(Workspace.current().zone).date(),
        "end_of_work": END_OF_WORK,
        "backward": playbook.by_renewal,
    }


def _any(wanted: str, given: dict[str, Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(wanted + " LIMIT 1", given)
        return cursor.fetchone() is not None
