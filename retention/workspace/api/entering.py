"""Who asks: a program by its key, or a person who is signed in here. And whether they ask too often."""

import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from retention.common import acting
from retention.workspace.api import keys
from retention.workspace.models import ApiKey, User
from retention.workspace.roles import Can

SCHEME = "Bearer"
MINUTE = 60


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY`."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        try:
            key = keys.find(text.strip())
        except keys.Refused as why:
            raise AuthenticationFailed(str(why)) from why
        acting.program.set(key.name)
        return key.person, key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class Declared(BasePermission):
    """Lets through who can do what the view says that its method needs; a method of which it says nothing, nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in getattr(view, "needs", {}):
            raise MethodNotAllowed(method)
        return can(request, view.needs[method])  # type: ignore[attr-defined]  # every Resource has them


def can(request: Request, what: Can) -> bool:
    holder = request.auth if isinstance(request.auth, ApiKey) else request.user
    return bool(holder.can(what)) if isinstance(holder, (ApiKey, User)) else False


def asker(request: Request) -> str:
    """The key or the person behind a request, as one word."""
    return f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"person:{request.user.pk}"


class PerMinute(BaseThrottle):
    """So many requests a minute by one key. Counted in the cache that all web processes share."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        place = f"api:{asker(request)}:{int(time.time()) // MINUTE}"
        cache.add(place, 0, 2 * MINUTE)  # still there for who comes in the minute's last moment
        return bool(cache.incr(place) <= settings.API_REQUESTS_PER_MINUTE)

    def wait(self) -> float | None:
        return MINUTE - time.time() % MINUTE


def person(request: Request) -> User:
    """In whose name the request acts. For views that need something of whoever asks."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user
