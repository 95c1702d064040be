"""What account managers fill in."""

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse_lazy

from customers.models import Customer, Task
from customers.records.filters import Filters, matching
from customers.work.needs import SOURCES
from customers.work.putting_off import DAYS
from customers.work.ranking import TASK, WHOSE
from retention.common import clock, planned
from retention.common.days import Day
from retention.workspace.models import User, Workspace
from retention.workspace.roles import GRANTS, Can

_NAMES = """
    SELECT id, COALESCE(NULLIF(btrim(first_name || ' ' || last_name), ''), email) FROM workspace_user
    WHERE is_active AND role = ANY(%s) ORDER BY first_name, last_name, email
"""
WORKERS = [role for role, grants in GRANTS.items() if Can.WORK_TASKS in grants]


def workers(also: int | None = None) -> QuerySet[User]:
    """The people a task can be given to. `also` is whose it is already: a form would else take it from whoever left."""
    can = Q(is_active=True, role__in=WORKERS)
    asked = can if also is None else can | Q(pk=also)
    return User.objects.filter(asked).order_by("first_name", "last_name", "email")


def names() -> dict[int, str]:
    """What they are called, by id."""
    return dict(planned.rows(_NAMES, [[str(role) for role in WORKERS]]))


class CustomerField(forms.CharField):
    """A customer, named by their ID, e-mail address or name; finds are offered while one types."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"label": "Customer", "help_text": "Their name, ID or e-mail address."} | options))
        offering = {
            "hx-get": reverse_lazy("customers:offered"),
            "hx-trigger": "input changed delay:150ms",
            "hx-target": "#offered-customers",
            "hx-sync": "this:replace",
            "list": "offered-customers",
            "autocomplete": "off",
        }
        self.widget.attrs.update(offering)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = (
            Customer.objects.filter(Q(external_id=text) | Q(email__iexact=text))[:2] or _named(text) or _formerly(text)
        )
        if not found:
            raise forms.ValidationError("No customer goes by this name, ID or e-mail address.")
        if len(found) > 1:
            raise forms.ValidationError("More than one customer goes by this: choose one of those offered.")
        return found[0]


def _formerly(text: str) -> list[Customer]:
    """Who had this id before they were merged into another."""
    return list(Customer.objects.filter(former_ids__external_id=text))


def _named(text: str) -> list[Customer]:
    """Those who have just this name: enough to tell that there is one, or more than one."""
    same = [customer for customer in matching(Filters(q=text))[:50] if customer.name.lower() == text.lower()]
    return same[:2]


class TaskForm(forms.Form):
    """A task somebody writes by hand."""

    customer = CustomerField()
    title = forms.CharField(label="What to do", max_length=Task._meta.get_field("title").max_length)
    reason = forms.CharField(label="Why", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    due = Day(label="Due on")
    assignee = forms.ModelChoiceField(workers(), label="For", required=False, empty_label="Nobody yet")

    def clean_due(self) -> date:
        due: date = self.cleaned_data["due"]
        if due < clock.now().astimezone(Workspace.current().zone).date():
            raise forms.ValidationError("This day is over.")
        return due


class ActForm(forms.Form):
    """What somebody does about one task, or need that calls for one."""

    ACTS: ClassVar[list[str]] = ["done", "undo", "assign", "wake", *(f"snooze-{days}" for days in DAYS)]

    need = forms.RegexField(r"^[a-z_]+:\d{1,18}$")
    act = forms.ChoiceField(choices=[(act, act) for act in ACTS])
    assignee = forms.ModelChoiceField(workers(), required=False)

    def clean_need(self) -> str:
        need: str = self.cleaned_data["need"]
        if need.partition(":")[0] not in {TASK, *SOURCES}:
            raise forms.ValidationError("There is no such kind of need.")
        return need

    def clean(self) -> dict[str, Any]:
        """What was done to a task can be taken back, and a need where its kind knows how."""
        cleaned = super().clean() or {}
        kind = cleaned.get("need", "").partition(":")[0]
        if cleaned.get("act") == "wake" and kind != TASK:
            raise forms.ValidationError("Only a task can have been put off.")
        if cleaned.get("act") == "undo" and kind != TASK and not (kind in SOURCES and SOURCES[kind].undone):
            raise forms.ValidationError("Only a task can be taken back.")
        return cleaned


class TodayForm(ActForm):
    """The same, and the list it was done on."""

    whose = forms.ChoiceField(choices=[(name, name) for name in WHOSE])
    page = forms.IntegerField(min_value=1, max_value=1_000_000)
