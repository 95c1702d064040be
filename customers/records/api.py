"""Customers in the API: the list as the page narrows it, one by their id or their external id, new ones, changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import IntegrityError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.custom.api import CustomValues, filled
from customers.custom.asking import typed_from
from customers.custom.definitions import defined
from customers.models import Channel, Consent, Customer, FormerId, HealthBand, Stage
from customers.records import editing
from customers.records.columns import CUSTOM
from customers.records.filters import Filters, matching
from customers.records.forms import TAGS, CustomerForm
from customers.records.listing import Cut, page
from customers.records.ordering import ORDERS
from retention.workspace import saved_views
from retention.workspace.api import paging
from retention.workspace.api.entering import person
from retention.workspace.api.problem import misasked, wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, check_version, made, outdated, versioned
from retention.workspace.api.shapes import Instant, Shape, Version, checked
from retention.workspace.roles import Can

PLACE = "customers:list"
FILTERS = ("q", "stage", "owner", "segment", "country", "tag", "team", "persona", "key", "health")


class ConsentShape(Shape):
    channel = serializers.ChoiceField(Channel.choices)
    state = serializers.ChoiceField(Consent.State.choices)
    source = serializers.CharField()  # type: ignore[assignment]  # a field, not the serializer's own source
    proof = serializers.CharField(allow_blank=True)
    changed_at = Instant()


class FactsShape(Shape):
    """What follows from what happened, in the workspace's currency. It catches up within seconds."""

    stage = serializers.ChoiceField(Stage.choices, allow_blank=True)
    health = serializers.IntegerField(allow_null=True)
    health_band = serializers.ChoiceField(HealthBand.choices, allow_blank=True)
    orders = serializers.IntegerField()
    revenue = serializers.DecimalField(18, 4)
    mrr = serializers.DecimalField(18, 4)
    last_order_at = Instant(allow_null=True)
    renews_at = Instant(allow_null=True)
    nps_score = serializers.IntegerField(allow_null=True)


class CustomerShape(Shape):
    id = serializers.IntegerField(read_only=True)
    external_id = serializers.CharField(max_length=200, required=False, help_text="As your other systems know them.")
    kind = serializers.ChoiceField(Customer.Kind.choices, required=False)
    name = serializers.CharField(max_length=300, required=False, allow_blank=True)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    country = serializers.CharField(max_length=100, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    owner = serializers.IntegerField(source="owner_id", required=False, allow_null=True, help_text="A person's id.")
    team = serializers.IntegerField(source="team_id", required=False, allow_null=True, help_text="A team's id.")
    is_key_account = serializers.BooleanField(required=False)
    persona = serializers.CharField(max_length=100, required=False, allow_blank=True)
    source = serializers.CharField(max_length=100, required=False, allow_blank=True)  # type: ignore[assignment]
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=TAGS)
    custom = CustomValues()
    shared_email = serializers.BooleanField(
        write_only=True, required=False, help_text="True: another customer has this address too, and they share it."
    )
    consents = ConsentShape(many=True, read_only=True)
    facts = FactsShape(read_only=True, allow_null=True)
    joined_at = Instant(read_only=True, allow_null=True)
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)
    version = Version()


def told_all(pks: Sequence[int]) -> list[Any]:
    """These customers as the API tells them, in this order, in a fixed number of queries; who is gone is left out."""
    found = Customer.objects.filter(pk__in=pks).select_related("facts").prefetch_related("consents")
    rows = {row.pk: row for row in found}
    for row in rows.values():
        if not hasattr(row, "facts"):
            row.facts = None  # too new to have any
    # One serializer for all of them: to make one costs more than to tell a customer.
    return list(CustomerShape([rows[pk] for pk in pks if pk in rows], many=True).data)


def told(pk: int) -> dict[str, Any]:
    """One customer as the API tells them. Raises Http404."""
    found = told_all([pk])
    if not found:
        raise Http404
    return dict(found[0])


