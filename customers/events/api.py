"""The timeline in the API: what happened to a customer, and what other systems tell, up to 1,000 at once."""

import json
from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.events.kinds import CATALOGUE, REPORTED
from customers.events.telling import MOST_SAID, TOLD, NobodyKnown, Report, tell
from customers.models import Customer, Event
from customers.records import timeline
from retention.common import clock
from retention.workspace.api import paging
from retention.workspace.api.problem import Problem, misasked
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape, checked
from retention.workspace.roles import Can

MOST = 1_000
LARGEST = 2**63 - 1
CLOCKS_DIFFER = timedelta(minutes=1)


@extend_schema_field(OpenApiTypes.OBJECT)
class Payload(serializers.JSONField):
    """An object of what there is to say."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Give an object.")
        if len(json.dumps(data)) > MOST_SAID:
            raise serializers.ValidationError(f"Say it in {MOST_SAID:,} characters.")
        return data


class EventShape(Shape):
    id = serializers.IntegerField()
    customer = serializers.IntegerField(source="customer_id")
    kind = serializers.CharField()
    sentence = serializers.CharField()
    occurred_at = Instant()
    recorded_at = Instant()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    ref = serializers.CharField(allow_blank=True, help_text="What it is about, as kind:id.")
    payload = Payload()


class ReportShape(Shape):
    customer = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST, help_text="Their id; or else external_id."
    )
    external_id = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(TOLD)
    name = serializers.CharField(max_length=100, required=False, help_text=f"With {REPORTED}: what happened, in words.")
    occurred_at = Instant(required=False, help_text="Now, where nothing is said.")
    key = serializers.CharField(max_length=100, help_text="Told again under its key, it is kept once.")
    payload = Payload(required=False, help_text="Segments and campaigns can ask about its members.")

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if ("customer" in said) == ("external_id" in said):
            raise serializers.ValidationError({"customer": ["Give either customer or external_id."]})
        if (said["kind"] == REPORTED) != ("name" in said):
            raise serializers.ValidationError({"name": [f"Events of the kind {REPORTED} have a name, others none."]})
        if said.get("occurred_at", clock.now()) > clock.now() + CLOCKS_DIFFER:
            raise serializers.ValidationError({"occurred_at": ["It has not happened yet."]})
        return said


class ReportsShape(Shape):
    events = ReportShape(many=True, allow_empty=False, max_length=MOST)  # type: ignore[call-arg]  # its list's


class AcceptedShape(Shape):
    accepted = serializers.IntegerField(help_text="How many, with those that were known already.")


class Timeline(Resource):
    noun = "Events"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List what happened to a customer, the latest first",
        parameters=[
            *paging.PAGING,
            OpenApiParameter("kind", str, enum=list(CATALOGUE), many=True),
            OpenApiParameter("show", str, enum=list(timeline.GROUPS), many=True, description="The page's groups."),
        ],
        responses=paging.page_of(EventShape),
    )
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request, "kind", "show")
        events = Event.objects.filter(customer=get_object_or_404(Customer, pk=customer_id))
        if kinds := _kinds(request):
            events = events.filter(kind__in=kinds)
        rows, mark = paging.page(events, request, ("occurred_at", "id"))
        names = timeline.segment_names(rows)
        for row in rows:
            row.sentence = timeline.told(row, names).sentence  # type: ignore[attr-defined]
        return paging.answer(request, EventShape(rows, many=True).data, mark)


def _kinds(request: Request) -> list[str]:
    kinds, groups = request.query_params.getlist("kind"), request.query_params.getlist("show")
    for name, said, known in (("kind", kinds, CATALOGUE), ("show", groups, timeline.GROUPS)):
        if set(said) - set(known):
            raise misasked(name, "There is no such value.")
    return [*kinds, *timeline.kinds_of(groups)]


class Events(Resource):
    """Tells of customers what happened elsewhere: use of the product, or whatever another system reports."""

    noun = "Events"
    needs = {"POST": Can.EDIT_CUSTOMERS}

    @extend_schema(summary=f"Tell up to {MOST:,} events", request=ReportsShape, responses={201: AcceptedShape})
    @once
    def post(self, request: Request) -> Response:
        now = clock.now()
        reports = [_report(said, now) for said in checked(ReportsShape, request.data)["events"]]
        try:
            tell(reports)
        except NobodyKnown as nobody:
            errors = [(f"#/events/{place}", "There is no such customer.") for place in nobody.places[:20]]
            raise Problem(422, errors=errors) from nobody
        return Response({"accepted": len(reports)}, 201)


def _report(said: dict[str, Any], now: Any) -> Report:
    payload = dict(said.get("payload", {}))
    if "name" in said:
        payload["name"] = said["name"]
    who = said["customer"] if "customer" in said else said["external_id"]
    return Report(who, said["kind"], min(said.get("occurred_at", now), now), said["key"], payload)


urlpatterns = [
    path("customers/<int:customer_id>/events/", Timeline.as_view(), name="timeline"),
    path("events/", Events.as_view(), name="events"),
]
