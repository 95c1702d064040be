"""The form of what has custom fields beside its own: a customer or a contact."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from customers.custom.asking import PREFIX, Asking
from customers.models import CustomField
from retention.common.opened import CarryingForm
from retention.common.phone_digits import check_number


class RecordForm(CarryingForm, Asking, forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    """`opened` carries when the row was last changed as the person began to type."""

    def begin(self, fields: Sequence[CustomField]) -> None:
        """Ask for these beside its own. To be called once those are there."""
        self.ask(fields, self.instance.attributes)
        if self.instance.pk:
            self.initial["opened"] = self.carried(self.instance.updated_at.isoformat())

    def clean_opened(self) -> datetime | None:
        state = str(self.cleaned_data["opened"]).partition(" ")[0]
        try:
            return datetime.fromisoformat(state) if state else None
        except ValueError as error:
            noun = self._meta.model._meta.verbose_name
            raise forms.ValidationError(f"Open the {noun} again and repeat the change.") from error

    def clean_phone(self) -> str:
        typed = str(self.cleaned_data["phone"])
        if "phone" in self.changed_data:
            check_number(typed)
        return typed

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, by the model's fields; of those that it asks for."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or () if name in self.fields}

    def changed_twice(self, now: "RecordForm") -> tuple[dict[str, Any], list[CustomField]]:
        """Of `values` those changed both here and by whoever saved what the form `now` begins with, and the fields."""
        contested = self.contested(now)
        own = {name: value for name, value in self.values.items() if name in contested}
        return own, [field for field in self.custom if PREFIX + field.key in contested]
