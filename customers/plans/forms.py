"""What somebody fills in about a plan."""

from collections.abc import Iterator
from typing import Any

from django import forms

from customers.models import Contact, Customer, Goal, Milestone, SuccessPlan
from customers.plans.sharing import DAYS
from customers.work.forms import CustomerField, workers
from retention.common.days import Day
from retention.common.opened import OpenedForm

MOST_GOALS = 20


class BeginForm(forms.Form):
    title = forms.CharField(max_length=200, help_text="Such as: Live in all branches by June.")
    summary = forms.CharField(
        label="What it is about", max_length=2_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    goals = forms.CharField(
        label="Goals",
        max_length=5_000,
        required=False,
        help_text="What the customer wants to reach, one to a line.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean_goals(self) -> list[str]:
        goals = [line.strip() for line in self.cleaned_data["goals"].splitlines() if line.strip()]
        if len(goals) > MOST_GOALS:
            raise forms.ValidationError(f"Give at most {MOST_GOALS} goals.")
        if any(len(goal) > 300 for goal in goals):
            raise forms.ValidationError("A goal has at most 300 characters.")
        return goals


class BeginForOneForm(BeginForm):
    """The same, with whom it is for: where no customer's page is open."""

    customer = CustomerField()
    field_order = ("customer", "title", "goals", "summary")


class PlanForm(OpenedForm):
    class Meta:
        model = SuccessPlan
        fields = ["title", "summary"]
        widgets = {"summary": forms.Textarea(attrs={"rows": 3})}


class GoalForm(OpenedForm):
    class Meta:
        model = Goal
        fields = ["text", "measure"]


class MilestoneForm(OpenedForm):
    """`beside`: somebody may have done it meanwhile."""

    beside = ("state",)

    class Meta:
        model = Milestone
        fields = ["title", "due_on", "goal", "ours", "theirs", "note"]
        field_classes = {"due_on": Day}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = self.instance.plan
        choices = {
            "goal": plan.goals.all(),
            "ours": workers(self.instance.ours_id),
            "theirs": contacts(plan.customer) | Contact.objects.filter(pk=self.instance.theirs_id),
        }
        for name, rows in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
            field.queryset = rows
            field.empty_label = "No goal in particular" if name == "goal" else "Nobody yet"

    def _theirs(self, said: dict[str, Any]) -> Iterator[str]:
        """People and goals by their names; the instance is still as it stands."""
        for name, value in self._stands.items():
            typed = said.get(name)
            if name in said and getattr(typed, "pk", typed) != value:
                yield f"{self.fields[name].label} “{getattr(self.instance, name) or 'nobody'}”"


class AgreeForm(forms.Form):
    contact = forms.ModelChoiceField(
        Contact.objects.none(), label="Agreed with", required=False, empty_label="Nobody in particular"
    )

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = contacts(customer)


class ShareForm(forms.Form):
    days = forms.TypedChoiceField(
        label="A new link works for", choices=[(days, words) for days, words in DAYS.items()], coerce=int, initial=90
    )


def contacts(customer: Customer) -> Any:
    """The people there, the main contact first."""
    return Contact.objects.filter(customer=customer, removed_at=None).order_by("-is_main", "name", "pk")