class Customers(Resource):
    """All customers, narrowed down and ordered as their page does it."""

    noun = "Customers"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="List customers",
        parameters=[
            *paging.PAGING,
            OpenApiParameter("sort", str, description=f"{', '.join(ORDERS)} or custom.KEY, downwards with a minus."),
            OpenApiParameter("q", str, description="Words of the name, e-mail, id or phone number."),
            OpenApiParameter("stage", str, enum=Stage.values, many=True),
            OpenApiParameter("owner", str, description="A person's id, or none."),
            OpenApiParameter("team", str, description="A team's id, or none."),
            OpenApiParameter("segment", int, description="Those in it now."),
            OpenApiParameter("view", int, description="A saved view's id: its filters and order."),
            OpenApiParameter("health", str, enum=[*HealthBand.values, "unknown"]),
            OpenApiParameter("key", str, enum=["yes"], description="Key accounts."),
            *(OpenApiParameter(name, str) for name in ("country", "tag", "persona")),
            OpenApiParameter("custom.KEY", str, description="Those with this value of the custom field KEY."),
        ],
        responses=paging.page_of(CustomerShape),
    )
    def get(self, request: Request) -> Response:
        said = _with_view(request)
        filters, cut = _filters(said), replace(_cut(said), size=paging.size_of(request))
        part = page(matching(filters), cut)
        return paging.answer(request, told_all([row["pk"] for row in part.rows]), part.next)

    @extend_schema(summary="Add a customer", request=CustomerShape, responses={201: CustomerShape})
    @once
    def post(self, request: Request) -> Response:
        said = {"kind": Customer.Kind.PERSON, **checked(CustomerShape, request.data)}
        form = filled(CustomerForm, said, Customer())
        try:
            customer = editing.add(form.values, form.custom_values)
        except IntegrityError as error:
            raise wrong("external_id", "Another customer has this id.") from error
        return made(request, "customer", told(customer.pk))


class OneCustomer(Resource):
    noun = "Customers"
    needs = {"GET": Can.READ, "PATCH": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="Read a customer", responses=CustomerShape)
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request)
        return versioned(told(customer_id))

    @extend_schema(summary="Change some fields of a customer", request=CustomerShape, responses=CustomerShape)
    def patch(self, request: Request, customer_id: int) -> Response:
        stands = get_object_or_404(Customer, pk=customer_id)
        check_version(request, stands.updated_at, lambda: told(customer_id))
        opened = stands.updated_at
        form = filled(CustomerForm, checked(CustomerShape, request.data, part=True), stands, part=True)
        try:
            editing.change(customer_id, form.values, opened, form.custom_values, by=person(request))
        except editing.ChangedMeanwhile as other:
            raise outdated(told(other.stands.pk)) from other
        except IntegrityError as error:
            raise wrong("external_id", "Another customer has this id.") from error
        return versioned(told(customer_id))


class CustomerByExternalId(Resource):
    """Finds a customer by the id of your other systems, also by one that a merge has made an old one."""

    noun = "Customers"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a customer by their external id", responses=CustomerShape)
    def get(self, request: Request, external_id: str) -> Response | HttpResponse:
        paging.only(request)
        pk = Customer.objects.filter(external_id=external_id).values_list("pk", flat=True).first()
        if pk is None:
            former = get_object_or_404(FormerId, external_id=external_id)
            here = reverse("api:customer", args=[former.customer_id])
            return HttpResponse(status=301, headers={"Location": here, "Cache-Control": "no-store"})
        return versioned(told(pk))


def _with_view(request: Request) -> QueryDict:
    """What the address asks for, over what a saved view does."""
    said = request.query_params.copy()
    if pk := paging.number(request, "view"):
        kept = next((view for view in saved_views.for_list(person(request), PLACE) if view.pk == pk), None)
        if kept is None:
            raise misasked("view", "There is no such view, or it is not shared.")
        under = QueryDict(kept.query, mutable=True)
        under.pop("size", None)
        under.pop("column", None)
        for name, values in said.lists():
            under.setlist(name, values)
        said = under
    said.pop("view", None)
    return said


def _filters(said: QueryDict) -> Filters:
    """The page's filters; what it would pass over is refused here. Raises Problem."""
    read = Filters.read(said)
    understood = QueryDict(read.query())
    for name, values in said.lists():
        if name in ("sort", "size", "after"):
            continue
        if name not in FILTERS and not name.startswith(CUSTOM):
            raise misasked(name, "There is no such parameter.")
        if [value.strip() for value in values if value.strip()] != understood.getlist(name):
            raise misasked(name, "There is no such value.")
    fields = {field.key: field for field in defined()} if read.custom else {}
    for key, value in read.custom:
        if key not in fields or typed_from(fields[key], value) is None:
            raise misasked(CUSTOM + key, "There is no such custom field, or it has no such value.")
    return read


def _cut(said: QueryDict) -> Cut:
    """The page's order. Every custom field is told here, so that the list can be in the order of any."""
    sort, shown = said.get("sort", "name"), said.copy()
    shown.setlist("column", [sort.removeprefix("-")])
    cut = Cut.read(shown, defined() if CUSTOM in sort else ())
    if sort != cut.sort:
        raise misasked("sort", f"Give one of {', '.join(ORDERS)} or custom.KEY, with a minus before it for downwards.")
    if cut.after and cut.mark is None:
        raise misasked("after", "This is no mark of this list.")
    return cut


urlpatterns = [
    path("customers/", Customers.as_view(), name="customers"),
    path("customers/<int:customer_id>/", OneCustomer.as_view(), name="customer"),
    path("customers/by-external-id/<path:external_id>", CustomerByExternalId.as_view(), name="customer_by_external_id"),
]
