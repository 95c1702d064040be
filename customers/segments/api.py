"""Segments in the API: which there are, who is in them now or was at an instant, and why somebody is in or out."""

from dataclasses import asdict
from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer, HandPick, Segment, SegmentMembership, Verdict
from customers.segments.explaining import why
from customers.segments.history import stays_of
from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape
from retention.workspace.roles import Can


@extend_schema_field(OpenApiTypes.OBJECT)
class Rule(serializers.JSONField):
    """A segment's rule, as its page keeps it."""


class SegmentShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    rule = Rule()
    size = serializers.IntegerField(help_text="As of computed_at.")
    by_hand = serializers.IntegerField(help_text="Put in or kept out by hand.")
    computed_at = Instant(allow_null=True)


class MemberShape(Shape):
    customer = serializers.IntegerField(source="customer_id")
    external_id = serializers.CharField(source="customer.external_id")
    name = serializers.CharField(source="customer.name")
    entered_at = Instant()
    left_at = Instant(allow_null=True)


@extend_schema_field(OpenApiTypes.OBJECT)
class FindingField(serializers.JSONField):
    """Each condition: its text, whether it is met, what was found, and its parts."""


class WhyShape(Shape):
    is_in = serializers.BooleanField()
    entered_at = Instant(allow_null=True)
    by_hand = serializers.ChoiceField(Verdict.choices, allow_null=True, help_text="Where a person decided.")
    finding = FindingField(allow_null=True, help_text="The rule, condition by condition.")
    refused = serializers.CharField(allow_blank=True, help_text="Why the rule cannot be read, where it cannot.")


class Segments(Resource):
    noun = "Segments"
    needs = {"GET": Can.READ}

    @extend_schema(summary="List segments", parameters=[*paging.PAGING], responses=paging.page_of(SegmentShape))
    def get(self, request: Request) -> Response:
        paging.only(request)
        rows, mark = paging.page(Segment.objects.all(), request, down=False)
        return paging.answer(request, SegmentShape(rows, many=True).data, mark)


class OneSegment(Resource):
    noun = "Segments"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a segment", responses=SegmentShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return Response(SegmentShape(get_object_or_404(Segment, pk=pk)).data)


class Members(Resource):
    noun = "Segments"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List who is in a segment",
        parameters=[*paging.PAGING, OpenApiParameter("at", OpenApiTypes.DATETIME, description="Who was in it then.")],
        responses=paging.page_of(MemberShape),
    )
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request, "at")
        stays = _stays(get_object_or_404(Segment, pk=pk), request).select_related("customer")
        rows, mark = paging.page(stays, request, ("customer_id",), down=False)
        return paging.answer(request, MemberShape(rows, many=True).data, mark)


def _stays(segment: Segment, request: Request) -> QuerySet[SegmentMembership]:
    stays = SegmentMembership.objects.filter(segment=segment)
    at = paging.instant(request, "at")
    if at is None:
        return stays.filter(left_at=None)
    return stays.filter(Q(left_at=None) | Q(left_at__gt=at), entered_at__lte=at)


class WhyMember(Resource):
    noun = "Segments"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Say why a customer is in a segment or not", responses=WhyShape)
    def get(self, request: Request, pk: int, customer_id: int) -> Response:
        paging.only(request)
        segment = get_object_or_404(Segment, pk=pk)
        customer = get_object_or_404(Customer, pk=customer_id)
        stay = stays_of(segment, customer.pk).filter(left_at=None).first()
        pick = HandPick.objects.filter(segment=segment, customer=customer, ended_by=None).first()
        told: dict[str, Any] = why(segment, customer.pk)
        finding = told.get("finding")
        answer = {
            "is_in": stay is not None,
            "entered_at": stay and stay.entered_at,
            "by_hand": pick and pick.verdict,
            "finding": finding and asdict(finding),
            "refused": told.get("refused", ""),
        }
        return Response(WhyShape(answer).data)


urlpatterns = [
    path("segments/", Segments.as_view(), name="segments"),
    path("segments/<int:pk>/", OneSegment.as_view(), name="segment"),
    path("segments/<int:pk>/members/", Members.as_view(), name="segment_members"),
    path("segments/<int:pk>/customers/<int:customer_id>/", WhyMember.as_view(), name="segment_why"),
]
