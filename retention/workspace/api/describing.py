"""How the schema tells what every view has: its name, its key, what it answers where it refuses."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from retention.workspace.api.problem import MEDIA_TYPE
from retention.workspace.api.repeating import HEADER

PROBLEM = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["title", "status"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "detail"],
                "properties": {
                    "place": {"type": "string", "description": "#/… points into the body, ?… names a parameter."},
                    "detail": {"type": "string"},
                },
            },
        },
        "current": {"type": "object", "description": "With 412: the thing as it stands."},
        "follows": {
            "type": "array",
            "items": {"type": "object"},
            "description": "With 409 about a segment: what would follow, to be agreed to.",
        },
    },
}
ONCE = OpenApiParameter(HEADER, str, "header", description="Sent twice under one key, it is done once.")
MATCH = OpenApiParameter("If-Match", str, "header", required=True, description="The ETag that you change, or *.")


class Described(AutoSchema):
    """What the views say themselves, and what all of them share."""

    def get_operation_id(self) -> str:
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{self.method.lower()}_{words}"

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return str(super().get_serializer_name(serializer, direction)).replace("Shape", "")

    def get_description(self) -> str:  # type: ignore[override]  # as the library has it
        """What the view says of itself goes with what it is first of all for."""
        first = next(iter(getattr(self.view, "needs", {})), "")
        return super().get_description() if self.method == first else ""

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "noun", "")]

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, self.method.lower())
        return [ONCE] * hasattr(handler, "once") + [MATCH] * (
            self.method == "PATCH" or getattr(self.view, "names_version", False)
        )

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation:
            component = ResolvedComponent("Problem", ResolvedComponent.SCHEMA, PROBLEM, "Problem")  # type: ignore[no-untyped-call]
            self.registry.register_on_missing(component)
            content = {MEDIA_TYPE: {"schema": component.ref}}
            operation["responses"]["default"] = {"description": "Refused: a problem that says why", "content": content}
        return operation


class BearerKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "retention.workspace.api.entering.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A key from Settings."}
