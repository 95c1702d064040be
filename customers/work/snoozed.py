"""Tasks that are put off until a later day: on no page of Today before it."""

from functools import cache
from typing import Any

from django.db.models import Q, QuerySet

from customers.models import Task
from customers.work.moments import WHENEVER, Moment, Whenever, filled
from retention.common import planned

#: So many are counted and listed at most.
LISTED = 100


def put_off(whose: str, moment: Moment | Whenever) -> QuerySet[Task]:
    """Those of `whose` (a key of ranking.WHOSE), the next to come back first."""
    tasks = Task.objects.filter(state=Task.State.OPEN, put_off_until__gte=moment.midnight_in(1))
    nobodys = Q(assignee=None, customer__owner=None)
    mine = Q(assignee=moment.me) | Q(assignee=None, customer__owner=moment.me)  # as Today's lines are
    return tasks.filter({"mine": mine, "nobodys": nobodys, "everyones": Q()}[whose]).order_by("put_off_until", "pk")


def counted(whose: str, moment: Moment) -> str:
    """How many, "100+" where there are more; "" for none."""
    statement, params = _counting(whose)
    ((number,),) = planned.rows(statement, filled(params, moment))
    return f"{LISTED}+" if number > LISTED else str(number or "")


@cache
def _counting(whose: str) -> tuple[str, tuple[Any, ...]]:
    statement, params = put_off(whose, WHENEVER).order_by().values("pk")[: LISTED + 1].query.sql_with_params()
    return f"SELECT count(*) FROM ({statement}) AS found", params  # noqa: S608 - Django's own
