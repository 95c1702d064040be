"""Segments in the API: made and changed, who is in them now or was at an instant, and why somebody is in or out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer, FormerId, HandChange, HandPick, Segment, SegmentMembership, Verdict
from customers.segments import by_hand, membership, saving, uses
from customers.segments.agreeing import enough
from customers.segments.consequences import Consequence
from customers.segments.explaining import why
from customers.segments.forms import SegmentForm
from customers.segments.history import stays_of
from customers.segments.rules import RuleRefused
from retention.workspace.api import paging
from retention.workspace.api.entering import can, person
from retention.workspace.api.problem import Problem, of_form, wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import IF_MATCH, Resource, check_version, check_version_if_named, made, versioned
from retention.workspace.api.shapes import Instant, Shape, Version, checked
from retention.workspace.roles import Can

#: How many customers a request may name.
MOST = 1_000
#: A rule that is nested too deep is refused with its place, which takes reading it first.
DEEPEST = 200


@extend_schema_field({"type": "object", "additionalProperties": True})
class Rule(serializers.JSONField):
    """A segment's rule, as docs/segments.md tells it; `{"nobody": true}` is a list kept by hand."""


AGREED = "How many customers you agree to it for, where mail would follow."


class SegmentShape(Shape):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)
    rule = Rule()
    agreed = serializers.IntegerField(write_only=True, required=False, min_value=0, help_text=AGREED)
    size = serializers.IntegerField(read_only=True, help_text="As of computed_at.")
    by_hand = serializers.IntegerField(read_only=True, help_text="Put in or kept out by hand.")
    computed_at = Instant(read_only=True, allow_null=True)
    updated_at = Instant(read_only=True)
    version = Version()


class HandChangeShape(Shape):
    id = serializers.IntegerField(read_only=True)
    act = serializers.ChoiceField(HandChange.Act.choices, help_text="rule: as the rule says; of a list, not in it.")
    customers = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=MOST, required=False, write_only=True
    )
    external_ids = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=MOST, required=False, write_only=True
    )
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)
    agreed = serializers.IntegerField(write_only=True, required=False, min_value=0, help_text=AGREED)
    changed = serializers.IntegerField(source="customers", read_only=True, help_text="For whom it changed something.")
    at = Instant(read_only=True)


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


def told(pk: int) -> dict[str, Any]:
    return dict(SegmentShape(Segment.objects.get(pk=pk)).data)


def _stored(request: Request, said: dict[str, Any], segment: Segment) -> None:
    """Keep what was sent of a segment; of one that stands, what was not sent stays. Raises Problem."""
    form = SegmentForm(said, instance=segment)
    if segment.pk:
        form.fields = {name: field for name, field in form.fields.items() if name in said}
    if not form.is_valid():
        raise of_form(form)
    segment.rule = said.get("rule", segment.rule)
    try:
        _agree(request, said, saving.foresee(segment) if segment.pk else ())
        saving.save(segment, person(request))
    except RuleRefused as refusal:
        raise wrong(_pointer(refusal.place), f"This {refusal.why}.") from refusal


def _pointer(place: str) -> str:
    """`all[2].value` as a JSON pointer into the body."""
    return "/".join(["rule", *re.findall(r"[^.\[\]]+", place)])


def _agree(request: Request, said: Mapping[str, Any], follows: Sequence[Consequence]) -> None:
    """Raises Problem where something follows that was not agreed to, or that whoever asks may not let follow."""
    if follows and not can(request, Can.LAUNCH_CAMPAIGNS):
        raise Problem(
            403, "Mail would follow, and to let it takes the right to launch campaigns.", follows=_told(follows)
        )
    if not enough(said.get("agreed"), follows):
        number = sum(each.customers for each in follows)
        raise Problem(409, f'Mail would follow. Send "agreed": {number} to let it.', follows=_told(follows))


def _told(follows: Sequence[Consequence]) -> list[dict[str, Any]]:
    return [{"what": each.what, "name": each.name, "customers": each.customers} for each in follows]


