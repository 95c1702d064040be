"""Custom fields as parts of a form: asked for by their type, checked, handed over as JSON."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.safestring import SafeString

from customers.custom import values
from customers.models import CustomField
from retention.common.days import Day

Type = CustomField.Type
PREFIX = "custom_"
YES_NO = [("yes", "Yes"), ("no", "No")]


class Asking(forms.Form):
    """A form that asks for custom fields beside its own. Call `ask` once it is made."""

    custom: Sequence[CustomField] = ()

    def ask(self, fields: Sequence[CustomField], attributes: Mapping[str, Any]) -> None:
        """Add the fields, filled in with what is known."""
        self.custom = fields
        for field in fields:
            name = PREFIX + field.key
            self.fields[name] = form_field(field)
            self.initial.setdefault(name, values.typed(field, attributes.get(field.key)))

    def only(self, names: Collection[str]) -> None:
        """Ask for nothing else: what is not named stays as it is."""
        self.custom = [field for field in self.custom if PREFIX + field.key in names]
        for name in [name for name in self.fields if name not in names]:
            del self.fields[name]

    @property
    def custom_parts(self) -> Iterator[BoundField]:
        for field in self.custom:
            yield self[PREFIX + field.key]

    @property
    def custom_values(self) -> dict[str, Any]:
        """What was typed, by key, as JSON; None where a field was left empty."""
        return {field.key: values.stored(field, self.cleaned_data[PREFIX + field.key]) for field in self.custom}


def form_field(field: CustomField) -> forms.Field:
    """The part of a form that reads such values."""
    said: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.required}
    match field.type:
        case Type.NUMBER | Type.MONEY:
            return forms.DecimalField(max_digits=values.DIGITS, decimal_places=values.PLACES, widget=_figure(), **said)
        case Type.DATE:
            return Day(**said)
        case Type.YES_NO:
            return forms.ChoiceField(choices=[("", "Not known"), *YES_NO], **said)
        case Type.CHOICE:
            return forms.ChoiceField(choices=[("", "Not known"), *_pairs(field.choices)], **said)
        case Type.CHOICES:
            return forms.MultipleChoiceField(choices=_pairs(field.choices), widget=forms.CheckboxSelectMultiple, **said)
        case Type.LONG_TEXT:
            return forms.CharField(max_length=values.LONG_TEXT, widget=forms.Textarea(attrs={"rows": 4}), **said)
        case Type.LINK:
            return _link(said)
    return forms.CharField(max_length=values.TEXT, **said)


def filter_control(field: CustomField, name: str, value: str) -> SafeString:
    """A control that asks for one value, or any."""
    offered = YES_NO if field.type == Type.YES_NO else _pairs(field.choices)
    attrs = {"id": f"filter-{name}"}
    if offered:
        return forms.Select(choices=[("", "Any"), *offered]).render(name, value, attrs | {"class": "form-select"})
    kind = "date" if field.type == Type.DATE else "text"
    return forms.TextInput().render(name, value, attrs | {"class": "form-control", "type": kind, "maxlength": "300"})


def typed_from(field: CustomField, text: str) -> Any:
    """The JSON of a value written as one text, as in an address; None where it is none of the field's."""
    asked = form_field(field)
    try:
        said: Any = [text] if field.type == Type.CHOICES else text
        return values.stored(field, asked.clean(said))
    except forms.ValidationError:
        return None


def _link(said: dict[str, Any]) -> forms.URLField:
    """A browser's own field for links would refuse one without https:// before it is sent, and ours completes it."""
    words = {"invalid": "Give a link, such as https://example.com."}
    widget = forms.TextInput(attrs={"inputmode": "url"})
    return forms.URLField(max_length=values.LINK, assume_scheme="https", widget=widget, error_messages=words, **said)


def _figure() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal"})


def _pairs(choices: Sequence[str]) -> list[tuple[str, str]]:
    return [(choice, choice) for choice in choices]
