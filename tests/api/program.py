"""A program that speaks to the API with a key."""

import json
from typing import Any

from django.test import Client

from retention.workspace.api import keys
from retention.workspace.models import User
from retention.workspace.roles import Role

JSON = "application/json"


class Program:
    """Requests with a key. Answers are the client's responses; `json()` reads them."""

    def __init__(self, key: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {key}"})

    def get(self, url: str, **said: Any) -> Any:
        return self.client.get(_full(url), said)

    def post(self, url: str, body: Any, **headers: str) -> Any:
        return self._send("POST", url, body, headers)

    def patch(self, url: str, body: Any, version: str = "*") -> Any:
        return self._send("PATCH", url, body, {"If-Match": f'"{version}"' if version != "*" else "*"})

    def delete(self, url: str, version: str = "") -> Any:
        return self.client.delete(_full(url), headers={"If-Match": f'"{version}"'} if version else {})

    def send(self, operation: str, url: str, body: Any) -> Any:
        """By the name of the operation, which begins with its method."""
        if operation.startswith("delete"):
            return self.delete(url)
        return self.patch(url, body) if operation.startswith("patch") else self.post(url, body, If_Match="*")

    def _send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, _full(url), json.dumps(body), JSON, headers=named)


def _full(url: str) -> str:
    return url if url.startswith(("/", "http")) else f"/api/v1/{url}"


def a_person(role: str = Role.ADMINISTRATOR) -> User:
    person, _ = User.objects.get_or_create(email=f"{role}@example.test", defaults={"role": Role(role)})
    return person


def a_key(role: str = Role.ACCOUNT_MANAGER, *, writes: bool = True, **fields: Any) -> str:
    """The text of a new key that may what the role may."""
    person = fields.pop("person", None) or a_person()
    wish = keys.Wish(fields.pop("name", f"{role} {writes}"), person, role, writes, **fields)
    return keys.make(wish, person)[1]


def places(response: Any) -> dict[str, str]:
    """What is wrong, by its place."""
    assert response["Content-Type"] == "application/problem+json"
    return {each["place"]: each["detail"] for each in response.json().get("errors", [])}
