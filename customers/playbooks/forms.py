"""What somebody fills in about a playbook and its steps."""

from typing import Any, ClassVar

from django import forms

from customers.models import Playbook, PlaybookStep, Whose
from customers.work.forms import workers
from retention.common.opened import OpenedForm

Rule = Playbook.Rule


class PlaybookForm(OpenedForm):
    class Meta:
        model = Playbook
        fields = ("name", "description", "rule", "segment", "stage", "days_before", "ends_early")
        labels: ClassVar[dict[str, str]] = {
            "rule": "When it starts",
            "ends_early": "Stop it for customers who leave the segment or the stage, or whose contract does not renew",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "rule": "By hand it can be started at any time, whatever the rule.",
            "segment": "The one that is entered. For other rules: only customers in it.",
            "days_before": "When a run begins. Its steps count from the day of the renewal.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, nothing in (("segment", "Any or none"), ("stage", "Any")):
            choices = list(self.fields[name].choices)  # type: ignore[attr-defined]
            self.fields[name].choices = [("", nothing), *choices[1:]]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        rule = said.get("rule")
        if rule in (Rule.SEGMENT, Rule.QUARTER) and not said.get("segment"):
            self.add_error("segment", "Choose a segment.")
        if rule == Rule.STAGE and not said.get("stage"):
            self.add_error("stage", "Choose a stage.")
        days = said.get("days_before")
        if rule == Rule.RENEWAL and "days_before" not in self.errors and not (days and 1 <= days <= 365):
            self.add_error("days_before", "Give 1 to 365 days.")
        return said


class StepForm(OpenedForm):
    class Meta:
        model = PlaybookStep
        fields = ("title", "reason", "offset_days", "whose", "person")
        labels: ClassVar[dict[str, str]] = {"offset_days": "Day", "person": "Who"}
        widgets: ClassVar[dict[str, forms.Widget]] = {"reason": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"] = forms.ModelChoiceField(
            workers(self.instance.person_id),
            label="Who",
            required=False,
            empty_label="Nobody",
        )
        renewal = self.instance.playbook.by_renewal
        self.fields["offset_days"].help_text = (
            "Counted from the renewal: -60 is 60 days before it, 7 a week after it."
            if renewal
            else "Counted from the start: 0 is the same day, 7 a week later."
        )

    def clean_offset_days(self) -> int:
        days: int = self.cleaned_data["offset_days"]
        least = -365 if self.instance.playbook.by_renewal else 0
        if not least <= days <= 365:
            raise forms.ValidationError(f"Give {least} to 365 days.")
        return days

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("whose") == Whose.PERSON and not said.get("person"):
            self.add_error("person", "Choose somebody.")
        if said.get("whose") != Whose.PERSON:
            said["person"] = None
        return said
