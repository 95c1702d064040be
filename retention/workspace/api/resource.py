"""The base of every view of the API, and what two who change one thing are told."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.authentication import SessionAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from retention.common import acting
from retention.workspace.api.entering import Declared, KeyAuthentication, PerMinute
from retention.workspace.api.problem import Problem
from retention.workspace.api.reading import DEPTH, MOST_BYTES, Json, too_large
from retention.workspace.roles import Can

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: For a request that may name the version it is about, and need not.
IF_MATCH = OpenApiParameter("If-Match", str, "header", description="The ETag of what you saw; else whatever stands.")


class Resource(APIView):
    """A thing of the API. `needs` says for each method what whoever asks has to be able to do.

    `noun` is what it is about, as the documentation groups it; `names_version` where its POST takes If-Match too;
    `most_bytes` is how much a request may hold, `deepest` how deep lists and objects may lie in it.
    """

    needs: ClassVar[Mapping[str, Can]] = {}
    noun: ClassVar[str]
    names_version: ClassVar[bool] = False
    most_bytes: ClassVar[int] = MOST_BYTES
    deepest: ClassVar[int] = DEPTH
    authentication_classes = (KeyAuthentication, SessionAuthentication)
    permission_classes = (Declared,)
    throttle_classes = (PerMinute,)
    parser_classes = (Json,)
    renderer_classes = (JSONRenderer,)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponse]:  # type: ignore[override]
        view = super().as_view(**initkwargs)
        view.admits = cls.needs.get("GET") or next(iter(cls.needs.values()), None)  # type: ignore[attr-defined]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """What is written down while it runs is the program's, once its key is read."""
        before = acting.program.set("")
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            acting.program.reset(before)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.most_bytes:
            raise too_large(self.most_bytes)
        if Json in self.parser_classes:
            _keep_body(request._request, self.most_bytes)


def _keep_body(request: HttpRequest, most: int) -> None:
    """Read the body as `HttpRequest.body` does, so that the request can be done once more; but up to our own limit, not
    that of forms. What is longer is refused by whoever parses it."""
    if not hasattr(request, "_body"):
        body = request.read(most + 1)
        vars(request).update(_body=body, _stream=BytesIO(body))


def version_of(updated_at: datetime) -> str:
    """Which state of a thing this is: it changes whenever the thing is saved."""
    return f"v{(updated_at - _EPOCH) // timedelta(microseconds=1)}"


def versioned(answer: dict[str, Any]) -> Response:
    """An answer with its version as its ETag."""
    return Response(answer, headers={"ETag": f'"{answer["version"]}"'})


def made(request: Request, view: str, answer: dict[str, Any]) -> Response:
    """What was made, and the address at which it is from now on."""
    headers = {"Location": request.build_absolute_uri(reverse(f"api:{view}", args=[answer["id"]]))}
    if "version" in answer:
        headers["ETag"] = f'"{answer["version"]}"'
    return Response(answer, 201, headers=headers)


def check_version(request: Request, updated_at: datetime, current: Callable[[], Any]) -> None:
    """Nobody writes over what they have not seen: `If-Match` has the version they changed, or * for whichever.

    `current` tells the thing as it stands. Raises Problem: 428 without the header, 412 where it names another version.
    """
    said = request.headers.get("If-Match", "")
    if not said:
        raise Problem(428, 'Send If-Match with the ETag that you changed, or "If-Match: *" to change whatever stands.')
    versions = {each.strip().strip('"') for each in said.split(",")}
    if "*" not in versions and version_of(updated_at) not in versions:
        raise outdated(current())


def check_version_if_named(request: Request, updated_at: datetime, current: Callable[[], Any]) -> None:
    """The same for what may be done to whatever stands, as removing it: 412 where `If-Match` names another version."""
    if "If-Match" in request.headers:
        check_version(request, updated_at, current)


def outdated(current: Any) -> Problem:
    """Told to the second of two who change the same thing, with the thing as it stands now."""
    return Problem(412, "It was changed after you read it. Nothing of yours is saved.", current=current)
