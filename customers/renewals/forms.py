"""What somebody fills in about a renewal."""

from typing import Any

from django import forms

from customers.models import Forecast
from customers.renewals.rows import Renewal


class ForecastForm(forms.Form):
    """Carries which renewal the person saw, and what stood of it."""

    opened = forms.CharField(widget=forms.HiddenInput)
    forecast = forms.ChoiceField(
        label="What do you expect?", choices=[*Forecast.choices, ("", "Leave it to the rules")], required=False,
        widget=forms.RadioSelect,
    )  # fmt: skip
    note = forms.CharField(
        label="Why", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What a colleague should know.",
    )  # fmt: skip

    @staticmethod
    def filled_in(renewal: Renewal, mark: str) -> dict[str, Any]:
        said = renewal.said
        return {"opened": mark, "forecast": said.forecast if said else "", "note": said.note if said else ""}
