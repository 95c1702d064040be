"""Cases that wait for an answer, for Today: how soon one is to be answered follows from its priority."""

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat, TruncDate

from customers.cases import handling
from customers.models import Case, Customer
from customers.models.cases import TO_ANSWER, WITHIN
from customers.work.moments import Whenever
from customers.work.needs import First, Line, Lines, Nearing, Overtaken, Told, need
from retention.workspace.models import User
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import relative


def _said(line: Line) -> str:
    priority = Case.Priority(line.about["priority"]).label
    again = ", opened again" if line.about["again"] else ""
    since = f"opened {relative(line.at)}{again}"
    return f"“{line.about['subject']}”: {priority.lower()} priority, {since}, and not answered."


def _place(line: Line) -> str:
    return page_of("customers:case", line.ref)


def _done(key: str, by: User) -> None:
    """The key begins with the case's id."""
    try:
        handling.answer(int(key.partition("/")[0]), by.pk)
    except (handling.Refused, Case.DoesNotExist) as reason:
        raise Overtaken from reason


def _undone(case_id: int, by: User) -> Customer:
    try:
        return handling.wait_again(case_id, by.pk).customer
    except (handling.Refused, Case.DoesNotExist) as reason:
        raise Overtaken from reason


_FIRST = (First(TO_ANSWER.asc()),)


@need(
    "case", "Unanswered case", "Answer their case", said=_said, place=_place, done=_done, undone=_undone, first=_FIRST
)
def unanswered(moment: Whenever) -> Lines:
    """A case that was opened again waits anew, so its key has the day of the first answer as well."""
    told = Told(
        customer="customer_id",
        ref="pk",
        key=Concat(Cast("pk", CharField()), Value("/"), Cast(TruncDate("answered_at"), CharField())),
        at="opened_at",
        urgency=Nearing(F("opened_at") + WITHIN, moment),
        about={"subject": F("subject"), "priority": F("priority"), "again": F("answered_at")},
        person="assignee_id",
    )
    return told.of(Case.objects.filter(state=Case.State.OPEN))
