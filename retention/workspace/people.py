"""The person behind a request."""

from django.http import HttpRequest

from retention.workspace.models import User


def person(request: HttpRequest) -> User:
    """Who is signed in. For views behind `requires`, which lets nobody else through."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user
