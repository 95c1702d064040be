"""Tasks that are put off until a later day: on no page of Today before it."""

from django.db.models import Q, QuerySet

from customers.models import Task
from customers.work.moments import Moment
from customers.work.ranking import MOST


def snoozed(whose: str, moment: Moment) -> QuerySet[Task]:
    """Those of `whose` (a key of ranking.WHOSE), the next to come back first."""
    tasks = Task.objects.filter(state=Task.State.OPEN, put_off_until__gte=moment.midnight_in(1))
    return tasks.filter(_of(whose, moment.me)).order_by("put_off_until", "pk")


def counted(whose: str, moment: Moment) -> str:
    """How many, "100+" where there are more; "" for none."""
    number = snoozed(whose, moment).order_by()[: MOST + 1].count()
    return f"{MOST}+" if number > MOST else str(number or "")


def _of(whose: str, me: int) -> Q:
    """As Today's lines are theirs: whom a task names, else who looks after the customer."""
    nobodys = Q(assignee=None, customer__owner=None)
    mine = Q(assignee=me) | Q(assignee=None, customer__owner=me)
    return {"mine": mine, "nobodys": nobodys, "everyones": Q()}[whose]
