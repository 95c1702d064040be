"""Whoever is refused has changed nothing, also where a view wrote first and refused then: of the API or a page."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer
from retention.workspace import middleware
from retention.workspace.api.problem import Problem
from retention.workspace.api.repeating import once
from retention.workspace.api.resource import Resource
from retention.workspace.models import ApiKey, KeptAnswer
from retention.workspace.roles import Can, Role, requires
from tests.api.program import Program, a_key

SignIn = Callable[[str], Client]


class Hasty(Resource):
    """Writes first, and answers then with the status that it is asked for."""

    needs = {"POST": Can.EDIT_CUSTOMERS}

    @once
    def post(self, request: Request, status: int, raised: str) -> Response:
        Customer.objects.create(external_id="hasty")
        if raised == "raised":
            raise Problem(status)
        return Response({"told": status}, status)


@requires(Can.EDIT_CUSTOMERS)
def hasty(request: HttpRequest, status: int) -> HttpResponse:
    Customer.objects.create(external_id="hasty")
    return HttpResponse("Told", status=status)


urlpatterns = [path("api/v1/hasty/<int:status>/<str:raised>/", Hasty.as_view()), path("hasty/<int:status>/", hasty)]


@pytest.fixture(autouse=True)
def planted(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.mark.django_db
def test_it_works() -> None:
    program = Program(a_key())
    for raised in ("raised", "answered"):
        for status in (400, 403, 409, 412, 422):
            assert program.post(f"hasty/{status}/{raised}/", {}, Idempotency_Key="one").status_code == status
            assert not Customer.objects.exists(), (status, raised)
    assert not KeptAnswer.objects.exists(), "what was refused can be sent again"
    assert ApiKey.objects.get().last_used_at, "a key that is only ever refused is in use all the same"
    assert program.post("hasty/201/answered/", {}, Idempotency_Key="one").status_code == 201
    assert Customer.objects.exists()


def test_so_it_is_with_a_page(signed_in: SignIn) -> None:
    client = signed_in(Role.ACCOUNT_MANAGER)
    assert client.post("/hasty/422/").status_code == 422
    assert not Customer.objects.exists()
    assert client.post("/hasty/200/").status_code == 200
    assert Customer.objects.exists()


def test_a_refusal_that_keeps_something_is_found(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: whoever answers instead of raising commits."""
    monkeypatch.setattr(middleware, "_whole", lambda view, request, args, kwargs: view(request, *args, **kwargs))
    assert signed_in(Role.ACCOUNT_MANAGER).post("/hasty/422/").status_code == 422
    assert Customer.objects.exists()
