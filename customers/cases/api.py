"""Cases in the API: the list as the page narrows it, a customer's, new ones, changes, and what is done about one."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.cases import handling
from customers.cases.forms import ActForm, CaseForm
from customers.cases.listing import STATES, asked_by, cases
from customers.cases.pages import ACTS
from customers.models import Case, Customer
from retention.workspace.api import paging
from retention.workspace.api.entering import person
from retention.workspace.api.problem import Problem, misasked, of_form
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, check_version, made, versioned
from retention.workspace.api.shapes import Instant, Shape, Version, checked
from retention.workspace.roles import Can

FILTERS = ("q", "state", "priority", "person")


class CaseShape(Shape):
    id = serializers.IntegerField(read_only=True)
    external_id = serializers.CharField(read_only=True)
    customer = serializers.IntegerField(source="customer_id", read_only=True)
    subject = serializers.CharField(max_length=300)
    priority = serializers.ChoiceField(Case.Priority.choices, required=False)
    assignee = serializers.IntegerField(source="assignee_id", required=False, allow_null=True, help_text="A person.")
    state = serializers.ChoiceField(Case.State.choices, read_only=True)
    rating = serializers.IntegerField(read_only=True, allow_null=True)
    opened_at = Instant(read_only=True)
    answered_at = Instant(read_only=True, allow_null=True)
    resolved_at = Instant(read_only=True, allow_null=True)
    updated_at = Instant(read_only=True)
    version = Version()


class CaseActShape(Shape):
    act = serializers.ChoiceField([*ACTS, "rate"])
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False, help_text="With rate: 1 (bad) to 5.")


def told(case: Case) -> dict[str, Any]:
    return dict(CaseShape(case).data)


def _form(said: dict[str, Any], case: Case) -> CaseForm:
    form = CaseForm(said, instance=case)
    if not form.is_valid():
        raise of_form(form)
    return form


class Cases(Resource):
    """All cases, the latest first; those not resolved where nothing is said."""

    noun = "Cases"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List cases",
        parameters=[
            *paging.PAGING,
            OpenApiParameter("q", str, description="Words of the subject or the customer's name, or the reference."),
            OpenApiParameter("state", str, enum=list(STATES)),
            OpenApiParameter("priority", str, enum=Case.Priority.values),
            OpenApiParameter("person", str, description="Who looks after it: a person's id, me, or nobody."),
        ],
        responses=paging.page_of(CaseShape),
    )
    def get(self, request: Request) -> Response:
        paging.only(request, *FILTERS)
        me = person(request)
        asked = asked_by(me, request.query_params)
        for name in FILTERS:
            if request.query_params.get(name, "").strip() != (asked.q if name == "q" else asked.chosen[name]):
                raise misasked(name, "There is no such value.")
        rows, mark = paging.page(asked.narrow(cases()), request, ("opened_at", "id"))
        return paging.answer(request, CaseShape(rows, many=True).data, mark)


class CustomersCases(Resource):
    noun = "Cases"
    needs = {"GET": Can.READ, "POST": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="List a customer's cases", parameters=[*paging.PAGING], responses=paging.page_of(CaseShape))
    def get(self, request: Request, customer_id: int) -> Response:
        paging.only(request)
        customer = get_object_or_404(Customer, pk=customer_id)
        cases: QuerySet[Case] = customer.cases.all()
        rows, mark = paging.page(cases, request, ("opened_at", "id"))
        return paging.answer(request, CaseShape(rows, many=True).data, mark)

    @extend_schema(summary="Open a case", request=CaseShape, responses={201: CaseShape})
    @once
    def post(self, request: Request, customer_id: int) -> Response:
        customer = get_object_or_404(Customer, pk=customer_id)
        said = {"priority": Case.Priority.NORMAL, **checked(CaseShape, request.data)}
        return made(request, "case", told(handling.open_case(customer, **_form(said, Case()).values)))


class OneCase(Resource):
    noun = "Cases"
    needs = {"GET": Can.READ, "PATCH": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="Read a case", responses=CaseShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return versioned(told(get_object_or_404(Case, pk=pk)))

    @extend_schema(summary="Change a case's words, priority or person", request=CaseShape, responses=CaseShape)
    @transaction.atomic
    def patch(self, request: Request, pk: int) -> Response:
        stands = get_object_or_404(Case.objects.select_for_update(), pk=pk)
        check_version(request, stands.updated_at, lambda: told(stands))
        now = {"subject": stands.subject, "priority": stands.priority, "assignee": stands.assignee_id}
        form = _form(now | checked(CaseShape, request.data, part=True), stands)
        return versioned(told(handling.change(pk, **form.values)))


class CaseActs(Resource):
    """Answered, resolved, opened again, or rated."""

    noun = "Cases"
    needs = {"POST": Can.EDIT_CUSTOMERS}

    @extend_schema(summary="Answer, resolve, reopen or rate a case", request=CaseActShape, responses=CaseShape)
    @once
    def post(self, request: Request, pk: int) -> Response:
        get_object_or_404(Case, pk=pk)
        form = ActForm(checked(CaseActShape, request.data))
        if not form.is_valid():
            raise of_form(form)
        said = form.cleaned_data
        try:
            case = handling.rate(pk, said["rating"]) if said["act"] == "rate" else ACTS[said["act"]](pk)
        except handling.Refused as reason:
            raise Problem(409, str(reason)) from reason
        return versioned(told(case))


urlpatterns = [
    path("cases/", Cases.as_view(), name="cases"),
    path("cases/<int:pk>/", OneCase.as_view(), name="case"),
    path("cases/<int:pk>/acts/", CaseActs.as_view(), name="case_acts"),
    path("customers/<int:customer_id>/cases/", CustomersCases.as_view(), name="customer_cases"),
]
