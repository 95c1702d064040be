"""Custom fields in the API: members of `custom`, each of its own type, and told so in the schema."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from customers.custom import values
from customers.custom.asking import PREFIX, Asking
from customers.custom.definitions import defined
from customers.models import CustomField
from retention.workspace.api.problem import of_form

Type = CustomField.Type
F = TypeVar("F", bound=Asking)
_TYPES: dict[str, tuple[type | tuple[type, ...], str, dict[str, Any]]] = {
    Type.TEXT: (str, "Give a text.", {"type": "string", "maxLength": values.TEXT}),
    Type.LONG_TEXT: (str, "Give a text.", {"type": "string", "maxLength": values.LONG_TEXT}),
    Type.NUMBER: ((int, float), "Give a number.", {"type": "number"}),
    Type.MONEY: ((int, float), "Give a number.", {"type": "number"}),
    Type.DATE: (str, "Give a day as YYYY-MM-DD.", {"type": "string", "format": "date"}),
    Type.YES_NO: (bool, "Give true or false.", {"type": "boolean"}),
    Type.CHOICE: (str, "Give one of the list.", {"type": "string"}),
    Type.CHOICES: (list, "Give a list of texts.", {"type": "array", "uniqueItems": True}),
    Type.LINK: (str, "Give an address.", {"type": "string", "format": "uri", "maxLength": values.LINK}),
}


class CustomValues(serializers.Field[Any, Any, Any, Any]):
    """Values by key, as JSON; null takes a value away. `about` says whose fields they are.

    Told are the fields that are defined, beside what files brought under names that nobody has defined.
    """

    def __init__(self, about: str = CustomField.About.CUSTOMER, **said: Any) -> None:
        super().__init__(source="attributes", required=False, **said)
        self.about = about

    def to_representation(self, value: Any) -> Any:
        return value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("Give an object with the fields' keys.")
        fields = {field.key: field for field in defined(self.about)}
        wrong = {key: [told] for key, value in data.items() if (told := _mistake(fields.get(key), value))}
        if wrong:
            raise serializers.ValidationError(wrong)
        return dict(data)


def _mistake(field: CustomField | None, value: Any) -> str:
    """What is wrong with the type of a value; the rest a form finds."""
    if field is None:
        return "There is no such field."
    kind, told, _ = _TYPES[field.type]
    if value is None:
        return ""
    right = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
    if right and isinstance(value, list):
        right = all(isinstance(each, str) for each in value)
    return "" if right else told


def filled(form_of: Callable[..., F], said: Mapping[str, Any], instance: Any, *, part: bool = False) -> F:
    """The page's own form, filled with what was sent and found right; `part` asks about nothing else."""
    data = {name: value for name, value in said.items() if name != "custom"}
    form = form_of(data, instance=instance)
    fields = {field.key: field for field in form.custom}
    for key, value in said.get("custom", {}).items():
        data[PREFIX + key] = values.typed(fields[key], value)
    if part:
        form.only(data)
    if not form.is_valid():
        raise of_form(form)
    return form


class CustomValuesExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = CustomValues

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        fields = defined(self.target.about)
        told = {"type": "object", "properties": {field.key: _described(field) for field in fields}}
        return told | {"additionalProperties": direction == "response"}


def _described(field: CustomField) -> dict[str, Any]:
    told = {**_TYPES[field.type][2], "title": field.label}
    if field.help:
        told["description"] = field.help
    if field.type == Type.CHOICE:
        told["enum"] = [*field.choices, None]
    if field.type == Type.CHOICES:
        told["items"] = {"type": "string", "enum": field.choices}
    return told | {"type": [told["type"], "null"]}
