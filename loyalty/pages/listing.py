"""The list of offers, its export, and what came of them."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from customers.together.pages import picked
from loyalty import outcomes
from loyalty.costing import Terms, counted
from loyalty.exporting import lines
from loyalty.granting import mark_many_used
from loyalty.listing import SIZES, WORDS, Asked
from loyalty.models import Offer
from retention.workspace import saved_views
from retention.workspace.models import User
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PLACE = "loyalty:list"


def people() -> dict[int, str]:
    """Everybody who has made an offer, by id."""
    made = User.objects.filter(pk__in=Offer.objects.values("asked_by"))
    return {user.pk: str(user) for user in made.order_by("first_name", "last_name", "email")}


@require_safe
@requires(Can.READ)
def offer_list(request: HttpRequest) -> HttpResponse:
    asked = Asked.read(request.GET)
    makers = people()
    page = Paginator(asked.offers(), asked.size).get_page(request.GET.get("page"))
    context = {
        "asked": asked,
        "chips": list(asked.chips(makers)),
        "headings": asked.headings(),
        "page": page,
        "rows": [{"offer": offer, "said": Terms.of(offer).said(offer.currency)} for offer in page],
        "query": asked.query(),
        "sizes": SIZES,
        "filters": [(name, label, words.items(), getattr(asked, name)) for name, (label, words) in WORDS.items()],
        "makers": makers,
    }
    if request.headers.get("HX-Target") == "list":
        return render(request, "loyalty/list_part.html", context)
    views = saved_views.for_list(person(request), PLACE)
    return render(request, "loyalty/list.html", context | {"views": views, "place": PLACE, "tab": "list"})


@require_safe
@requires(Can.READ)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What the list shows, all its pages, as a file."""
    headers = {"Content-Disposition": 'attachment; filename="offers.csv"'}
    text = lines(Asked.read(request.GET).offers())
    return StreamingHttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@requires(Can.GRANT_OFFERS)
def use_many(request: HttpRequest) -> HttpResponse:
    """Mark those picked as used, or all that match."""
    query = request.POST.get("query", "")
    offers = Asked.read(QueryDict(query)).offers()
    if request.POST.get("scope") != "all":
        offers = offers.filter(pk__in=picked(request))
    number = mark_many_used(offers, person(request))
    messages.success(request, f"Marked as used: {counted(number, 'offer')}. Others were used before or never granted.")
    return redirect(f"{reverse(PLACE)}?{query}")


@require_safe
@requires(Can.READ)
def came_of_it(request: HttpRequest) -> HttpResponse:
    currency = workspace_of(request).currency
    context = {"whole": outcomes.whole(currency), "tables": outcomes.tables(currency, people()), "tab": "outcomes"}
    return render(request, "loyalty/outcomes.html", context)
