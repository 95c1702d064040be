"""Orders in the API, with their lines. They come in by files; here they are read."""

from datetime import datetime

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer, Order
from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape
from retention.workspace.roles import Can

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
    position = serializers.IntegerField()
    sku = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    quantity = serializers.DecimalField(14, 3)
    unit_price = serializers.DecimalField(18, 4)


class WholeOrderShape(OrderShape):
    lines = OrderLineShape(many=True)


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
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List orders, the latest first",
        parameters=[*paging.PAGING, *PERIOD],
        responses=paging.page_of(OrderShape),
    )
    def get(self, request: Request) -> Response:
        return _page(request, Order.objects.all())


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
