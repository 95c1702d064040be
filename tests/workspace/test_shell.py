"""The frame around every page."""

from collections.abc import Callable

import pytest
from django.test import Client

from retention.workspace.models import Workspace


def test_it_works(signed_in: Callable[[str], Client]) -> None:
    page = signed_in("administrator").get("/", follow=True).content.decode()
    assert 'href="#content"' in page
    assert Workspace.current().name in page


def test_nothing_in_a_page_needs_a_looser_policy(signed_in: Callable[[str], Client]) -> None:
    response = signed_in("administrator").get("/", follow=True)
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    page = response.content.decode()
    assert " style=" not in page
    assert "<script>" not in page


def test_the_accent_colour_is_in_the_page(signed_in: Callable[[str], Client]) -> None:
    Workspace.objects.update(colour="#0a7d33")
    assert "--brand:#0a7d33" in signed_in("analyst").get("/", follow=True).content.decode()


def test_a_missing_page_is_told_within_the_shell(signed_in: Callable[[str], Client]) -> None:
    response = signed_in("analyst").get("/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


@pytest.mark.django_db
def test_a_missing_page_shows_strangers_no_navigation() -> None:
    page = Client().get("/no/such/page/").content.decode()
    assert "There is nothing here" in page
    assert "sidebar-link" not in page


def test_the_address_of_a_form_is_told_to_be_no_page(signed_in: Callable[[str], Client]) -> None:
    """To people; a program gets the bare answer, as does a part of a page."""
    client = signed_in("account_manager")
    opened = client.get("/today/act/", headers={"Accept": "text/html,*/*"})
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "This is no page" in opened.content.decode()
    assert client.get("/today/act/").content == b""
    part = {"Accept": "text/html,*/*", "HX-Request": "true"}
    assert client.get("/today/act/", headers=part).content == b""


def test_an_htmx_request_after_the_session_ended_reloads_the_page(db: None) -> None:
    response = Client().get("/", headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert response["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("address", "place"),
    [("/products/", "Data"), ("/playbooks/", "Today"), ("/cases/", "Today"), ("/customers/changes/", "Customers")],
)
def test_a_page_marks_the_place_it_belongs_to(address: str, place: str, signed_in: Callable[[str], Client]) -> None:
    page = signed_in("account_manager").get(address).content.decode()
    sidebar = page[page.index('class="sidebar-list"') : page.index('class="sidebar-link sidebar-toggle"')]
    marked = [link.split('"')[1] for link in sidebar.split("title=")[1:] if 'aria-current="page"' in link.split(">")[0]]
    assert marked == [place]
