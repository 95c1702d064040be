"""Subscriptions in the API: what was agreed and when, and agreeing. Days are those of the workspace's zone."""

from collections.abc import Callable
from datetime import date, tzinfo
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer, Interval, Subscription, SubscriptionTerm
from customers.subscriptions import agreeing
from customers.subscriptions.agreeing import standing
from customers.subscriptions.forms import (
    AgreementForm,
    CancelForm,
    ConditionsForm,
    RenewForm,
    ResumeForm,
    instant_of,
    usual,
)
from customers.subscriptions.pages import line
from retention.common import clock
from retention.workspace.api import paging
from retention.workspace.api.problem import Problem, of_form, wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, check_version, made, outdated, versioned
from retention.workspace.api.shapes import Instant, Shape, Version, checked
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can

STATES = ("planned", "running", "ending", "ended")
_STANDARD = {"quantity": 1, "interval_count": 1, "auto_renews": True}


class ConditionsShape(Shape):
    """What is paid for what. The amount is for all of it and one interval, without tax, before the discount."""

    plan = serializers.CharField(max_length=100)
    quantity = serializers.IntegerField(min_value=1, required=False)
    amount = serializers.DecimalField(14, 4)
    currency = serializers.CharField(max_length=3, required=False, help_text="The workspace's where nothing is said.")
    interval = serializers.ChoiceField(Interval.choices, required=False)
    interval_count = serializers.IntegerField(min_value=1, required=False, help_text="Paid every so many intervals.")
    discount = serializers.DecimalField(5, 2, required=False, help_text="In per cent.")


class TermShape(ConditionsShape):
    valid_from = Instant()
    valid_to = Instant(allow_null=True)
    mrr = serializers.DecimalField(24, 10)


class SubscriptionShape(Shape):
    id = serializers.IntegerField()
    external_id = serializers.CharField()
    customer = serializers.IntegerField(source="customer_id")
    state = serializers.SerializerMethodField()
    renews_at = Instant(allow_null=True)
    notice_days = serializers.IntegerField()
    auto_renews = serializers.BooleanField()
    cancelled_at = Instant(allow_null=True)
    cancel_reason = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    terms = TermShape(many=True)
    updated_at = Instant()
    version = Version()

    def get_state(self, row: Subscription) -> str:
        return line(row).state if row.terms.all() else ""


class AgreedShape(ConditionsShape):
    """Conditions with the day from which they hold, and until when the customer is bound."""

    day = serializers.DateField(required=False, help_text="From then on; today where nothing is said.")
    renews_on = serializers.DateField(required=False, allow_null=True, help_text="The day it renews or ends.")
    auto_renews = serializers.BooleanField(required=False)
    notice_days = serializers.IntegerField(min_value=0, max_value=3_650, required=False)


class StartShape(AgreedShape):
    external_id = serializers.CharField(max_length=200, required=False, help_text="As your billing knows it.")


class ReagreedShape(AgreedShape):
    """What is to be different; all else stays as it stands."""

    plan = serializers.CharField(max_length=100, required=False)
    amount = serializers.DecimalField(14, 4, required=False)


class DayShape(Shape):
    day = serializers.DateField()


class CancellationShape(DayShape):
    day = serializers.DateField(help_text="The first day on which it is not in force any more.")
    reason = serializers.CharField(max_length=200)


def there() -> QuerySet[Subscription]:
    return Subscription.objects.prefetch_related(Prefetch("terms", SubscriptionTerm.objects.order_by("valid_from")))


def told(pk: int) -> dict[str, Any]:
    return dict(SubscriptionShape(there().get(pk=pk)).data)


def _checked(form: AgreementForm) -> None:
    if not form.is_valid():
        raise of_form(form)


def _today(zone: tzinfo) -> date:
    return clock.now().astimezone(zone).date()


class Subscriptions(Resource):
    noun = "Subscriptions"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(
        summary="List a customer's subscriptions, each with all its terms",
        parameters=[*paging.PAGING],
        responses=paging.page_of(SubscriptionShape),
    )
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request)
        customer = get_object_or_404(Customer, pk=customer_id)
        rows, mark = paging.page(there().filter(customer=customer), request)
        return paging.answer(request, SubscriptionShape(rows, many=True).data, mark)

    @extend_schema(summary="Start a subscription", request=StartShape, responses={201: SubscriptionShape})
    @once
    def post(self, request: Request, customer_id: int) -> Response:
        customer = get_object_or_404(Customer, pk=customer_id)
        workspace = workspace_of(request)
        said = checked(StartShape, request.data)
        form = ConditionsForm({**_STANDARD, **usual(workspace, _today(workspace.zone)), **said})
        _checked(form)
        at = instant_of(form.cleaned_data["day"], [], workspace.zone)
        try:
            with transaction.atomic():
                row = agreeing.start(
                    customer.pk, form.conditions, form.bond(workspace.zone), at, said.get("external_id", ""), "api"
                )
        except agreeing.Refused as why:
            raise Problem(409, str(why)) from why
        except IntegrityError as taken:
            raise wrong("external_id", "Another subscription has this id.") from taken
        return made(request, "subscription", told(row.pk))


