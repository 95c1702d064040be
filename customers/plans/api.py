"""Success plans in the API, with their goals and milestones. They are agreed on the pages; here they are read."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer, Milestone, SuccessPlan
from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Instant, Shape
from retention.workspace.roles import Can


class GoalShape(Shape):
    id = serializers.IntegerField()
    text = serializers.CharField()
    measure = serializers.CharField(allow_blank=True, help_text="How one will know.")


class MilestoneShape(Shape):
    id = serializers.IntegerField()
    goal = serializers.IntegerField(source="goal_id", allow_null=True)
    title = serializers.CharField()
    due_on = serializers.DateField()
    ours = serializers.IntegerField(source="ours_id", allow_null=True, help_text="The person who sees to it here.")
    theirs = serializers.IntegerField(source="theirs_id", allow_null=True, help_text="The contact who does there.")
    state = serializers.ChoiceField(Milestone.State.choices)
    note = serializers.CharField(allow_blank=True)
    done_at = Instant(allow_null=True)


class PlanShape(Shape):
    id = serializers.IntegerField()
    customer = serializers.IntegerField(source="customer_id")
    title = serializers.CharField()
    summary = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(SuccessPlan.State.choices)
    agreed_at = Instant(allow_null=True)
    agreed_with = serializers.IntegerField(source="agreed_with_id", allow_null=True, help_text="A contact.")
    closed_at = Instant(allow_null=True)
    created_by = serializers.IntegerField(source="created_by_id", allow_null=True)
    created_at = Instant()
    goals = GoalShape(many=True)
    milestones = MilestoneShape(many=True)


def there() -> QuerySet[SuccessPlan]:
    return SuccessPlan.objects.prefetch_related("goals", "milestones")


def _page(request: Request, plans: QuerySet[SuccessPlan]) -> Response:
    paging.only(request, "state")
    if state := paging.choice(request, "state", SuccessPlan.State.values):
        plans = plans.filter(state=state)
    rows, mark = paging.page(plans, request)
    return paging.answer(request, PlanShape(rows, many=True).data, mark)


STATE = OpenApiParameter("state", str, enum=SuccessPlan.State.values)


class Plans(Resource):
    noun = "Success plans"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List success plans, the latest first",
        parameters=[*paging.PAGING, STATE],
        responses=paging.page_of(PlanShape),
    )
    def get(self, request: Request) -> Response:
        return _page(request, there())


class CustomersPlans(Resource):
    noun = "Success plans"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List a customer's success plans",
        parameters=[*paging.PAGING, STATE],
        responses=paging.page_of(PlanShape),
    )
    def get(self, request: Request, customer_id: int) -> Response:
        return _page(request, there().filter(customer=get_object_or_404(Customer, pk=customer_id)))


class OnePlan(Resource):
    noun = "Success plans"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a success plan with its goals and milestones", responses=PlanShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return Response(PlanShape(get_object_or_404(there(), pk=pk)).data)


urlpatterns = [
    path("plans/", Plans.as_view(), name="plans"),
    path("plans/<int:pk>/", OnePlan.as_view(), name="plan"),
    path("customers/<int:customer_id>/plans/", CustomersPlans.as_view(), name="customer_plans"),
]
