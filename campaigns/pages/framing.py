"""Mail shown inside a page: in a frame of its own, under a policy of its own, able to run nothing.

The frame's document tells subject and preview line; the mail itself stands in a second frame inside it, so that
nothing in the mail can pass for what stands above it.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from campaigns.previewing import Preview

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; frame-ancestors 'self'; "
    "form-action 'none'; base-uri 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def framed(request: HttpRequest, mail: Preview, about: Any) -> HttpResponse:
    """A document for an iframe: the mail, whom it is filled in for, or what is wrong with it."""
    in_new_tabs = mail.html.replace("<head>", '<head><base target="_blank">', 1)
    response = render(request, "campaigns/frame.html", {"mail": mail, "html": in_new_tabs, "about": about})
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "private, no-store"
    return response
