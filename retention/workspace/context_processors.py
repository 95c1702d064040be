"""What every page needs: the CSP nonce and the demo flag."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"csp_nonce": getattr(request, "csp_nonce", ""), "demo": settings.DEMO}
