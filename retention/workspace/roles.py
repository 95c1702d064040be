"""Who may do what: four roles, and what each can. Views name what they need with `@requires(Can.X)`."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    MARKETER = "marketer", "Marketer"
    ANALYST = "analyst", "Analyst (read only)"


class Can(StrEnum):
    READ = "read"
    EDIT_CUSTOMERS = "edit_customers"
    WORK_TASKS = "work_tasks"
    IMPORT = "import"
    EDIT_SEGMENTS = "edit_segments"
    EDIT_CAMPAIGNS = "edit_campaigns"
    LAUNCH_CAMPAIGNS = "launch_campaigns"
    EDIT_SURVEYS = "edit_surveys"
    GRANT_OFFERS = "grant_offers"
    ADMINISTER = "administer"


GRANTS: dict[str, frozenset[Can]] = {
    Role.ADMINISTRATOR: frozenset(Can),
    Role.ACCOUNT_MANAGER: frozenset(
        {Can.READ, Can.EDIT_CUSTOMERS, Can.WORK_TASKS, Can.IMPORT, Can.EDIT_SEGMENTS, Can.GRANT_OFFERS}
    ),
    Role.MARKETER: frozenset(
        {Can.READ, Can.IMPORT, Can.EDIT_SEGMENTS, Can.EDIT_CAMPAIGNS, Can.LAUNCH_CAMPAIGNS, Can.EDIT_SURVEYS}
    ),
    Role.ANALYST: frozenset({Can.READ}),
}

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def requires(can: Can) -> Callable[[View[P]], View[P]]:
    """Let a signed-in person through who can; send others to sign in, or refuse them with 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': _way_back(request)})}")
            if can not in GRANTS.get(request.user.role, ()):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.admits = can  # type: ignore[attr-defined]  # read by the test that no view is left open
        return cast("View[P]", guarded)

    return decorate


def _way_back(request: HttpRequest) -> str:
    """Where somebody goes on who signs in: to the page they asked for, or the one that they sent a form from."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = urlsplit(request.headers.get("Referer", ""))
    return urlunsplit(("", "", page.path, page.query, "")) if page.netloc == request.get_host() else "/"


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that anyone may open, so that an unmarked one is a mistake the tests find."""
    view.admits = "anyone"  # type: ignore[attr-defined]
    return view
