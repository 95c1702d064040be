"""Requests that nobody makes by accident."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.test import Client, RequestFactory
from django.urls import path
from pytest_django import Settings

from retention.common.uploads import LimitedUploadHandler
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.addresses import patterns
from tests.workspace.test_a_get_changes_nothing import client as client  # a fixture
from tests.workspace.test_a_get_changes_nothing import one_of_each

SignIn = Callable[[str], Client]


@pytest.mark.parametrize("url", ["/campaigns/customer-options/?preview_as=%00", "/campaigns/suppressions/?q=a%00"])
def test_a_nul_in_an_address_is_refused(url: str, signed_in: SignIn) -> None:
    assert signed_in(Role.ADMINISTRATOR).get(url).status_code == 400


@pytest.mark.parametrize("said", ['["\\u0000",1]', '["a",1e999]', "[" * 3_000, '["-inf",1]', '["1E+999999",1]'])
def test_what_is_no_mark_of_a_page_is_passed_over(said: str, signed_in: SignIn) -> None:
    mark = base64.urlsafe_b64encode(said.encode()).decode()
    assert signed_in(Role.ANALYST).get(f"/customers/?after={mark}&sort=revenue").status_code == 200
    assert signed_in(Role.ANALYST).get(f"/api/v1/tasks/?after={mark}").status_code == 400


#: As ids, counts, page numbers, days, months, marks and words: more than any number, and a digit that is none.
ABSURD = ("9" * 25, "\u00b2")


@contextmanager
def noted() -> Iterator[set[str]]:
    """The parameters that are asked for within."""
    names = set[str]()

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def note(said: QueryDict, name: str, *rest: Any) -> Any:
            names.add(name)
            return method(said, name, *rest)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in ("get", "getlist", "__getitem__"):
            patch.setattr(QueryDict, name, noting(getattr(QueryDict, name)))
        yield names


def broken(client: Client, url: str) -> list[str]:
    """What breaks the view at an address, of whatever it reads."""
    client.raise_request_exception = False
    with noted() as names:
        client.get(url)
    found = []
    for text in ABSURD if names else ():
        with transaction.atomic():
            status = client.get(url, dict.fromkeys(names, text)).status_code
            transaction.set_rollback(True)
        found += [f"{url} with {text[:30]} as one of {sorted(names)}"] if status >= 500 else []
    return found


def test_no_parameter_breaks_a_page(client: Client) -> None:
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    assert [what for _, url in patterns() for what in broken(client, real.get(url, url))] == []


def naive(request: HttpRequest) -> HttpResponse:
    return HttpResponse(int(request.GET.get("page", "1")))


urlpatterns = [path("naive/", naive)]


def test_a_view_that_trusts_its_parameters_is_found(client: Client, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert len(broken(client, "/naive/")) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "kept"), [("stranger", 0), ("staff", 9)])
def test_strangers_bring_no_files(who: str, kept: int) -> None:
    request = RequestFactory().post("/s/x/", {"file": SimpleUploadedFile("a.csv", b"id\n1\n2\n3\n")})
    if who == "staff":
        request.user = User(email="a@example.test", role=Role.ANALYST)
    request.upload_handlers = [LimitedUploadHandler(request)]
    file = request.FILES.get("file")
    assert (file.size if file else 0) == kept
