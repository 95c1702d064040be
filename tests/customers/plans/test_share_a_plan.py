"""The link by which a customer reads a plan: it ends, is taken back, opens one plan, and shows no more than that."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from customers.models import Contact, Event, Milestone, PlanLink, SuccessPlan
from customers.plans import keeping, sharing
from retention.common.links import sign
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.customers.known import customer

SignIn = Callable[[str], Client]
At = Callable[[datetime], None]
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(at: At) -> None:
    at(NOW)


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")


@pytest.fixture
def plan(anna: User) -> SuccessPlan:
    acme = customer("acme", name="Acme", email="office@acme.test", phone="+4912345")
    made = keeping.begin(acme, "Live by June", "Step by step.", ["All branches use it"], anna)
    ada = Contact.objects.create(customer=acme, name="Ada Lovelace", email="ada@acme.test", phone="+4999")
    nameless = User.objects.create_user("nameless@example.test", role=Role.ACCOUNT_MANAGER)
    told = {"plan": made, "due_on": date(2026, 11, 1), "note": "They may leave us"}
    Milestone.objects.create(title="Counted", goal=made.goals.get(), ours=anna, theirs=ada, **told)
    Milestone.objects.create(title="Trained", ours=nameless, **told)
    Milestone.objects.create(title="Given up", state="dropped", **told)
    return made


def path(link: PlanLink) -> str:
    return "/" + sharing.address(link).split("/", 3)[3]


def test_it_works(signed_in: SignIn, plan: SuccessPlan) -> None:
    client = signed_in("account_manager")
    client.post(f"/plans/{plan.pk}/share/", {"days": 30})
    link = PlanLink.objects.get()
    assert link.expires_at == NOW + timedelta(days=30)
    shown = Client().get(path(link))
    text = shown.content.decode()
    for told in (
        "Live by June",
        "Step by step.",
        "All branches use it",
        "Counted",
        "Anna",
        "Ada Lovelace",
        "still open",
    ):
        assert told in text
    assert "Also" in text
    assert shown["Cache-Control"] == "private, no-store"
    assert shown["X-Robots-Tag"] == "noindex, nofollow"
    assert shown["Referrer-Policy"] == "no-referrer"
    assert Client().post(path(link)).status_code == 405
    assert Event.objects.filter(kind="plan.shared").count() == 1


def test_it_shows_nothing_beyond_the_plan(plan: SuccessPlan, anna: User) -> None:
    text = Client().get(path(sharing.share(plan.pk, 30, anna))).content.decode()
    for kept in (".test", "+49", "They may leave us", "Given up", "<script", "csrf"):
        assert kept not in text
    assert f"/plans/{plan.pk}/" not in text


def open_wrongly(plan: SuccessPlan, by: User, at: At) -> list[str]:
    """The ways in which a link that must not work does; each is tried."""
    good, back, old, gone = (sharing.share(plan.pk, 30, by) for _ in range(4))
    sharing.take_back(back)
    PlanLink.objects.filter(pk=old.pk).update(expires_at=NOW)
    token = path(good).split("/")[2]
    tried = {
        "taken back": path(back),
        "ended": path(old),
        "another purpose": f"/plan/{sign('unsubscribe', good.pk)}/",
        "forged": f"/plan/{token[:-2]}xx/",
        "cut off": f"/plan/{token[:12]}/",
        "the bare number": f"/plan/{good.pk}/",
        "deleted": path(gone),
    }
    gone.delete()
    assert Client().get(path(good)).status_code == 200
    return [how for how, url in tried.items() if Client().get(url).status_code not in (404, 410)]


def test_a_link_that_must_not_work_gets_a_kind_page(plan: SuccessPlan, anna: User, at: At) -> None:
    assert open_wrongly(plan, anna, at) == []
    link = sharing.share(plan.pk, 30, anna)
    at(NOW + timedelta(days=30))
    assert "This link has ended" in Client().get(path(link)).content.decode()
    wrong = Client().get("/plan/x/")
    assert "This link does not work" in wrong.content.decode()
    assert wrong["Cache-Control"] == "private, no-store"


def test_planted_bugs_are_found(plan: SuccessPlan, anna: User, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that never ends; a token that anybody may write."""
    with monkeypatch.context() as bug:
        bug.setattr(PlanLink, "works", lambda *_: True)
        assert open_wrongly(plan, anna, at) == ["taken back", "ended"]
    with monkeypatch.context() as bug:
        bug.setattr(
            sharing,
            "unsign",
            lambda _, token: [int(token)] if token.isdecimal() else [PlanLink.objects.order_by("pk")[0].pk],
        )
        bug.setattr(PlanLink, "works", lambda *_: True)
        assert "forged" in open_wrongly(plan, anna, at)


def test_taking_back_is_for_those_who_may(signed_in: SignIn, plan: SuccessPlan, anna: User) -> None:
    link = sharing.share(plan.pk, 30, anna)
    assert signed_in("analyst").post(f"/plans/links/{link.pk}/take-back/").status_code == 403
    assert path(link).split("/")[2][:8] not in signed_in("analyst").get(f"/plans/{plan.pk}/").content.decode()
    signed_in("account_manager").post(f"/plans/links/{link.pk}/take-back/")
    assert Client().get(path(link)).status_code == 410
