"""Renewals in the API: what comes up within the months of the board, as the board narrows it."""

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.renewals.asking import GROUPS, Asked
from customers.renewals.due import Span
from customers.renewals.rows import Renewal
from retention.common import clock
from retention.workspace.api import paging
from retention.workspace.api.entering import person
from retention.workspace.api.problem import misasked
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can

FILTERS = ("whose", "segment", "month", "forecast", "stage", "currency")


class RenewalShape(Shape):
    subscription = serializers.IntegerField(source="term.subscription_id")
    customer = serializers.IntegerField(source="term.customer_id")
    plan = serializers.CharField(source="term.plan")
    mrr = serializers.DecimalField(24, 10, source="term.mrr", help_text="What is at stake a month.")
    currency = serializers.CharField(source="term.currency")
    due_at = Instant(help_text="When it renews or ends.")
    notice_at = Instant(allow_null=True, help_text="Until when notice can be given; null at any time, or given.")
    cancelled = serializers.BooleanField()
    stage = serializers.CharField()
    forecast = serializers.ChoiceField(list(GROUPS["forecast"]))
    suggested = serializers.CharField(help_text="What the rules make of it, whatever somebody has said.")
    why = serializers.CharField(help_text="What makes the rules suggest that.")


class Renewals(Resource):
    """What comes up, or ended undecided of late. Without `whose` everyone's."""

    noun = "Renewals"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List renewals that come up",
        parameters=[
            *paging.PAGING,
            OpenApiParameter("whose", str, description="mine, everyones, nobodys, person-ID or team-ID."),
            OpenApiParameter("segment", int),
            OpenApiParameter("month", str, description="Such as 2026-12, or overdue."),
            OpenApiParameter("forecast", str, enum=list(GROUPS["forecast"])),
            OpenApiParameter("stage", str, enum=list(GROUPS["stage"])),
            OpenApiParameter("currency", str),
            OpenApiParameter("short", str, enum=["yes"], description="Those of a month or less, too."),
        ],
        responses=paging.page_of(RenewalShape),
    )
    def get(self, request: Request) -> Response:
        paging.only(request, *FILTERS, "short")
        said, me = request.query_params.copy(), person(request)
        said.setdefault("whose", "everyones")
        asked = Asked.read(said, me)
        for name in FILTERS:
            if said.get(name, "") not in ("", getattr(asked, name)):
                raise misasked(name, "There is no such value.")
        rows = asked.rows(Span(clock.now(), workspace_of(request).zone), me.pk)
        found, mark = paging.page(rows.select_related("subscription__forecast"), request, down=False)
        return paging.answer(request, RenewalShape([Renewal(term) for term in found], many=True).data, mark)


urlpatterns = [path("renewals/", Renewals.as_view(), name="renewals")]
