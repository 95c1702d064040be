"""The list of offers, marking many as used, and what came of them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from customers.lists.pages import answer
from customers.together.pages import picked, takes_all
from loyalty import outcomes
from loyalty.granting import mark_many_used
from loyalty.listing import PLACE, SHOWN, asked_of, offers, people
from retention.common.counting import counted
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def offer_list(request: HttpRequest) -> HttpResponseBase:
    return answer(request, asked_of(request.GET), offers(), SHOWN, tab="list")


@require_POST
@requires(Can.GRANT_OFFERS)
def use_many(request: HttpRequest) -> HttpResponse:
    """Mark those picked as used, or all that match."""
    query = request.POST.get("query", "")
    those = asked_of(QueryDict(query)).narrow(offers())
    if not takes_all(request):
        those = those.filter(pk__in=picked(request))
    number = mark_many_used(those, person(request))
    messages.success(request, f"Marked as used: {counted(number, 'offer')}. Others were used before or never granted.")
    return redirect(f"{reverse(PLACE)}?{query}")


@require_safe
@requires(Can.READ)
def came_of_it(request: HttpRequest) -> HttpResponse:
    currency = workspace_of(request).currency
    context = {"whole": outcomes.whole(currency), "tables": outcomes.tables(currency, people()), "tab": "outcomes"}
    return render(request, "loyalty/outcomes.html", context)
