"""Signing in: by password, with a second step, not too often; and one click in demo mode only."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from retention.workspace.models import User
from retention.workspace.roles import Role

LOGIN = "/account/login/"


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada@example.test", "correct horse battery", role=Role.MARKETER)


def sign_in(client: Client, password: str = "correct horse battery", email: str = "ada@example.test") -> str:
    """Try, and say where that led."""
    response = client.post(LOGIN, {"login": email, "password": password})
    return response["Location"] if response.status_code == 302 else response.content.decode()


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_it_works(ada: User, client: Client) -> None:
    assert sign_in(client) == "/"
    assert is_in(client)
    assert client.post("/account/logout/").status_code == 302
    assert not is_in(client)


def test_who_was_signed_out_over_a_form_comes_back_to_its_page(ada: User, client: Client) -> None:
    """Not to the address that takes the form, which shows nothing."""
    asked = client.get("/customers/?q=a")["Location"]
    assert asked == f"{LOGIN}?next=%2Fcustomers%2F%3Fq%3Da"
    sent = client.post("/customers/change/", headers={"referer": "http://testserver/customers/?q=a"})["Location"]
    assert sent == asked
    for elsewhere in ("https://elsewhere.test/customers/", ""):
        sent = client.post("/customers/change/", headers={"referer": elsewhere})["Location"]
        assert sent == f"{LOGIN}?next=%2F"
    said = {"login": ada.email, "password": "correct horse battery"}
    assert client.post(asked, said)["Location"] == "/customers/?q=a"


def test_an_address_in_capitals_is_the_same_address(ada: User, client: Client) -> None:
    assert sign_in(client, email="ADA@Example.test") == "/"


def test_a_wrong_password_keeps_what_was_typed(ada: User, client: Client) -> None:
    page = sign_in(client, password="wrong")
    assert 'value="ada@example.test"' in page
    assert not is_in(client)


def test_a_switched_off_account_stays_out(ada: User, client: Client) -> None:
    assert sign_in(client) == "/"
    User.objects.update(is_active=False)
    assert client.get("/", follow=True).redirect_chain[-1][0].startswith(LOGIN)
    assert sign_in(Client()) != "/"


def test_too_many_wrong_tries_shut_even_the_right_one_out(ada: User, client: Client) -> None:
    for _ in range(5):
        sign_in(client, password="wrong")
    page = sign_in(client)
    assert "Too many failed login attempts" in page
    assert not is_in(client)


def test_a_session_is_over_when_its_time_is(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert client.get("/account/").status_code == 200
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/account/")["Location"].startswith(LOGIN)
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    User.objects.update(is_active=False)
    assert client.get("/account/")["Location"].startswith(LOGIN)


def test_nobody_signs_up(db: None, client: Client) -> None:
    answer = client.post(
        "/account/signup/", {"email": "eve@example.test", "password1": "x" * 12, "password2": "x" * 12}
    )
    assert "made by an administrator" in answer.content.decode()
    assert not User.objects.exists()


def test_nobody_changes_their_address(ada: User, client: Client) -> None:
    client.force_login(ada)
    client.post("/account/email/", {"email": "new@example.test", "action_add": ""}, follow=True)
    ada.refresh_from_db()
    assert ada.email == "ada@example.test"


def test_a_forgotten_password(ada: User, client: Client) -> None:
    client.post("/account/password/reset/", {"email": "ada@example.test"})
    (letter,) = mail.outbox
    link = re.search(r"/account/password/reset/key/\S+", str(letter.body))
    assert link
    page = client.get(link[0], follow=True)
    answer = client.post(page.redirect_chain[-1][0], {"password1": "a new horse", "password2": "a new horse"})
    assert answer.status_code == 302
    assert sign_in(Client(), password="a new horse") == "/"
    assert "used up" in Client().get(link[0], follow=True).content.decode()


def test_two_steps(ada: User, client: Client) -> None:
    sign_in(client)
    asked = client.get("/account/2fa/totp/activate/")["Location"]
    assert asked.startswith("/account/reauthenticate/"), "an open session alone changed how the account is protected"
    client.post(asked, {"password": "correct horse battery"})
    page = client.get("/account/2fa/totp/activate/").content.decode()
    secret = re.search(r'mono">([A-Z2-7]+)<', page)
    assert secret
    code = format_hotp_value(hotp_value(secret[1], next(iter(yield_hotp_counters_from_time()))))
    client.post("/account/2fa/totp/activate/", {"code": code})
    codes = re.findall(r"<li>(\w{8})</li>", client.get("/account/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10

    other = Client()
    assert sign_in(other) == "/account/2fa/authenticate/"
    assert not is_in(other)
    other.post("/account/2fa/authenticate/", {"code": "000000"})
    assert not is_in(other)
    other.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert is_in(other)

    again = Client()
    sign_in(again)
    again.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert not is_in(again), "a recovery code worked twice"


@pytest.mark.parametrize("role", list(Role))
def test_the_demo_lets_each_role_in_by_one_click(role: Role, db: None, client: Client, settings: Settings) -> None:
    settings.DEMO = True
    assert f'value="{role.value}"' in client.get(LOGIN).content.decode()
    assert client.post("/account/demo/", {"role": role.value}).status_code == 302
    assert User.objects.get(pk=client.session["_auth_user_id"]).role == role


def test_without_the_demo_one_click_is_refused(db: None, client: Client) -> None:
    assert "/account/demo/" not in client.get(LOGIN).content.decode()
    assert client.post("/account/demo/", {"role": "administrator"}).status_code == 403
    assert not is_in(client)


def test_the_demo_asks_for_a_known_role_by_post(db: None, client: Client, settings: Settings) -> None:
    settings.DEMO = True
    assert client.get("/account/demo/?role=administrator").status_code == 405
    assert client.post("/account/demo/", {"role": "god"}).status_code == 400
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/account/login/",
        "/account/signup/",
        "/account/inactive/",
        "/account/password/reset/",
        "/account/password/reset/done/",
        "/account/password/reset/key/1-set-password/",
        "/account/password/reset/key/done/",
    ],
)
def test_every_page_for_strangers_opens(path: str, db: None, client: Client) -> None:
    User.objects.create_user("someone@example.test")
    page = client.get(path).content.decode()
    assert "entrance-card" in page
    assert 'href="/account/signup/' not in page


@pytest.mark.parametrize(
    "path", ["/account/", "/account/password/change/", "/account/2fa/", "/account/logout/", "/account/reauthenticate/"]
)
def test_every_page_of_ones_account_opens(path: str, ada: User, client: Client) -> None:
    sign_in(client)
    response = client.get(path)
    assert response.status_code == 200
    assert "sidebar" in response.content.decode()


def test_the_person_s_time_zone_counts(signed_in: Callable[[str], Client]) -> None:
    client = signed_in("administrator")
    User.objects.update(time_zone="Asia/Tokyo", last_login="2026-05-04T12:00:00Z")
    assert "4 May 2026, 21:00 JST" in client.get("/settings/people/").content.decode()
