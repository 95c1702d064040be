"""Ending: a run is finished once each of its tasks is closed, and stopped by somebody or by its rule.

Each act locks the runs it is about, so that of two at once the second finds nothing left to do.
"""

from collections.abc import Collection
from typing import Any

from django.db import connection, transaction

from customers.facts import dirty
from customers.models import Playbook, PlaybookRun
from customers.playbooks.starting import TOLD
from retention.common import clock
from retention.workspace.models import User


class Over(Exception):
    """The run has ended meanwhile."""


_FINISHED = """
SELECT id FROM customers_playbookrun AS run
 WHERE id = ANY(%(runs)s) AND state = 'running'
   AND NOT EXISTS (SELECT FROM customers_runstep step LEFT JOIN customers_task task ON task.id = step.task_id
                    WHERE step.run_id = run.id AND NOT step.left_out
                      AND (step.opened_at IS NULL OR task.state = 'open'))
 ORDER BY id FOR UPDATE
"""
_GO_ON = """
UPDATE customers_playbookrun SET state = 'running', ended_at = NULL, end_reason = ''
 WHERE id IN (
    SELECT DISTINCT ON (run.playbook_id, run.customer_id) run.id
      FROM customers_playbookrun AS run
     WHERE run.id = ANY(%(runs)s) AND run.state = 'finished'
       AND EXISTS (SELECT FROM customers_runstep step JOIN customers_task task ON task.id = step.task_id
                    WHERE step.run_id = run.id AND task.state = 'open')
       AND NOT EXISTS (SELECT FROM customers_playbookrun other WHERE other.playbook_id = run.playbook_id
                          AND other.customer_id = run.customer_id AND other.state = 'running')
     ORDER BY run.playbook_id, run.customer_id, run.id DESC)
RETURNING customer_id
"""
_DROP = """
WITH dropped AS (
    UPDATE customers_task AS task SET state = 'dropped', closed_at = %(now)s, closed_by_id = %(by)s,
           updated_at = %(now)s
      FROM customers_runstep step
     WHERE step.run_id = ANY(%(runs)s) AND step.task_id = task.id AND task.state = 'open'
    RETURNING task.id, task.customer_id, task.title
)
INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
SELECT customer_id, 'task.closed', %(now)s, %(now)s, 'work', 'task:' || id,
       jsonb_build_object('task', id, 'title', title, 'state', 'dropped'), 'task:' || id || ':' || %(now)s::text
  FROM dropped ORDER BY customer_id
    ON CONFLICT DO NOTHING
"""


@transaction.atomic
def finish(run_ids: Collection[int]) -> int:
    """Finish those of the running ones of which nothing is left to be done. Gives how many that are."""
    done = _ids(_FINISHED, {"runs": list(run_ids)})
    _end(done, PlaybookRun.State.FINISHED, "", "playbook.finished")
    return len(done)


def go_on(run_ids: Collection[int]) -> None:
    """A finished run of which a task was opened again runs again, unless a new one has begun; of two the later."""
    dirty.mark(_ids(_GO_ON, {"runs": list(run_ids)}))


def stop_by_hand(run_id: int, by: User) -> int:
    """Stop a run; its open tasks are dropped. Gives how many those were. Raises Over."""
    stopped, dropped = stop([run_id], f"Stopped by {by}", by)
    if not stopped:
        raise Over(run_id)
    return dropped


def stop_all(playbook: Playbook, by: User) -> tuple[int, int]:
    """Stop all its runs. Gives how many there were, and how many tasks were dropped."""
    running = playbook.runs.filter(state=PlaybookRun.State.RUNNING)
    return stop(list(running.values_list("pk", flat=True)), f"Stopped by {by}", by)


@transaction.atomic
def stop(run_ids: Collection[int], reason: str, by: User | None = None) -> tuple[int, int]:
    """Stop those of these that run, and drop their open tasks. Gives how many runs, and how many tasks."""
    running = PlaybookRun.objects.select_for_update().filter(pk__in=run_ids, state=PlaybookRun.State.RUNNING)
    runs = list(running.order_by("pk").values_list("pk", flat=True))
    _end(runs, PlaybookRun.State.STOPPED, reason, "playbook.stopped")
    with connection.cursor() as cursor:
        cursor.execute(_DROP, {"runs": runs, "now": clock.now(), "by": by.pk if by else None})
        return len(runs), int(cursor.rowcount)


def _end(runs: list[int], state: PlaybookRun.State, reason: str, kind: str) -> None:
    now = clock.now()
    PlaybookRun.objects.filter(pk__in=runs).update(state=state, ended_at=now, end_reason=reason[:200])
    with connection.cursor() as cursor:
        cursor.execute(TOLD, {"kind": kind, "now": now, "runs": runs})


def _ids(statement: str, given: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [found for (found,) in cursor.fetchall()]
