"""Teams in the API: for the ids of customers' teams."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Team
from retention.workspace.api import paging
from retention.workspace.api.resource import Resource
from retention.workspace.api.shapes import Shape
from retention.workspace.roles import Can


class TeamShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    members = serializers.SerializerMethodField()
    lead = serializers.IntegerField(source="lead_id", allow_null=True)

    def get_members(self, team: Team) -> list[int]:
        return sorted(person.pk for person in team.members.all())


class Teams(Resource):
    noun = "People"
    needs = {"GET": Can.READ}

    @extend_schema(summary="List teams", parameters=[*paging.PAGING], responses=paging.page_of(TeamShape))
    def get(self, request: Request) -> Response:
        paging.only(request)
        rows, mark = paging.page(Team.objects.prefetch_related("members"), request, down=False)
        return paging.answer(request, TeamShape(rows, many=True).data, mark)


urlpatterns = [path("teams/", Teams.as_view(), name="teams")]
