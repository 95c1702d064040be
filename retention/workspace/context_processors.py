"""What every page needs: the CSP nonce, the demo flag, and what its reader may do."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from retention.workspace.roles import GRANTS, Can


def shell(request: HttpRequest) -> dict[str, Any]:
    """`can.edit_surveys` in a template says whether its reader may; asked lazily, so public pages read no session."""
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "demo": settings.DEMO,
        "can": SimpleLazyObject(lambda: _grants(request)),
    }


def _grants(request: HttpRequest) -> dict[Can, bool]:
    user = getattr(request, "user", None)  # an error page may come before anybody is known
    return dict.fromkeys(GRANTS.get(user.role, ()), True) if user and user.is_authenticated else {}
