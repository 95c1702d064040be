"""Who works here: inviting, changing roles, switching accounts off, keeping one administrator."""

import re
import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection
from django.test import Client, override_settings

from retention.workspace import staff
from retention.workspace.models import User
from retention.workspace.roles import Role

SignIn = Callable[[str], Client]
NEW = {"email": "Nia@example.test", "first_name": "Nia", "last_name": "Park", "role": "marketer"}


@override_settings(EMAIL_URL="smtp://mail.example.test")
def test_it_works(signed_in: SignIn) -> None:
    assert signed_in("administrator").post("/settings/people/new/", NEW).status_code == 302
    nia = User.objects.get(email="Nia@example.test")
    assert nia.role == Role.MARKETER
    assert not nia.has_usable_password()
    (letter,) = mail.outbox
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", str(letter.body))
    assert link
    guest = Client()
    form = guest.get(link[1], follow=True).redirect_chain[-1][0]
    guest.post(form, {"password1": "a quiet morning", "password2": "a quiet morning"})
    assert guest.login(email="nia@example.test", password="a quiet morning")


def test_where_no_mail_leaves_the_link_is_shown_at_once(signed_in: SignIn) -> None:
    page = signed_in("administrator").post("/settings/people/new/", NEW).content.decode()
    assert "No mail leaves from here yet" in page
    assert re.search(r'value="http://testserver/account/password/reset/key/[^"]+"', page)


def test_an_address_is_taken_once(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    client.post("/settings/people/new/", NEW)
    page = client.post("/settings/people/new/", {**NEW, "email": "nia@EXAMPLE.test"}).content.decode()
    assert "already here" in page
    assert User.objects.filter(email__iexact="nia@example.test").count() == 1


def test_a_role_is_changed(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    client.post("/settings/people/new/", NEW)
    nia = User.objects.get(first_name="Nia")
    client.post(f"/settings/people/{nia.pk}/", {"first_name": "Nia", "last_name": "Park", "role": "analyst"})
    nia.refresh_from_db()
    assert nia.role == Role.ANALYST


def test_a_switched_off_account_is_out_at_once(signed_in: SignIn) -> None:
    analyst, client = signed_in("analyst"), signed_in("administrator")
    user = User.objects.get(role="analyst")
    client.post(f"/settings/people/{user.pk}/access/", {"active": "no"})
    assert analyst.get("/account/").status_code == 302
    client.post(f"/settings/people/{user.pk}/access/", {"active": "yes"})
    user.refresh_from_db()
    assert user.is_active


def test_a_link_is_handed_over_by_hand(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    client.post("/settings/people/new/", NEW)
    nia = User.objects.get(first_name="Nia")
    page = client.post(f"/settings/people/{nia.pk}/link/").content.decode()
    link = re.search(r"http://testserver(/account/password/reset/key/[^\"]+)", page)
    assert link
    assert "Set a new password" in Client().get(link[1], follow=True).content.decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [("", {"first_name": "A", "last_name": "B", "role": "analyst"}), ("access/", {"active": "no"})],
)
def test_the_last_administrator_stays(path: str, said: dict[str, str], signed_in: SignIn) -> None:
    client = signed_in("administrator")
    admin = User.objects.get(role="administrator")
    page = client.post(f"/settings/people/{admin.pk}/{path}", said, follow=True).content.decode()
    assert "last administrator" in page
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMINISTRATOR, True)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other() -> None:
    pair = [User.objects.create_user(f"{n}@example.test", role=Role.ADMINISTRATOR) for n in "ab"]
    barrier = threading.Barrier(2)
    refused: list[str] = []

    def demote(person: User) -> None:
        person.role = Role.ANALYST
        barrier.wait()
        try:
            staff.change(person)
        except staff.LastAdministrator:
            refused.append(person.email)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=[person]) for person in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert User.objects.filter(role=Role.ADMINISTRATOR).count() == 1


def test_one_s_own_account(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    said = {"first_name": "Ines", "last_name": "Falk", "time_zone": "Asia/Tokyo", "role": "administrator"}
    assert client.post("/account/", said).status_code == 302
    user = User.objects.get(email="analyst@example.test")
    assert (user.first_name, user.time_zone, user.role) == ("Ines", "Asia/Tokyo", Role.ANALYST)
