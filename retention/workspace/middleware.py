"""What every request gets: its workspace, the person's zone, no NUL, a second try; and what is noted of it."""

import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from psycopg.errors import DeadlockDetected, UniqueViolation

from retention.workspace.api import keys
from retention.workspace.models import ApiKey, Workspace
from retention.workspace.people import workspace_of, zone_of

Handler = Callable[[HttpRequest], HttpResponse]
#: What PostgreSQL tells one of two who came at once.
AT_ONCE = (UniqueViolation, DeadlockDetected)


class NulMiddleware:
    """Refuses addresses with a NUL character in them: no text of ours holds one, and PostgreSQL takes none."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest("The address has a character in it that no text can have.")
        return self.get_response(request)


class WorkspaceMiddleware:
    """Gives the request its workspace, read once where it is needed, and lives in the person's time zone."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        read = partial(_workspace_of, request)
        request.workspace = SimpleLazyObject(read)  # type: ignore[attr-defined]
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(zone_of(request.user, workspace_of(request))):
            return self.get_response(request)


def _workspace_of(request: HttpRequest) -> Workspace:
    """It was read along with who is signed in; for somebody else it is asked for."""
    return getattr(request.user, "workspace", None) or Workspace.current()


class AgainMiddleware:
    """Makes each changing request one transaction, and does once more what failed only because two came at once.

    What is refused leaves nothing behind, whether the view raised or answered so (4xx, 5xx).
    Of two who take one name, or click one button, the second is told by its own form or led to what the first made;
    what somebody took away meanwhile is nowhere to be found. What the first try wrote is undone before the second; what
    a view does outside the database is not, and is named in tests/workspace/test_a_change_is_one_transaction.py.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """The view's answer; None for a request that changes nothing, upon which the view is called as usual."""
        if request.method in ("GET", "HEAD"):
            return None
        try:
            return _whole(view, request, args, kwargs)
        except (DatabaseError, ObjectDoesNotExist) as error:
            at_once = isinstance(error, ObjectDoesNotExist) or isinstance(error.__cause__, AT_ONCE)
            once_only = request.FILES or connection.in_atomic_block  # files are read by now; a test sees one try
            if once_only or not at_once:
                raise
        return _whole(view, request, args, kwargs)


def _whole(
    view: Callable[..., HttpResponse], request: HttpRequest, args: list[Any], kwargs: dict[str, Any]
) -> HttpResponse:
    """All that the view writes, or where it raises or refuses, nothing of it."""
    with transaction.atomic():
        response = view(request, *args, **kwargs)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            transaction.set_rollback(True)
        return response


class KeyMiddleware:
    """Notes that an API key was used, whatever became of its request: of a refused one nothing else is kept."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(key := getattr(request, "auth", None), ApiKey):
            keys.note_use(key)
        return response


class OnlyFormsMiddleware:
    """Answers who types the address of a form, or sends one to a page, with a page that says so."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        by_person = "text/html" in request.headers.get("Accept", "") and request.headers.get("HX-Request") != "true"
        if response.status_code != 405 or response.content or not by_person:
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page


class HtmxMiddleware:
    """Tells a page about notes and lost sign-ins that its htmx request met."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # One address answers with a page or with a part of it: going back must not take the part for the page.
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        if request.headers.get("HX-Request") != "true":
            return response
        if response.get("Location", "").startswith(resolve_url(settings.LOGIN_URL)):
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        if response.status_code == 200 and not {"HX-Redirect", "HX-Refresh", "HX-Trigger"} & response.headers.keys():
            _carry_notes(request, response)
        return response


def _carry_notes(request: HttpRequest, response: HttpResponse) -> None:
    notes = [{"text": str(note), "level": note.level_tag} for note in get_messages(request)]
    if notes:
        response["HX-Trigger"] = json.dumps({"notes": notes})
