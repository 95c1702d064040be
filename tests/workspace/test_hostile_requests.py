"""Requests that nobody makes by accident."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from retention.common.uploads import LimitedUploadHandler
from retention.workspace.models import User
from retention.workspace.roles import Role

SignIn = Callable[[str], Client]


@pytest.mark.parametrize("url", ["/campaigns/customer-options/?preview_as=%00", "/campaigns/suppressions/?q=a%00"])
def test_a_nul_in_an_address_is_refused(url: str, signed_in: SignIn) -> None:
    assert signed_in(Role.ADMINISTRATOR).get(url).status_code == 400


def test_a_nul_in_a_mark_of_a_page_is_no_mark(signed_in: SignIn) -> None:
    assert signed_in(Role.ANALYST).get("/customers/?after=WyJcdTAwMDAiLDFd").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "kept"), [("stranger", 0), ("staff", 9)])
def test_strangers_bring_no_files(who: str, kept: int) -> None:
    request = RequestFactory().post("/s/x/", {"file": SimpleUploadedFile("a.csv", b"id\n1\n2\n3\n")})
    if who == "staff":
        request.user = User(email="a@example.test", role=Role.ANALYST)
    request.upload_handlers = [LimitedUploadHandler(request)]
    file = request.FILES.get("file")
    assert (file.size if file else 0) == kept
