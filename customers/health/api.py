"""A customer's health in the API: the score, what each input adds, and how it went."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.health.reading import Told, told
from customers.models import Customer, HealthBand
from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape
from retention.workspace.roles import Can


class ScoreShape(Shape):
    score = serializers.IntegerField(allow_null=True, help_text="0 to 100; null where too little is known.")
    band = serializers.ChoiceField(HealthBand.choices, allow_blank=True)
    coverage = serializers.IntegerField(help_text="In % of the weight that there is data for.")


class ChangeShape(ScoreShape):
    at = Instant()


class PartShape(Shape):
    label = serializers.CharField()  # type: ignore[assignment]
    found = serializers.CharField(source="said", allow_blank=True)
    weight = serializers.IntegerField()
    points = serializers.IntegerField(allow_null=True)
    adds = serializers.FloatField(allow_null=True, help_text="How many points of the score are its own.")
    before = serializers.IntegerField(allow_null=True)


class HealthShape(ScoreShape):
    profile = serializers.CharField(allow_blank=True, help_text="By which it is worked out; empty where changed since.")
    scored_at = Instant(allow_null=True, help_text="Null for some seconds after they became known.")
    parts = PartShape(many=True)
    changes = ChangeShape(many=True, help_text="The latest, the last first.")


NOT_YET: dict[str, Any] = {
    "score": None,
    "band": "",
    "coverage": 0,
    "profile": "",
    "scored_at": None,
    "parts": [],
    "changes": [],
}


class HealthOf(Resource):
    noun = "Health"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Say how a customer is and why", responses=HealthShape)
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request)
        found = told(get_object_or_404(Customer, pk=customer_id))
        return Response(HealthShape(_answer(found) if found else NOT_YET).data)


def _answer(found: Told) -> dict[str, Any]:
    own = {name: getattr(found.health, name) for name in ("score", "band", "coverage", "scored_at")}
    return own | {"profile": found.profile, "parts": found.parts, "changes": found.changes}


urlpatterns = [path("customers/<int:customer_id>/health/", HealthOf.as_view(), name="health")]
