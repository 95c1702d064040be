"""Save offers in the API. They are granted on the pages, within the limits of whoever does; here they are read."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer
from loyalty.models.offers import Kind, Offer, Outcome, Reason
from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape
from retention.workspace.roles import Can


class OfferShape(Shape):
    id = serializers.IntegerField()
    customer = serializers.IntegerField(source="customer_id")
    kind = serializers.ChoiceField(Kind.choices)
    percent = serializers.DecimalField(5, 2, allow_null=True)
    months = serializers.IntegerField(allow_null=True)
    amount = serializers.DecimalField(14, 4, allow_null=True)
    plan = serializers.CharField(allow_blank=True)
    sessions = serializers.IntegerField(allow_null=True)
    cost = serializers.DecimalField(14, 4, help_text="Worked out when it was made.")
    currency = serializers.CharField()
    reason = serializers.ChoiceField(Reason.choices)
    note = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(Offer.State.choices)
    asked_by = serializers.IntegerField(source="asked_by_id")
    asked_at = Instant()
    over = serializers.ListField(child=serializers.CharField(), help_text="The limits it goes beyond, in words.")
    decided_by = serializers.IntegerField(source="decided_by_id", allow_null=True)
    decided_at = Instant(allow_null=True)
    granted_at = Instant(allow_null=True)
    used_at = Instant(allow_null=True)
    withdrawn_at = Instant(allow_null=True)
    outcome = serializers.ChoiceField(Outcome.choices, allow_blank=True, help_text="After 90 days; empty until then.")
    settled_at = Instant(allow_null=True)


STATE = OpenApiParameter("state", str, enum=Offer.State.values)


def _page(request: Request, offers: QuerySet[Offer]) -> Response:
    paging.only(request, "state")
    if state := paging.choice(request, "state", Offer.State.values):
        offers = offers.filter(state=state)
    rows, mark = paging.page(offers, request, ("asked_at", "id"))
    return paging.answer(request, OfferShape(rows, many=True).data, mark)


class Offers(Resource):
    noun = "Save offers"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List save offers, the latest first",
        parameters=[*paging.PAGING, STATE],
        responses=paging.page_of(OfferShape),
    )
    def get(self, request: Request) -> Response:
        return _page(request, Offer.objects.all())


class CustomersOffers(Resource):
    noun = "Save offers"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List a customer's save offers",
        parameters=[*paging.PAGING, STATE],
        responses=paging.page_of(OfferShape),
    )
    def get(self, request: Request, customer_id: int) -> Response:
        customer = get_object_or_404(Customer, pk=customer_id)
        return _page(request, Offer.objects.filter(customer=customer))


class OneOffer(Resource):
    noun = "Save offers"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a save offer", responses=OfferShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return Response(OfferShape(get_object_or_404(Offer, pk=pk)).data)


urlpatterns = [
    path("offers/", Offers.as_view(), name="offers"),
    path("offers/<int:pk>/", OneOffer.as_view(), name="offer"),
    path("customers/<int:customer_id>/offers/", CustomersOffers.as_view(), name="customer_offers"),
]
