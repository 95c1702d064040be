"""The people of a customer in the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.contacts import consent, editing
from customers.contacts.forms import ConsentForm, ContactForm
from customers.custom.api import CustomValues, filled
from customers.models import Consent, Contact, ContactConsent, Customer, CustomField
from retention.common import clock
from retention.workspace.api import paging
from retention.workspace.api.problem import of_form, wrong
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
from retention.workspace.roles import Can


class ContactConsentShape(Shape):
    channel = serializers.ChoiceField(ContactConsent.Channel.choices)
    state = serializers.ChoiceField(Consent.State.choices)
    source = serializers.CharField(max_length=100, help_text="Where they said so.")  # type: ignore[assignment]
    proof = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="What proves it; an agreement needs it."
    )
    changed_at = Instant(read_only=True)


class ContactShape(Shape):
    id = serializers.IntegerField(read_only=True)
    customer = serializers.IntegerField(source="customer_id", read_only=True)
    name = serializers.CharField(max_length=300, required=False, allow_blank=True)
    role = serializers.CharField(max_length=100, required=False, allow_blank=True)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    birthday = serializers.DateField(required=False, allow_null=True)
    is_main = serializers.BooleanField(required=False)
    custom = CustomValues(CustomField.About.CONTACT)
    consents = ContactConsentShape(many=True, read_only=True)
    updated_at = Instant(read_only=True)
    version = Version()


def there() -> QuerySet[Contact]:
    return Contact.objects.filter(removed_at=None).prefetch_related("consents")


def told(pk: int) -> dict[str, Any]:
    return dict(ContactShape(there().get(pk=pk)).data)


class Contacts(Resource):
    noun = "Contacts"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="List a customer's people", parameters=[*paging.PAGING], responses=paging.page_of(ContactShape)
    )
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request)
        customer = get_object_or_404(Customer, pk=customer_id)
        rows, mark = paging.page(there().filter(customer=customer), request, down=False)
        return paging.answer(request, ContactShape(rows, many=True).data, mark)

    @extend_schema(summary="Add somebody", request=ContactShape, responses={201: ContactShape})
    @once
    def post(self, request: Request, customer_id: int) -> Response:
        customer = get_object_or_404(Customer, pk=customer_id)
        form = filled(ContactForm, checked(ContactShape, request.data), Contact())
        try:
            contact = editing.add(customer.pk, form.values, form.custom_values)
        except editing.AddressTaken as taken:
            raise wrong("email", f"{taken.by} has this address.") from taken
        return made(request, "contact", told(contact.pk))


class OneContact(Resource):
    noun = "Contacts"
    needs = {"GET": Can.READ, "PATCH": Can.EDIT_CUSTOMERS, "DELETE": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="Read somebody", responses=ContactShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return versioned(dict(ContactShape(get_object_or_404(there(), pk=pk)).data))

    @extend_schema(summary="Change some fields of somebody", request=ContactShape, responses=ContactShape)
    def patch(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(there(), pk=pk)
        check_version(request, stands.updated_at, lambda: told(pk))
        form = filled(ContactForm, checked(ContactShape, request.data, part=True), stands, part=True)
        values = {name: getattr(stands, name) for name in editing.FIELDS} | form.values
        try:
            editing.change(stands, values, form.custom_values, stands.updated_at)
        except editing.ChangedMeanwhile as other:
            raise outdated(told(pk)) from other
        except editing.AddressTaken as taken:
            raise wrong("email", f"{taken.by} has this address.") from taken
        return versioned(told(pk))

    @extend_schema(
        summary="Remove somebody; the page can bring them back", parameters=[IF_MATCH], responses={204: None}
    )
    def delete(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(there(), pk=pk)
        check_version_if_named(request, stands.updated_at, lambda: told(pk))
        editing.remove(stands)
        return Response(status=204)


class ContactConsents(Resource):
    noun = "Contacts"
    needs = {"POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="Keep that somebody agreed or opted out", request=ContactConsentShape, responses=ContactShape
    )
    @once
    def post(self, request: Request, pk: int) -> Response:
        contact = get_object_or_404(there(), pk=pk)
        form = ConsentForm(checked(ContactConsentShape, request.data))
        if not form.is_valid():
            raise of_form(form)
        said = form.cleaned_data
        keep = consent.grant if said["state"] == Consent.State.GRANTED else consent.withdraw
        keep(contact, said["channel"], said["source"], said["proof"], clock.now())
        return versioned(told(pk))


urlpatterns = [
    path("customers/<int:customer_id>/contacts/", Contacts.as_view(), name="contacts"),
    path("contacts/<int:pk>/", OneContact.as_view(), name="contact"),
    path("contacts/<int:pk>/consents/", ContactConsents.as_view(), name="contact_consents"),
]
