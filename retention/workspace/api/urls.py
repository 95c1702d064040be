from django.urls import path

from retention.workspace.api.people import People
from retention.workspace.api.schema import Schema, documentation

urlpatterns = [
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", documentation, name="docs"),
    path("people/", People.as_view(), name="people"),
]
