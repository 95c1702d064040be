"""Errors as RFC 9457 puts them: a problem with its title, its status, and the place of each mistake."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response

MEDIA_TYPE = "application/problem+json"
#: Fields of forms that nobody types into.
UNSEEN = ("csrfmiddlewaretoken", "opened", "version")
TITLES = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This cannot be done here",
    406: "Answers are JSON",
    409: "This is not as you think",
    412: "Somebody else changed it",
    413: "The request is too large",
    415: "The request must be JSON",
    422: "Some fields are wrong",
    428: "Say which version you change",
    429: "Too many requests",
    500: "Something is broken here",
}


class Problem(APIException):
    """A refusal. `errors` are pairs of a place (a JSON pointer into the body, or a parameter) and what is wrong there.

    `more` are further members of the answer, such as what is `current`.
    """

    def __init__(
        self, status_code: int, detail: str = "", errors: list[tuple[str, str]] | None = None, **more: Any
    ) -> None:
        super().__init__(detail or TITLES[status_code])
        self.status_code, self.told, self.errors, self.more = status_code, detail, errors or [], more


def wrong(place: str, what: str) -> Problem:
    """One field of the body is wrong: `place` is its name, parts parted by a slash."""
    return Problem(422, errors=[(f"#/{place}", what)])


def misasked(parameter: str, what: str) -> Problem:
    """A parameter of the address is wrong."""
    return Problem(400, "A parameter is wrong.", [(f"?{parameter}", what)])


def of_form(form: forms.BaseForm, custom: str = "custom_") -> Problem:
    """What a form found wrong, at the places of the body it was filled from."""
    found = form.errors.get_json_data().items()
    return Problem(422, errors=[(_place(name, custom), said) for name, every in found for said in _said(every)])


def _said(every: list[dict[str, str]]) -> list[str]:
    return [strip_tags(said) if isinstance(said := each["message"], SafeString) else said for each in every]


def _place(name: str, custom: str) -> str:
    if name == NON_FIELD_ERRORS:
        return "#"
    return f"#/custom/{name.removeprefix(custom)}" if name.startswith(custom) else f"#/{name}"


def handle(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """Django REST framework's way from an error to an answer; None where the error is ours to repair."""
    match error:
        case Problem():
            answer = body(error.status_code, error.told, error.errors) | error.more
            return _response(answer, error.status_code)
        case ValidationError():
            return _response(body(422, errors=list(_places(error.detail))), 422)
        case Http404():
            return _response(body(404), 404)
        case PermissionDenied():
            return _response(body(403), 403)
        case APIException():
            response = _response(body(error.status_code, str(error.detail)), error.status_code)
            if header := getattr(error, "auth_header", None):
                response["WWW-Authenticate"] = header
            if wait := getattr(error, "wait", None):
                response["Retry-After"] = str(int(wait))
            return response
    return None


def body(code: int, detail: str = "", errors: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """The members of a problem; `type` is left out, which says about:blank."""
    said: dict[str, Any] = {"title": TITLES.get(code, "The request is refused"), "status": code}
    if detail:
        said["detail"] = detail
    if errors:
        said["errors"] = [{"place": place, "detail": what} for place, what in errors]
    return said


def _response(said: dict[str, Any], code: int) -> Response:
    return Response(said, code, content_type=MEDIA_TYPE)


def _places(detail: Any, before: str = "#") -> Iterator[tuple[str, str]]:
    """Mistakes that serializers found, each with its place."""
    if isinstance(detail, Mapping):
        for name, each in detail.items():
            inner = (
                before if name == "non_field_errors" else f"{before}/{str(name).replace('~', '~0').replace('/', '~1')}"
            )
            yield from _places(each, inner)
    elif isinstance(detail, list):
        for number, each in enumerate(detail):
            yield from _places(each, before if isinstance(each, str) else f"{before}/{number}")
    else:
        yield before, str(detail)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:  # noqa: ARG001  # Django names it
    """What an address that leads nowhere answers: programs get a problem, people a page."""
    if request.path.startswith("/api/"):
        return JsonResponse(body(404), status=status.HTTP_404_NOT_FOUND, content_type=MEDIA_TYPE)
    typed = list(_typed(request)) if request.resolver_match else []
    return render(request, "404.html", {"typed": typed}, status=status.HTTP_404_NOT_FOUND)


def _typed(request: HttpRequest) -> Iterator[str]:
    """What somebody typed into a form about something that is removed by now, so that it is not lost."""
    for name, texts in request.POST.lists():
        if name not in UNSEEN:
            yield from (text for text in texts if text.strip())


def broken(request: HttpRequest) -> HttpResponseBase:
    """What an error of ours answers."""
    if request.path.startswith("/api/"):
        return JsonResponse(body(500), status=status.HTTP_500_INTERNAL_SERVER_ERROR, content_type=MEDIA_TYPE)
    return defaults.server_error(request)
