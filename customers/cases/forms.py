"""What somebody fills in about a case."""

from typing import Any

from django import forms

from customers.models import Case
from customers.work.forms import CustomerField, workers
from retention.common.opened import OpenedForm


class CaseForm(OpenedForm):
    assignee = forms.ModelChoiceField(workers(), label="Who looks after it", required=False, empty_label="Nobody yet")

    class Meta:
        model = Case
        fields = ("subject", "priority", "assignee")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assignee = self.fields["assignee"]
        assert isinstance(assignee, forms.ModelChoiceField)  # noqa: S101
        assignee.queryset = workers(self.instance.assignee_id)

    @property
    def values(self) -> dict[str, Any]:
        said = self.cleaned_data
        assignee = said["assignee"]
        return {"subject": said["subject"], "priority": said["priority"], "assignee_id": assignee and assignee.pk}


class CaseOfOneForm(CaseForm):
    """The same, with whose it is: where no customer's page is open."""

    customer = CustomerField()
    field_order = ("customer", "subject", "priority", "assignee")


class ActForm(forms.Form):
    act = forms.ChoiceField(choices=[(act, act) for act in ("answer", "resolve", "reopen", "rate")])
    rating = forms.TypedChoiceField(choices=[(n, n) for n in range(1, 6)], coerce=int, required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("act") == "rate" and not said.get("rating"):
            self.add_error("rating", "Choose a rating from 1 to 5.")
        return said
