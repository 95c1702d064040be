"""Opening: the task of each step, on the step's day."""

from django.db import connection, transaction

from retention.common import clock

#: Steps at a time.
MANY = 2_000

# Whoever else opens steps at this moment has others of them. A run that is being ended is left alone, and one whose
# steps are being opened is ended after that: so no task is opened for a run that is over. A task of this origin that is
# there already stays.
_OPEN = """
WITH due AS (
    SELECT step.id, run.customer_id, step.title, step.reason, step.due_at, step.whose, step.person_id
      FROM customers_runstep step JOIN customers_playbookrun run ON run.id = step.run_id
     WHERE step.opened_at IS NULL AND NOT step.left_out AND step.opens_at <= %(now)s AND run.state = 'running'
     ORDER BY step.opens_at LIMIT %(many)s
       FOR UPDATE OF step SKIP LOCKED FOR SHARE OF run SKIP LOCKED
), opened AS (
    INSERT INTO customers_task (customer_id, title, reason, state, due_at, assignee_id, origin, created_at, updated_at)
    SELECT due.customer_id, due.title, due.reason, 'open', due.due_at,
           CASE due.whose WHEN 'person' THEN due.person_id WHEN 'lead' THEN coalesce(team.lead_id, customer.owner_id)
               ELSE customer.owner_id END,
           'playbook:' || due.id, %(now)s, %(now)s
      FROM due JOIN customers_customer customer ON customer.id = due.customer_id
      LEFT JOIN customers_team team ON team.id = customer.team_id
     ORDER BY due.customer_id, due.id
        ON CONFLICT DO NOTHING
    RETURNING id, customer_id, title, origin
), told AS (
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, 'task.opened', %(now)s, %(now)s, 'work', 'task:' || id,
           jsonb_build_object('task', id, 'title', title, 'state', 'open'), 'task:' || id || ':' || %(now)s::text
      FROM opened ORDER BY customer_id
        ON CONFLICT DO NOTHING
)
UPDATE customers_runstep step SET opened_at = %(now)s, task_id = opened.id
  FROM due LEFT JOIN opened ON opened.origin = 'playbook:' || due.id
 WHERE step.id = due.id
"""


@transaction.atomic
def open_due() -> int:
    """Open the tasks of up to MANY steps whose day has come. Gives how many steps that were."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"now": clock.now(), "many": MANY})
        opened: int = cursor.rowcount
    return opened


def open_all() -> int:
    """Until none is due."""
    opened = 0
    while count := open_due():
        opened += count
    return opened
