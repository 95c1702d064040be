"""Calls, meetings, mails, chats and notes in the API. A key changes those of the person it acts for."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.interactions import keeping
from customers.interactions.files_api import AttachmentShape
from customers.interactions.forms import InteractionForm
from customers.models import Customer, Interaction
from retention.workspace.api import paging
from retention.workspace.api.entering import person
from retention.workspace.api.problem import of_form
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import (
    IF_MATCH,
    Resource,
    check_version,
    check_version_if_named,
    made,
    outdated,
    versioned,
)
from retention.workspace.api.shapes import Instant, Shape, Version, checked
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can


class InteractionShape(Shape):
    id = serializers.IntegerField(read_only=True)
    customer = serializers.IntegerField(source="customer_id", read_only=True)
    kind = serializers.ChoiceField(Interaction.Kind.choices)
    text = serializers.CharField(max_length=10_000, help_text="A colleague mentioned as @name gets a task.")
    happened_at = Instant()
    contact = serializers.IntegerField(source="contact_id", required=False, allow_null=True)
    outcome = serializers.CharField(max_length=200, required=False, allow_blank=True)
    sentiment = serializers.ChoiceField(Interaction.Sentiment.choices, required=False, allow_blank=True)
    next_step = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="Becomes a task.")
    next_on = serializers.DateField(required=False, allow_null=True)
    author = serializers.IntegerField(source="author_id", read_only=True, allow_null=True)
    api_key = serializers.CharField(read_only=True, help_text="The key that wrote it in the author's name, if one did.")
    attachments = AttachmentShape(many=True, read_only=True)
    updated_at = Instant(read_only=True)
    version = Version()


WRITTEN = ("kind", "text", "happened_at", "contact", "outcome", "sentiment", "next_step", "next_on")


def there() -> QuerySet[Interaction]:
    return Interaction.objects.filter(removed_at=None).prefetch_related("attachments")


def told(pk: int) -> dict[str, Any]:
    return dict(InteractionShape(there().get(pk=pk)).data)


def _form(customer: Customer, said: dict[str, Any]) -> InteractionForm:
    form = InteractionForm(customer, said, {})
    if not form.is_valid():
        raise of_form(form)
    return form


class Interactions(Resource):
    noun = "Interactions"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="List what was talked about", parameters=[*paging.PAGING], responses=paging.page_of(InteractionShape)
    )
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request)
        customer = get_object_or_404(Customer, pk=customer_id)
        rows, mark = paging.page(there().filter(customer=customer), request, ("happened_at", "id"))
        return paging.answer(request, InteractionShape(rows, many=True).data, mark)

    @extend_schema(
        summary="Log a call, meeting, mail, chat or note", request=InteractionShape, responses={201: InteractionShape}
    )
    @once
    def post(self, request: Request, customer_id: int) -> Response:
        customer = get_object_or_404(Customer, pk=customer_id)
        form = _form(customer, checked(InteractionShape, request.data))
        logged = keeping.log(customer, form.values, person(request), [], workspace_of(request).zone)
        return made(request, "interaction", told(logged.pk))


class OneInteraction(Resource):
    noun = "Interactions"
    needs = {"GET": Can.READ, "PATCH": Can.EDIT_CUSTOMERS, "DELETE": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="Read an interaction", responses=InteractionShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return versioned(dict(InteractionShape(get_object_or_404(there(), pk=pk)).data))

    @extend_schema(summary="Change an interaction", request=InteractionShape, responses=InteractionShape)
    def patch(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(there().select_related("customer"), pk=pk)
        if not keeping.is_theirs(stands, person(request)):
            raise PermissionDenied
        check_version(request, stands.updated_at, lambda: told(pk))
        said = {name: getattr(stands, name) for name in WRITTEN} | checked(InteractionShape, request.data, part=True)
        form = _form(stands.customer, said)
        try:
            zone = workspace_of(request).zone
            keeping.change(stands, form.values, person(request), [], stands.updated_at, zone)
        except keeping.ChangedMeanwhile as other:
            raise outdated(told(pk)) from other
        return versioned(told(pk))

    @extend_schema(
        summary="Remove an interaction; its author can bring it back", parameters=[IF_MATCH], responses={204: None}
    )
    def delete(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(there(), pk=pk)
        check_version_if_named(request, stands.updated_at, lambda: told(pk))
        try:
            keeping.remove(stands, person(request))
        except keeping.NotTheirs as other:
            raise PermissionDenied from other
        return Response(status=204)


urlpatterns = [
    path("customers/<int:customer_id>/interactions/", Interactions.as_view(), name="interactions"),
    path("interactions/<int:pk>/", OneInteraction.as_view(), name="interaction"),
]
