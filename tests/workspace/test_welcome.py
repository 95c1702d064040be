"""The first person of an empty installation sets it up; nobody can do so again."""

import pytest
from django.test import Client

from retention.workspace.models import User, Workspace

FIRST = {
    "company": "Harbour Goods",
    "email": "first@example.test",
    "password": "a long enough secret",
    "time_zone": "Europe/Lisbon",
    "currency": "gbp",
}


@pytest.mark.django_db
def test_it_works(client: Client) -> None:
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/welcome/"
    response = client.post("/welcome/", FIRST, follow=True)
    assert response.status_code == 200
    assert response.context["user"].role == "administrator"
    assert Workspace.current().name == "Harbour Goods"
    assert Workspace.current().time_zone == "Europe/Lisbon"
    assert Workspace.current().currency == "GBP"
    assert User.objects.get().check_password(FIRST["password"])


@pytest.mark.django_db
def test_nobody_sets_it_up_twice(client: Client) -> None:
    Client().post("/welcome/", FIRST)
    response = client.post("/welcome/", FIRST | {"email": "second@example.test"})
    assert response["Location"] == "/account/login/"
    assert list(User.objects.values_list("email", flat=True)) == ["first@example.test"]


@pytest.mark.django_db
def test_a_weak_password_is_refused_and_the_rest_kept(client: Client) -> None:
    response = client.post("/welcome/", FIRST | {"password": "123"})
    assert "too short" in response.content.decode()
    assert "Harbour Goods" in response.content.decode()
    assert not User.objects.exists()
