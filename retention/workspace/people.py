"""The person and the workspace behind a request."""

import zoneinfo
from datetime import tzinfo
from typing import cast

from django.http import HttpRequest

from retention.workspace.models import User, Workspace


def person(request: HttpRequest) -> User:
    """Who is signed in. For views behind `requires`, which lets nobody else through."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def workspace_of(request: HttpRequest) -> Workspace:
    """The request's workspace, read once for all who ask."""
    return cast("Workspace", request.workspace)  # type: ignore[attr-defined]


def zone_of(user: User, workspace: Workspace) -> tzinfo:
    """The time zone in which a person sees times."""
    return zoneinfo.ZoneInfo(user.time_zone) if user.time_zone else workspace.zone
