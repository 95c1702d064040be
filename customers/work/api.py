"""Tasks in the API: what is to be done, new ones, and what somebody did about one."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer, Task
from customers.work import working_days
from customers.work.acting import OVERTAKEN, act
from customers.work.forms import ActForm, TaskForm
from customers.work.tasks import open_task
from retention.common import clock
from retention.workspace.api import paging
from retention.workspace.api.entering import person
from retention.workspace.api.problem import Problem, of_form, wrong
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource, made
from retention.workspace.api.shapes import Instant, Shape, checked
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can

NOBODY = "none"


class TaskShape(Shape):
    id = serializers.IntegerField(read_only=True)
    customer = serializers.IntegerField(source="customer_id", read_only=True)
    title = serializers.CharField(max_length=200)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    due = serializers.DateField(write_only=True, help_text="A day, until the end of its work.")
    due_at = Instant(read_only=True)
    assignee = serializers.IntegerField(source="assignee_id", required=False, allow_null=True, help_text="A person.")
    state = serializers.ChoiceField(Task.State.choices, read_only=True)
    closed_at = Instant(read_only=True, allow_null=True)


class ActShape(Shape):
    act = serializers.ChoiceField(list(ActForm.ACTS), help_text="undo takes back what you did last.")
    assignee = serializers.IntegerField(required=False, allow_null=True, help_text="With assign: to whom; or nobody.")


class Tasks(Resource):
    """The tasks of all customers, the earliest first."""

    noun = "Tasks"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List tasks",
        parameters=[
            *paging.PAGING,
            OpenApiParameter("state", str, enum=Task.State.values),
            OpenApiParameter("assignee", str, description="A person's id, or none."),
            OpenApiParameter("customer", int),
        ],
        responses=paging.page_of(TaskShape),
    )
    def get(self, request: Request) -> Response:
        paging.only(request, "state", "assignee", "customer")
        rows, mark = paging.page(_asked(request), request, ("due_at", "id"), down=False)
        return paging.answer(request, TaskShape(rows, many=True).data, mark)


def _asked(request: Request) -> QuerySet[Task]:
    tasks = Task.objects.all()
    if state := paging.choice(request, "state", Task.State.values):
        tasks = tasks.filter(state=state)
    if request.query_params.get("assignee") == NOBODY:
        tasks = tasks.filter(assignee=None)
    elif assignee := paging.number(request, "assignee"):
        tasks = tasks.filter(assignee=assignee)
    if customer := paging.number(request, "customer"):
        tasks = tasks.filter(customer=customer)
    return tasks


class CustomersTasks(Resource):
    noun = "Tasks"
    needs = {"POST": Can.WORK_TASKS}

    @extend_schema(summary="Open a task for a customer", request=TaskShape, responses={201: TaskShape})
    @once
    def post(self, request: Request, customer_id: int) -> Response:
        customer = get_object_or_404(Customer, pk=customer_id)
        form = TaskForm(checked(TaskShape, request.data))
        del form.fields["customer"]  # the address says whose it is
        if not form.is_valid():
            raise of_form(form)
        said = form.cleaned_data
        due_at = working_days.end_of_work(said["due"], workspace_of(request).zone)
        assignee = said["assignee"].pk if said["assignee"] else None
        task = open_task(customer.pk, said["title"], said["reason"], due_at, assignee, origin="")
        return made(request, "task", dict(TaskShape(task).data))


class OneTask(Resource):
    noun = "Tasks"
    needs = {"GET": Can.READ}

    @extend_schema(summary="Read a task", responses=TaskShape)
    def get(self, request: Request, pk: int) -> Response:
        paging.only(request)
        return Response(TaskShape(get_object_or_404(Task, pk=pk)).data)


class TaskActs(Resource):
    """Done, put off by days, handed over, or the last of these taken back."""

    noun = "Tasks"
    needs = {"POST": Can.WORK_TASKS}

    @extend_schema(
        summary="Do a task, put it off, hand it over, or take that back", request=ActShape, responses=TaskShape
    )
    @once
    def post(self, request: Request, pk: int) -> Response:
        get_object_or_404(Task, pk=pk)
        said: dict[str, Any] = checked(ActShape, request.data)
        form = ActForm({**said, "need": f"task:{pk}"})
        if not form.is_valid():
            raise of_form(form)
        if said["act"] == "assign" and "assignee" not in said:
            raise wrong("assignee", "Say to whom, or null for nobody.")
        try:
            act(form.cleaned_data, person(request), clock.now(), workspace_of(request).zone)
        except OVERTAKEN as other:
            raise Problem(409, "Somebody else has dealt with it meanwhile, or it was not you.") from other
        return Response(TaskShape(Task.objects.get(pk=pk)).data)


urlpatterns = [
    path("tasks/", Tasks.as_view(), name="tasks"),
    path("tasks/<int:pk>/", OneTask.as_view(), name="task"),
    path("tasks/<int:pk>/acts/", TaskActs.as_view(), name="task_acts"),
    path("customers/<int:customer_id>/tasks/", CustomersTasks.as_view(), name="customer_tasks"),
]
