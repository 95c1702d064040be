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
THEN = "What you changed is below, the rest as they saved it; save once more to put yours in place of theirs."


def mark(stands: Any) -> str:
    """What a form carries of what stood there as it was opened."""
    return sha256(json.dumps(stands, sort_keys=True, default=str).encode()).hexdigest()[:32]


class CarryingForm(forms.Form):
    """A form that carries, in `opened`, which state it was opened at and what each of its fields had then.

    So of two people at one form each puts only what they changed in place of what the other saved.
    """

    opened = forms.CharField(widget=forms.HiddenInput, required=False)

    def carried(self, state: str) -> str:
        """What `opened` is, once all fields are there; `state` is one word."""
        had = (f"{name}:{_digest(field, self._had(name))}" for name, field in self.fields.items() if name != "opened")
        return " ".join([state, *had])

    @property
    def touched(self) -> set[str]:
        """The fields that have been changed since the form was opened; all, where it does not carry what they had."""
        had, said = self._opened_with(), self.cleaned_data
        return {name for name in said if name != "opened" and had.get(name) != _digest(self.fields[name], said[name])}

    def contested(self, now: "CarryingForm") -> set[str]:
        """The fields changed here in which the form `now` begins with something else than this one did."""
        had = self._opened_with()
        return {name for name in self.touched if had.get(name) != _digest(now.fields[name], now._had(name))}

    def go_on_from(self, now: "CarryingForm", state: str) -> None:
        """Take over what was saved meanwhile, with which the form `now` begins, but for what was changed here."""
        if isinstance(self.data, QueryDict):
            self.data = self.data.copy()
            for name in self.fields.keys() - self.touched - self.errors.keys():
                self.data.pop(self.add_prefix(name), None)
                if sent := now._sent(name):
                    self.data.setlist(self.add_prefix(name), sent)
            self.data["opened"] = now.carried(state)

    def _opened_with(self) -> dict[str, str]:
        """The digests of what the fields had."""
        return dict(each.split(":", 1) for each in str(self.data.get("opened", "")).split()[1:] if ":" in each)

    def _had(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _sent(self, name: str) -> list[str]:
        """What a browser sends of a field that stays as it was opened."""
        field, value = self.fields[name], self._had(name)
        if isinstance(field, forms.BooleanField):
            return ["on"] if value else []
        shown = field.widget.format_value(field.prepare_value(value))
        several = shown if isinstance(shown, list | tuple) else [shown]
        return ["" if each is None else str(each) for each in several]


class OpenedForm(CarryingForm, forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    """A form on a row. It carries what the row was like when it was opened, and is refused once that has changed.

    `instance` is read in the request that saves it, by `held`. `beside`: what else of the row a save puts in place.
    """

    beside: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stands = (
            model_to_dict(self.instance, [*(self._meta.fields or ()), *self.beside]) if self.instance.pk else {}
        )
        self.initial.setdefault("opened", lambda: self.carried(self._mark()))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        opened = said.pop("opened", "").partition(" ")[0]
        if opened and opened != self._mark():
            theirs = "; ".join(self._theirs(said))
            self.add_error(None, TOLD + (f"Theirs says: {theirs}. " if theirs else "") + THEN)
            self.go_on_from(self, self._mark())
        return said

    def _mark(self) -> str:
        return mark(self._stands)

    def _theirs(self, said: dict[str, Any]) -> Iterator[str]:
        """The fields that both changed, each with what it says now."""
        contested = self.contested(self)
        for name, value in self._stands.items():
            if name in said and name in contested:
                theirs, ours = (_in_words(self.fields[name], each) for each in (value, said[name]))
                if theirs != ours:
                    yield f"{self[name].label} “{theirs}”"


def _digest(field: forms.Field, value: Any) -> str:
    """Eight letters that tell one value of a field from another, be it what the row has or what was typed."""
    several = list(value) if isinstance(value, list | tuple | QuerySet) else [value]
    plain = sorted("" if each is None else str(_number(field.prepare_value(each))) for each in several)
    return sha256("\n".join(plain).replace("\r\n", "\n").encode()).hexdigest()[:8]


def _number(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


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
