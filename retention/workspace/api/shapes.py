"""The shape of what goes in and out: fields with their types, nothing beside them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from retention.common.days import conceivable
from retention.workspace.api.resource import version_of


class Shape(serializers.Serializer[Any]):
    """A thing as the API tells it. What is sent beside its fields is refused by name, not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = self.fields
            told = {
                name: ["This is read only." if name in known else "There is no such field."]
                for name in data
                if name not in known or known[name].read_only
            }
            if told:
                raise serializers.ValidationError(told)
        return super().to_internal_value(data)

    @property
    def said(self) -> dict[str, Any]:
        """What was sent, checked, by the names of the fields."""
        return {name: self.validated_data[field.source] for name, field in self._sent()}

    def _sent(self) -> list[tuple[str, Any]]:
        return [(name, field) for name, field in self.fields.items() if field.source in self.validated_data]


class Instant(serializers.DateTimeField):
    """An instant in UTC, whatever zone whoever asks lives in."""

    def __init__(self, **said: Any) -> None:
        super().__init__(default_timezone=UTC, validators=[conceivable], **said)


@extend_schema_field(str)
class Version(serializers.Field[datetime, Any, str, Any]):
    """Which state of the thing this is: the ETag to change it by."""

    def __init__(self) -> None:
        super().__init__(read_only=True, source="updated_at")

    def to_representation(self, value: datetime) -> str:
        return version_of(value)


def checked(shape: type[Shape], data: Any, *, part: bool = False) -> dict[str, Any]:
    """What a body says, by the names of the shape's fields. Raises ValidationError with the places of what is wrong."""
    read = shape(data=data, partial=part)
    read.is_valid(raise_exception=True)
    return read.said