class Segments(Resource):
    noun = "Segments"
    needs = {"GET": Can.READ, "POST": Can.EDIT_SEGMENTS}
    deepest = DEEPEST

    @extend_schema(summary="List segments", parameters=[*paging.PAGING], responses=paging.page_of(SegmentShape))
    def get(self, request: Request) -> Response:
        paging.only(request)
        rows, mark = paging.page(Segment.objects.all(), request, down=False)
        return paging.answer(request, SegmentShape(rows, many=True).data, mark)

    @extend_schema(summary="Add a segment", request=SegmentShape, responses={201: SegmentShape})
    @once
    def post(self, request: Request) -> Response:
        segment = Segment()
        _stored(request, checked(SegmentShape, request.data), segment)
        return made(request, "segment", told(segment.pk))


class OneSegment(Resource):
    noun = "Segments"
    needs = {"GET": Can.READ, "PATCH": Can.EDIT_SEGMENTS, "DELETE": Can.EDIT_SEGMENTS}
    deepest = DEEPEST

    @extend_schema(summary="Read a segment", responses=SegmentShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return versioned(dict(SegmentShape(get_object_or_404(Segment, pk=pk)).data))

    @extend_schema(summary="Change a segment's name, words or rule", request=SegmentShape, responses=SegmentShape)
    @transaction.atomic
    def patch(self, request: Request, pk: int) -> Response:
        membership.hold(pk)
        stands = get_object_or_404(Segment, pk=pk)
        check_version(request, stands.updated_at, lambda: told(pk))
        _stored(request, checked(SegmentShape, request.data, part=True), stands)
        return versioned(told(pk))

    @extend_schema(
        summary="Delete a segment on which nothing stands, with its history",
        parameters=[IF_MATCH],
        responses={204: None},
    )
    @transaction.atomic
    def delete(self, request: Request, pk: int) -> Response:
        membership.hold(pk)
        stands = get_object_or_404(Segment, pk=pk)
        check_version_if_named(request, stands.updated_at, lambda: told(pk))
        try:
            uses.delete(stands)
        except uses.InUse as refusal:
            standing = ", ".join(f"{use.what} “{use.name}”" for use in refusal.uses)
            raise Problem(409, f"This stands on it: {standing}.") from refusal
        return Response(status=204)


class Members(Resource):
    """On a list, `in` adds customers and `rule` removes them; on any segment `out` keeps them out whatever it says."""

    noun = "Segments"
    needs = {"GET": Can.READ, "POST": Can.EDIT_SEGMENTS}

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

    @extend_schema(
        summary="Put customers in by hand, keep them out, or leave them to the rule",
        request=HandChangeShape,
        responses={201: HandChangeShape},
    )
    @once
    def post(self, request: Request, pk: int) -> Response:
        segment, said = get_object_or_404(Segment, pk=pk), checked(HandChangeShape, request.data)
        found = _named(said)
        change = HandChange(segment=segment, act=said["act"], reason=said.get("reason", ""), by=person(request))
        _agree(request, said, by_hand.foresee(change, found))
        return Response(HandChangeShape(by_hand.decide(change, found)).data, 201)


def _named(said: Mapping[str, Any]) -> list[int]:
    """The customers of a change. Raises Problem with the places of those who are not there."""
    ids, names = said.get("customers", []), said.get("external_ids", [])
    if not ids and not names:
        raise wrong("customers", "Name at least one customer, here or in external_ids.")
    known = set(Customer.objects.filter(pk__in=ids).values_list("pk", flat=True))
    named = {
        **dict(FormerId.objects.filter(external_id__in=names).values_list("external_id", "customer_id")),
        **dict(Customer.objects.filter(external_id__in=names).values_list("external_id", "pk")),
    }
    missing = [f"customers/{place}" for place, pk in enumerate(ids) if pk not in known]
    missing += [f"external_ids/{place}" for place, name in enumerate(names) if name not in named]
    if missing:
        raise Problem(422, errors=[(f"#/{place}", "There is no such customer.") for place in missing])
    return sorted({*known, *named.values()})


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
