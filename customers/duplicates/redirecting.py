"""Old addresses: a page of a customer who was merged into another leads to the same page of that one.

For good (301, or 308 so that what was sent in a form is sent again), but no browser keeps it: a merge can be undone.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import ResolverMatch, reverse

from customers.duplicates.history import leads_to

OF_CUSTOMER = "customers/<int:pk>/"


class OldIds:
    """Asks where an id leads only when nothing is found there, after the view has let the person through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if response.status_code != 404 or match is None or not request.user.is_authenticated:
            return response
        name = _customer_in(match)
        new = leads_to(match.kwargs[name]) if name else None
        return _redirect(request, match, {**match.kwargs, name: new}) if new else response


def _customer_in(match: ResolverMatch) -> str:
    """Which part of an address is a customer's id; "" where none is."""
    if "customer_id" in match.kwargs:
        return "customer_id"
    return "pk" if match.route.startswith(OF_CUSTOMER) else ""


def _redirect(request: HttpRequest, match: ResolverMatch, kwargs: dict[str, object]) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    url = reverse(match.view_name, kwargs=kwargs) + (f"?{query}" if query else "")
    answer = HttpResponsePermanentRedirect(url, preserve_request=request.method not in ("GET", "HEAD"))
    answer["Cache-Control"] = "no-store"
    return answer