class OneSubscription(Resource):
    noun = "Subscriptions"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a subscription", responses=SubscriptionShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return versioned(dict(SubscriptionShape(get_object_or_404(there(), pk=pk)).data))


class Agreement(Resource):
    """What is agreed on a subscription that stands. The version named by If-Match is the one that is changed."""

    noun = "Subscriptions"
    needs = {"POST": Can.EDIT_CUSTOMERS}
    names_version = True
    shape: ClassVar[type[Shape]] = DayShape
    form: ClassVar[type[AgreementForm]] = AgreementForm

    def agree(self, row: Subscription, form: Any, zone: tzinfo) -> None:
        """Raises what `agreeing` does."""
        raise NotImplementedError

    def standing(self, row: Subscription, zone: tzinfo) -> dict[str, Any]:
        """What holds where nothing else is said."""
        return {}

    def done(self, request: Request, pk: int) -> Response:
        row, zone = get_object_or_404(there(), pk=pk), workspace_of(request).zone
        check_version(request, row.updated_at, lambda: told(pk))
        said = self.standing(row, zone)
        form = self.form(said | checked(self.shape, request.data))
        _checked(form)
        try:
            self.agree(row, form, zone)
        except agreeing.ChangedMeanwhile as other:
            raise outdated(told(pk)) from other
        except agreeing.Refused as why:
            raise Problem(409, str(why)) from why
        return versioned(told(pk))


def _at(row: Subscription, form: AgreementForm, zone: tzinfo) -> Any:
    return instant_of(form.cleaned_data["day"], list(row.terms.all()), zone)


class SubscriptionChange(Agreement):
    """Other conditions from a day on; what is not named stays as it stands."""

    shape, form = ReagreedShape, ConditionsForm

    def standing(self, row: Subscription, zone: tzinfo) -> dict[str, Any]:
        stands = ConditionsForm.filled_in(row, standing(list(row.terms.all()), clock.now()), _today(zone), zone)
        return {name: value for name, value in stands.items() if name != "opened"}

    def agree(self, row: Subscription, form: ConditionsForm, zone: tzinfo) -> None:
        agreeing.change(row.pk, form.conditions, form.bond(zone, row), _at(row, form, zone), row.updated_at)

    @extend_schema(summary="Change a subscription", request=ReagreedShape, responses=SubscriptionShape)
    @once
    def post(self, request: Request, pk: int) -> Response:
        return self.done(request, pk)


class SubscriptionRenewal(Agreement):
    """Bound until a later day."""

    form = RenewForm

    def agree(self, row: Subscription, form: AgreementForm, zone: tzinfo) -> None:
        agreeing.renew(row.pk, instant_of(form.cleaned_data["day"], [], zone), row.updated_at)

    @extend_schema(summary="Renew a subscription", request=DayShape, responses=SubscriptionShape)
    @once
    def post(self, request: Request, pk: int) -> Response:
        return self.done(request, pk)


class SubscriptionCancellation(Agreement):
    """Ends on a day, which may be still to come."""

    shape, form = CancellationShape, CancelForm

    def agree(self, row: Subscription, form: AgreementForm, zone: tzinfo) -> None:
        agreeing.cancel(row.pk, _at(row, form, zone), form.cleaned_data["reason"], row.updated_at)

    @extend_schema(summary="Cancel a subscription", request=CancellationShape, responses=SubscriptionShape)
    @once
    def post(self, request: Request, pk: int) -> Response:
        return self.done(request, pk)


class SubscriptionResumption(Agreement):
    """Takes a cancellation back, or goes on from a day after it has ended."""

    form = ResumeForm

    def agree(self, row: Subscription, form: AgreementForm, zone: tzinfo) -> None:
        agreeing.resume(row.pk, _at(row, form, zone), row.updated_at)

    @extend_schema(summary="Resume a subscription", request=DayShape, responses=SubscriptionShape)
    @once
    def post(self, request: Request, pk: int) -> Response:
        return self.done(request, pk)


ACTS: dict[str, Callable[..., Any]] = {
    "change": SubscriptionChange.as_view(),
    "renewal": SubscriptionRenewal.as_view(),
    "cancellation": SubscriptionCancellation.as_view(),
    "resumption": SubscriptionResumption.as_view(),
}
urlpatterns = [
    path("customers/<int:customer_id>/subscriptions/", Subscriptions.as_view(), name="subscriptions"),
    path("subscriptions/<int:pk>/", OneSubscription.as_view(), name="subscription"),
    *(path(f"subscriptions/<int:pk>/{name}/", view, name=f"subscription_{name}") for name, view in ACTS.items()),
]
