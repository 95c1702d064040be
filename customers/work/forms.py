"""What account managers fill in."""

from datetime import date, datetime, time, tzinfo
from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet

from customers.models import Customer, Task
from customers.work.attention import WHOSE
from retention.workspace.models import User
from retention.workspace.roles import GRANTS, Can

WORKERS = [role for role, grants in GRANTS.items() if Can.WORK_TASKS in grants]
END_OF_WORK = time(17)


def workers() -> QuerySet[User]:
    """The people a task can be given to."""
    return User.objects.filter(is_active=True, role__in=WORKERS).order_by("first_name", "last_name", "email")


def end_of_work(day: date, zone: tzinfo) -> datetime:
    """The instant at which work on a day of `zone` ends."""
    return datetime.combine(day, END_OF_WORK, tzinfo=zone)


class CustomerField(forms.CharField):
    """A customer, named by their ID or e-mail address."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"label": "Customer", "help_text": "Their ID or e-mail address."} | options))

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = Customer.objects.filter(Q(external_id=text) | Q(email__iexact=text))[:2]
        if not found:
            raise forms.ValidationError("No customer has this ID or e-mail address.")
        if len(found) > 1:
            raise forms.ValidationError("More than one customer has this e-mail address: give their ID.")
        return found[0]


class TaskForm(forms.Form):
    """A task somebody writes by hand."""

    customer = CustomerField()
    title = forms.CharField(label="What to do", max_length=Task._meta.get_field("title").max_length)
    reason = forms.CharField(label="Why", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    due = forms.DateField(label="Due on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    assignee = forms.ModelChoiceField(workers(), label="For", required=False, empty_label="Nobody yet")


class ActForm(forms.Form):
    """What somebody does about one line of Today, and the list they did it on."""

    PUT_OFF: ClassVar[dict[str, str]] = {"1": "Tomorrow", "3": "In 3 days", "7": "In a week", "30": "In a month"}
    ACTS: ClassVar[list[str]] = ["done", "undo", "assign", *(f"snooze-{days}" for days in ("1", "3", "7", "30"))]

    need = forms.RegexField(r"^(task|renewal|at_risk):\d{1,18}$")
    act = forms.ChoiceField(choices=[(act, act) for act in ACTS])
    assignee = forms.ModelChoiceField(workers(), required=False)
    whose = forms.ChoiceField(choices=[(name, name) for name in WHOSE])
    page = forms.IntegerField(min_value=1, max_value=1_000_000)
