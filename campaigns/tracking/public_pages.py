"""What the links in a message open. The signed token is the authority; no page reads a cookie.

Opening a page changes nothing about the customer. Opens and clicks are recorded, for that is what they are, those of
machines as such; unsubscribing takes a POST, from the page's button or from the mail program (RFC 8058).
"""

from base64 import b64decode
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.models import Link, Message
from campaigns.tracking.addresses import read_click, read_open, read_unsubscribe
from campaigns.tracking.leaving import come_back, has_left, left_by, unsubscribe
from campaigns.tracking.prefetching import machine
from campaigns.tracking.witnessing import clicked, opened
from retention.common import clock
from retention.common.links import LinkExpired, LinkRefused
from retention.workspace.roles import public

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
ONE_CLICK = ("List-Unsubscribe", "One-Click")
Page = Callable[[HttpRequest, str], HttpResponse]


def personal(page: Page) -> Page:
    """Kept by no cache, found by no search engine, kind about links that do not work."""

    @wraps(page)
    def kind(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = page(request, token)
        except LinkRefused as refusal:
            expired = isinstance(refusal, LinkExpired)
            response = render(
                request, "campaigns/link_refused.html", {"expired": expired}, status=410 if expired else 404
            )
        response["Cache-Control"] = "private, no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return kind


@public
@require_safe
@personal
def click(request: HttpRequest, token: str) -> HttpResponse:
    """On to the stored target."""
    message_id, link_id = read_click(token)
    link = Link.objects.filter(pk=link_id).first()
    if link is None:
        raise LinkRefused(token)
    now = clock.now()
    clicked(message_id, link, _machine(request, message_id), now)
    try:
        return HttpResponseRedirect(link.url)
    except ValueError as error:  # somebody wrote an address that is none, as https://[shop
        raise LinkRefused(token) from error


@public
@require_safe
@personal
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """The picture, also where the token is bad: a mail program shows no page."""
    try:
        message_id = read_open(token)
    except LinkRefused:
        message_id = None
    if message_id is not None:
        opened(message_id, _machine(request, message_id), clock.now())
    return HttpResponse(PIXEL, content_type="image/gif")


def _machine(request: HttpRequest, message_id: int) -> str:
    sent_at = Message.objects.filter(pk=message_id).values_list("settled_at", flat=True).first()
    return machine(request.method or "", request.headers, sent_at, clock.now())


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@personal
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks; POST unsubscribes, from the page's button or with one click in the mail program, or takes that back."""
    message = Message.objects.select_related("customer").filter(pk=read_unsubscribe(token)).first()
    if message is None:
        raise LinkRefused(token)
    came_back = False
    if request.method == "POST" and "back" in request.POST:
        came_back = come_back(message, clock.now())
    elif request.method == "POST":
        one_click = request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]
        unsubscribe(message, "one-click unsubscribe" if one_click else "unsubscribe page", clock.now())
    shown = {
        "left": has_left(message),
        "may_return": left_by(message),
        "came_back": came_back,
        "address": _masked(message.address or message.customer.email),
    }
    return render(request, "campaigns/unsubscribe.html", shown)


def _masked(address: str) -> str:
    """Enough of an address for its owner to know it, and not for anybody the link was forwarded to."""
    local, at, host = address.partition("@")
    return f"{local[:1]}…{at}{host}"
