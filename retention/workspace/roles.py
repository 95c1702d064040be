"""Who may do what: four roles, and what each can. Views name what they need with `@requires(Can.X)`."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase


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
        @login_required
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated or can not in GRANTS.get(request.user.role, ()):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.admits = can  # type: ignore[attr-defined]  # read by the test that no view is left open
        return cast("View[P]", guarded)

    return decorate


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that anyone may open, so that an unmarked one is a mistake the tests find."""
    view.admits = "anyone"  # type: ignore[attr-defined]
    return view
