"""Two people at one form: the second to save is told, and nothing of either is lost."""

import json
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest, QueryDict

M = TypeVar("M", bound=Model)
TOLD = "Somebody else saved this after you opened it, and nothing of yours is saved yet. "
THEN = "What you typed is below; save once more to put it in place of theirs."


def mark(stands: Any) -> str:
    """What a form carries of what stood there as it was opened."""
    return sha256(json.dumps(stands, sort_keys=True, default=str).encode()).hexdigest()[:32]


class OpenedForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    """A form on a row. It carries what the row was like when it was opened, and is refused once that has changed.

    `instance` is read in the request that saves it, by `held`. `beside`: what else of the row a save puts in place.
    """

    beside: ClassVar[tuple[str, ...]] = ()
    opened = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stands = (
            model_to_dict(self.instance, [*(self._meta.fields or ()), *self.beside]) if self.instance.pk else {}
        )
        self.initial.setdefault("opened", self._mark())

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        opened = said.pop("opened", "")
        if opened and opened != self._mark():
            theirs = "; ".join(self._theirs(said))
            self.add_error(None, TOLD + (f"Theirs says: {theirs}. " if theirs else "") + THEN)
            self._go_on()
        return said

    def _mark(self) -> str:
        return mark(self._stands)

    def _theirs(self, said: dict[str, Any]) -> Iterator[str]:
        """The fields in which what stands is not what was typed."""
        for name, value in self._stands.items():
            if name in said and name in self.fields:
                theirs, ours = (_in_words(self.fields[name], each) for each in (value, said[name]))
                if theirs != ours:
                    yield f"{self[name].label} “{theirs}”"

    def _go_on(self) -> None:
        """From what stands now: saved again, what was typed is put in its place knowingly."""
        if isinstance(self.data, QueryDict):
            self.data = self.data.copy()
            self.data["opened"] = self._mark()


def _in_words(field: forms.Field, value: Any) -> str:
    """A value as the form shows it, be it what the row has or what was typed."""
    several = list(value) if isinstance(value, list | tuple | QuerySet) else [value]
    return ", ".join(sorted(_in_word(field, each) for each in several)) or "nothing"


def _in_word(field: forms.Field, value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(field, forms.ChoiceField):
        key = str(field.prepare_value(value))
        choices: Any = field.choices
        return next((str(label) for choice, label in choices if str(choice) == key), key)
    return str(value)


def held(request: HttpRequest, rows: "QuerySet[M]") -> "QuerySet[M]":
    """The rows, locked where the request may change them: of two at once the second sees what the first saved."""
    return rows.select_for_update() if request.method == "POST" else rows
