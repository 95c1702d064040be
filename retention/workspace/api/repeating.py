"""A request that may be sent twice: under the same `Idempotency-Key` it is done once, and answered alike.

The name is put down first, by the transaction that does the work. A second request of that name waits there for the
first, by the unique constraint, and then answers as that one did; where the first failed, the second is the first.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.db import IntegrityError, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from retention.common import clock
from retention.workspace.api.entering import asker
from retention.workspace.api.problem import Problem
from retention.workspace.models import KeptAnswer

HEADER = "Idempotency-Key"
KEPT = timedelta(days=2)
LONGEST = 200
TOLD = ("Location", "ETag")

P = ParamSpec("P")
V = TypeVar("V", bound=APIView)
Method = Callable[Concatenate[V, Request, P], Response]


def once(method: Method[V, P]) -> Method[V, P]:
    """Do what a named request asks once. Without a name it is done each time it is sent."""

    @wraps(method)
    def repeatable(view: V, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        name = request.headers.get(HEADER, "")
        if not name:
            return method(view, request, *args, **kwargs)
        if len(name) > LONGEST or not name.isprintable():
            raise Problem(400, f"{HEADER} is a text of up to {LONGEST} characters.")
        with transaction.atomic():
            kept, is_new = _put_down(asker(request), name, _fingerprint(request))
            if not is_new:
                return _again(kept)
            response = method(view, request, *args, **kwargs)
            _keep(kept, response)
            return response

    repeatable.once = True  # type: ignore[attr-defined]  # read by the test that no POST is done twice
    return cast("Method[V, P]", repeatable)


def _put_down(who: str, name: str, fingerprint: str) -> tuple[KeptAnswer, bool]:
    """The row of this name, and whether it is new. Raises Problem where the name was another request's."""
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(
                asker=who, name=name, fingerprint=fingerprint, created_at=clock.now()
            ), True
    except IntegrityError:
        kept = KeptAnswer.objects.get(asker=who, name=name)
    if kept.fingerprint != fingerprint:
        raise Problem(409, f"Another request had this {HEADER}. Give this one a name of its own.")
    return kept, False


def _fingerprint(request: Request) -> str:
    asked = [request.method, request.get_full_path(), json.dumps(request.data, sort_keys=True)]
    return sha256("\n".join(map(str, asked)).encode()).hexdigest()


def _keep(kept: KeptAnswer, response: Response) -> None:
    kept.status = response.status_code
    kept.body = JSONRenderer().render(response.data).decode()
    kept.headers = {name: response[name] for name in TOLD if name in response}
    kept.save(update_fields=["status", "body", "headers"])


def _again(kept: KeptAnswer) -> Response:
    said: Any = json.loads(kept.body) if kept.body else None
    return Response(said, kept.status, headers={**kept.headers, "Idempotent-Replayed": "true"})


def forget() -> int:
    """Drop answers that nobody will ask for again; returns how many."""
    return KeptAnswer.objects.filter(created_at__lt=clock.now() - KEPT).delete()[0]
