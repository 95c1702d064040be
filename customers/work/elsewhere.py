"""A line of Today that is dealt with on a page of its own, and done with there: a call that is logged, say."""

from dataclasses import dataclass

from customers.models import Task
from customers.work.forms import ActForm
from customers.work.moments import Moment
from customers.work.needs import SOURCES, Overtaken
from customers.work.ranking import TASK, find


@dataclass(frozen=True)
class Begun:
    """What the line asks for, in words, and what acting on it sends."""

    action: str
    asked: dict[str, object]


def begun(need: str, customer_id: int, moment: Moment) -> Begun | None:
    """The line that an address names by its key; None where it is none of this customer's, or has been dealt with."""
    form = ActForm({"need": need, "act": "done"})
    if not form.is_valid():
        return None
    kind, _, number = need.partition(":")
    action = _task(int(number), customer_id) if kind == TASK else _need(kind, int(number), customer_id, moment)
    return Begun(action, form.cleaned_data) if action else None


def _task(task_id: int, customer_id: int) -> str:
    open_one = Task.objects.filter(pk=task_id, customer=customer_id, state=Task.State.OPEN)
    return open_one.values_list("title", flat=True).first() or ""


def _need(kind: str, ref: int, customer_id: int, moment: Moment) -> str:
    try:
        line = find(kind, ref, moment)
    except Overtaken:
        return ""
    return SOURCES[kind].action if line.customer_id == customer_id else ""
