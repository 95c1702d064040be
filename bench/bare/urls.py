"""The floor of each page: signed in, one indexed query, as many rows through a plain template that extends nothing."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import DateTimeField, ExpressionWrapper, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from customers.models import Case, Contact, ContactConsent, Customer, Event, Order
from customers.models.cases import WITHIN
from customers.models.subscriptions import SubscriptionTerm

ROWS = 50
LISTED = (
    "pk", "name", "email", "external_id", "tags", "is_key_account", "owner__first_name", "owner__last_name",
    "facts__stage", "facts__orders", "facts__revenue", "facts__mrr", "facts__last_order_at", "facts__renews_at",
    "facts__nps_score",
)  # fmt: skip
BY_MAIL = ContactConsent.objects.filter(contact=OuterRef("pk"), channel="email").values("state")[:1]
DUE = ExpressionWrapper(F("opened_at") + WITHIN, output_field=DateTimeField())
#: With what the product's page has in its columns.
TABLES: dict[str, QuerySet[Any, Any]] = {
    "orders": Order.objects.order_by("-ordered_at", "-pk").values_list(
        "external_id", "customer", "customer__name", "ordered_at", "state", "net", "currency"
    ),
    "contacts": Contact.objects.filter(removed_at=None)
    .order_by("-created_at", "-pk")
    .values_list(
        "pk", "name", "customer", "customer__name", "role", "email", "phone", Subquery(BY_MAIL), "created_at"
    ),
    "subscriptions": SubscriptionTerm.objects.order_by("-valid_from", "-pk").values_list(
        "pk", "plan", "quantity", "subscription__external_id", "customer", "customer__name", "valid_to", "amount",
        "currency", "interval", "valid_from", "subscription__renews_at",
    ),
    "cases": Case.objects.filter(state=Case.State.OPEN)
    .order_by("opened_at", "pk")
    .values_list(
        "pk", "subject", "customer", "customer__name", "state", "priority", "opened_at", DUE,
        Coalesce("assignee__email", "customer__owner__email"),
    ),
}  # fmt: skip


@login_required
def customers(request: HttpRequest) -> HttpResponse:
    """?owner= or ?stage= narrows, ?sort=revenue puts by revenue, ?after= goes on after a name."""
    rows: QuerySet[Customer] = Customer.objects.order_by(Lower("name"), "pk")
    if request.GET.get("sort") == "revenue":
        rows = Customer.objects.filter(facts__isnull=False).order_by("-facts__revenue", "-facts__customer_id")
    for name, field in (("owner", "owner"), ("stage", "facts__stage")):
        if name in request.GET:
            rows = rows.filter(**{field: request.GET[name]})
    if "after" in request.GET:
        rows = rows.alias(by=Lower("name")).filter(by__gt=request.GET["after"])
    return render(request, "customers.html", {"rows": rows.values(*LISTED)[:ROWS]})


@login_required
def table(request: HttpRequest, name: str) -> HttpResponse:
    """The first rows of a list, each with its customer."""
    return render(request, "table.html", {"rows": TABLES[name][:ROWS]})


@login_required
def search(request: HttpRequest) -> HttpResponse:
    """The customers from there on by name: as many as the product's page finds in all."""
    found = Customer.objects.alias(by=Lower("name")).filter(by__gte=request.GET["q"]).order_by("by", "pk")
    most = int(request.GET["rows"])
    return render(request, "lines.html", {"rows": found.values("pk", what=F("name"), more=F("email"))[:most]})


@login_required
def events(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's latest events."""
    latest = Event.objects.filter(customer=pk).order_by("-occurred_at", "-pk")
    most = int(request.GET["rows"])
    return render(request, "lines.html", {"rows": latest.values("pk", what=F("kind"), more=F("occurred_at"))[:most]})


@login_required
def today(request: HttpRequest) -> HttpResponse:
    """A person's customers, as many as the product's page has lines."""
    mine = Customer.objects.filter(owner=request.user.pk).order_by("pk")
    return render(request, "customers.html", {"rows": mine.values(*LISTED)[: int(request.GET["rows"])]})


urlpatterns = [
    path("customers/", customers),
    path("customers/<int:pk>/", events),
    path("search/", search),
    path("tables/<str:name>/", table),
    path("today/", today),
]
