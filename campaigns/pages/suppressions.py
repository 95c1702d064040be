"""The suppression list: seen, searched, added to, taken from."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from campaigns.forms import SuppressionForm
from campaigns.models import Suppression
from campaigns.suppressing import AlreadySuppressed, release, suppress_by_hand
from retention.common import clock
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

PAGE_SIZE = 50


@require_safe
@requires(Can.READ)
def suppression_list(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:254]
    listed = Suppression.objects.order_by("-created_at", "-id")
    if search:
        listed = listed.filter(address__icontains=search)
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "campaigns/suppressions.html", {"page": page, "search": search, "form": SuppressionForm()})


@require_POST
@requires(Can.EDIT_CAMPAIGNS)
def suppression_add(request: HttpRequest) -> HttpResponse:
    form = SuppressionForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            suppress_by_hand(said["address"], said["note"], person(request), clock.now())
        except AlreadySuppressed:
            form.add_error("address", "This address is on the list already.")
        else:
            messages.success(request, f"{said['address']} gets nothing any more.")
            return redirect("campaigns:suppressions")
    page = Paginator(Suppression.objects.order_by("-created_at", "-id"), PAGE_SIZE).get_page(1)
    return render(request, "campaigns/suppressions.html", {"page": page, "search": "", "form": form}, status=422)


@require_POST
@requires(Can.EDIT_CAMPAIGNS)
def suppression_remove(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(Suppression, pk=pk)
    release(entry, person(request), clock.now())
    messages.success(request, f"{entry.address} is off the list. Consent is another matter: it stays as it was.")
    return redirect("campaigns:suppressions")
