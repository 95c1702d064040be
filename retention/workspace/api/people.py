"""The people who work here, as the API tells them: for the ids of owners and assignees."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Shape
from retention.workspace.models import User
from retention.workspace.roles import Can, Role


class PersonShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")
    email = serializers.EmailField()
    role = serializers.ChoiceField(Role.choices)
    is_active = serializers.BooleanField()


class People(Resource):
    noun = "People"
    needs = {"GET": Can.READ}

    @extend_schema(
        summary="List the people who work here",
        parameters=[*paging.PAGING, OpenApiParameter("email", str, description="The one with this address.")],
        responses=paging.page_of(PersonShape),
    )
    def get(self, request: Request) -> Response:
        paging.only(request, "email")
        people = User.objects.all()
        if email := request.query_params.get("email"):
            people = people.filter(email__iexact=email)
        rows, mark = paging.page(people, request, down=False)
        return paging.answer(request, PersonShape(rows, many=True).data, mark)
