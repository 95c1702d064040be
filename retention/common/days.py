"""Days that people and programs name: of any, and of instants too, only those that somebody can mean."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

FIRST, LAST = 1900, 2199


def conceivable(said: date) -> None:
    """Raises ValidationError. At the ends of the calendar an instant of one zone has no day in another."""
    if not FIRST <= said.year <= LAST:
        raise ValidationError(f"Give a date between {FIRST} and {LAST}.")


class Day(forms.DateField):
    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(input_formats=["%Y-%m-%d"], validators=[conceivable], **options)
