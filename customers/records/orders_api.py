"""Orders in the API, with their lines. Each is named by the id that the shop gave it: told again, nothing changes."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.events.telling import known
from customers.models import Customer, Order
from customers.records.placing import Incomplete, Line, Unlikely, put
from retention.common.currencies import check_currency
from retention.workspace.api import paging
from retention.workspace.api.problem import Problem, wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, made
from retention.workspace.api.shapes import Instant, Shape, checked
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can

MOST_LINES = 1_000
LARGEST_ID = 2**63 - 1
PERIOD = (
    OpenApiParameter("since", datetime, description="Ordered then or later."),
    OpenApiParameter("until", datetime, description="Ordered before."),
)


class OrderShape(Shape):
    id = serializers.IntegerField()
    external_id = serializers.CharField()
    customer = serializers.IntegerField(source="customer_id", allow_null=True)
    ordered_at = Instant()
    state = serializers.ChoiceField(Order.State.choices)
    amount = serializers.DecimalField(18, 4)
    refunded = serializers.DecimalField(18, 4, help_text="The part given back.")
    net = serializers.DecimalField(18, 4)
    currency = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


class OrderLineShape(Shape):
    position = serializers.IntegerField(read_only=True)
    sku = serializers.CharField(max_length=100, required=False, allow_blank=True)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    quantity = serializers.DecimalField(14, 3, required=False, help_text="1 where nothing is said.")
    unit_price = serializers.DecimalField(18, 4)


class WholeOrderShape(OrderShape):
    lines = OrderLineShape(many=True)


class PlacedShape(Shape):
    """What is to be known of an order. What is not said stays as it stands; a new one has an instant and an amount."""

    external_id = serializers.CharField(max_length=200)
    customer = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="Their id; or else customer_external_id."
    )
    customer_external_id = serializers.CharField(max_length=200, required=False)
    ordered_at = Instant(required=False)
    state = serializers.ChoiceField(Order.State.choices, required=False)
    amount = serializers.DecimalField(16, 4, required=False, help_text="The sum of the lines where nothing is said.")
    refunded = serializers.DecimalField(16, 4, required=False, min_value=0, help_text="The part given back.")
    currency = serializers.RegexField(
        "^[A-Z]{3}$",
        required=False,
        validators=[check_currency],
        help_text="Three letters; the workspace's where nothing is said.",
    )
    lines = OrderLineShape(  # type: ignore[call-arg]  # its list's
        many=True, required=False, max_length=MOST_LINES, help_text="All of them; without, those that stand stay."
    )

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if "customer" in said and "customer_external_id" in said:
            raise serializers.ValidationError({"customer": ["Give either customer or customer_external_id."]})
        return said


def _page(request: Request, orders: QuerySet[Order]) -> Response:
    paging.only(request, "since", "until")
    if since := paging.instant(request, "since"):
        orders = orders.filter(ordered_at__gte=since)
    if until := paging.instant(request, "until"):
        orders = orders.filter(ordered_at__lt=until)
    rows, mark = paging.page(orders, request, ("ordered_at", "id"))
    return paging.answer(request, OrderShape(rows, many=True).data, mark)


class Orders(Resource):
    noun = "Orders"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="List orders, the latest first",
        parameters=[*paging.PAGING, *PERIOD],
        responses=paging.page_of(OrderShape),
    )
    def get(self, request: Request) -> Response:
        return _page(request, Order.objects.all())

    @extend_schema(
        summary="Place an order, or say more of one that is known",
        request=PlacedShape,
        responses={200: WholeOrderShape, 201: WholeOrderShape},
    )
    @once
    @transaction.atomic
    def post(self, request: Request) -> Response:
        said = checked(PlacedShape, request.data)
        lines = said.pop("lines", None)
        given = None if lines is None else [Line(**{"quantity": Decimal(1), **line}) for line in lines]
        external_id, who = said.pop("external_id"), _customer(said)
        try:
            order, is_new = put(external_id, who | said, given, workspace_of(request).currency, "api")
        except Incomplete as lacking:
            told = [(f"#/{part}", "A new order has this.") for part in lacking.parts]
            raise Problem(422, errors=told) from lacking
        except Unlikely as why:
            raise wrong(why.part, str(why)) from why
        answer = dict(WholeOrderShape(order).data)
        return made(request, "order", answer) if is_new else Response(answer)


def _customer(said: dict[str, Any]) -> dict[str, int]:
    """Takes out of what was said whose the order is; an id that a merge has made an old one leads on."""
    named = next((name for name in ("customer", "customer_external_id") if name in said), "")
    if not named:
        return {}
    name = said.pop(named)
    found = known({name}).get(name)
    if found is None:
        raise wrong(named, "There is no such customer.")
    return {"customer_id": found}


class CustomersOrders(Resource):
    noun = "Orders"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List a customer's orders", parameters=[*paging.PAGING, *PERIOD], responses=paging.page_of(OrderShape)
    )
    def get(self, request: Request, customer_id: int) -> Response:
        return _page(request, get_object_or_404(Customer, pk=customer_id).orders.all())


class OneOrder(Resource):
    noun = "Orders"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read an order with its lines", responses=WholeOrderShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return Response(WholeOrderShape(get_object_or_404(Order.objects.prefetch_related("lines"), pk=pk)).data)


urlpatterns = [
    path("orders/", Orders.as_view(), name="orders"),
    path("orders/<int:pk>/", OneOrder.as_view(), name="order"),
    path("customers/<int:customer_id>/orders/", CustomersOrders.as_view(), name="customer_orders"),
]
