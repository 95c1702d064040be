"""No GET changes anything: PostgreSQL is told to refuse, and the folders are compared.

Every view of ours is really reached: an address that leads nowhere would prove nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, path
from pytest_django import Settings

from campaigns import outbox
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Link, Message
from campaigns.tracking import addresses
from customers.models import (
    Attachment,
    Case,
    Contact,
    Customer,
    CustomField,
    Event,
    Goal,
    HandChange,
    HandedCustomer,
    HandOver,
    HealthProfile,
    Import,
    Interaction,
    ManyChange,
    Merge,
    Milestone,
    Order,
    PlanLink,
    Playbook,
    PlaybookRun,
    PlaybookStep,
    Product,
    Segment,
    Subscription,
    SuccessPlan,
    Task,
    Team,
)
from customers.plans.sharing import address
from customers.records.exporting import path_of
from loyalty.models import Authority, Offer
from retention.common import clock
from retention.workspace.models import Job, User, Workspace
from retention.workspace.roles import Role
from surveys.invitations import token_of
from surveys.models import Answer, Invitation, Survey
from tests.addresses import SAMPLES, patterns
from tests.campaigns import people
from tests.customers.subscribing import term

SignIn = Callable[[str], Client]
#: A mail program follows these with a GET, and to record that is what they are for.
RECORDERS = {"/c/x/", "/o/x.gif"}
#: Whoever is signed in is sent on from here.
SENDS_ON = {"/", "/welcome/", "/account/login/", "/account/email/"}
NUMBER = int(SAMPLES["int"])
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def client(signed_in: SignIn, settings: Settings, tmp_path: Path) -> Client:
    """The administrator, whose session is not kept in the database: it would be a change of its own."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    settings.MEDIA_ROOT, settings.OUTBOX_DIR, settings.EMAIL_URL = tmp_path / "files", tmp_path / "outbox", ""
    return signed_in(Role.ADMINISTRATOR)


@contextmanager
def read_only() -> Iterator[None]:
    """Within, the database refuses whatever would change it, be it SQL, COPY or a function's doing."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield
        transaction.set_rollback(True)


@dataclass
class Visit:
    """A GET's status, and what it tried to change: "" where that is nothing."""

    status: int = 0
    tried: str = ""


def visit(client: Client, url: str, folder: Path) -> Visit:
    """GET it as a page and as a part."""
    before, made = set(folder.rglob("*")), Visit()
    try:
        for headers in ({"HX-Request": "true"}, {}):
            with read_only():
                response = client.get(url, headers=headers)
                made.status = response.status_code
                b"".join(response)
    except (DatabaseError, psycopg.Error) as refusal:
        made.tried = str(refusal)
    made.tried += ", ".join(sorted(str(each) for each in set(folder.rglob("*")) - before))
    return made


def one_of_each(by: User) -> dict[str, str]:
    """Something at every address; gives those whose samples have to be replaced by what there is."""
    people.campaign(a_record_of_each(by), pk=NUMBER, running=False)
    _files(by)
    return (
        _survey_links()
        | _mail_links()
        | _person_removed(Customer.objects.get(pk=NUMBER))
        | _merged()
        | {
            "/metrics/receipt/x/": "/metrics/receipt/revenue/",
            "/api/v1/customers/by-external-id/x": "/api/v1/customers/by-external-id/one",
            "/plan/x/": "/" + address(PlanLink.objects.get()).split("/", 3)[3],
            "/settings/fields/new/x/": "/settings/fields/new/customer/",
            f"/segments/{NUMBER}/apart/x/": f"/segments/{NUMBER}/apart/country/",
        }
    )


def a_record_of_each(by: User) -> Segment:
    """The records of customers' rooms, each with the number; gives the segment."""
    User.objects.create(pk=NUMBER, email="someone@example.test")
    customer = Customer.objects.create(pk=NUMBER, external_id="one", owner=by)
    Survey.objects.create(pk=NUMBER, name="NPS")
    _offered(customer)
    CustomField.objects.create(pk=NUMBER, key="size", label="Size", type="number")
    Contact.objects.create(pk=NUMBER, customer=customer, name="Ada")
    said = Interaction.objects.create(
        pk=NUMBER, customer=customer, kind="note", text="Moved", happened_at=clock.now(), author=by
    )
    Attachment.objects.create(
        pk=SAMPLES["uuid"], interaction=said, name="a.png", kind="image/png", size=40, file=ContentFile(PNG, "a.png")
    )
    Product.objects.create(pk=NUMBER, sku="A-1", name="Clock")
    Order.objects.create(pk=NUMBER, external_id="o-1", customer=customer, ordered_at=clock.now(), currency="EUR")
    Case.objects.create(pk=NUMBER, customer=customer, external_id="C-1", subject="Late", opened_at=clock.now())
    in_time = clock.now() + timedelta(days=9)
    term(Subscription.objects.create(pk=NUMBER, customer=customer, external_id="s", renews_at=in_time), clock.now())
    Task.objects.create(pk=NUMBER, customer=customer, title="Call", due_at=clock.now())
    _planned(customer, by)
    Team.objects.create(pk=NUMBER, name="North")
    segment = Segment.objects.create(pk=NUMBER, name="Everybody", rule={"all": []})
    playbook = Playbook.objects.create(pk=NUMBER, name="Onboarding")
    PlaybookStep.objects.create(pk=NUMBER, playbook=playbook, position=1, title="Call")
    PlaybookRun.objects.create(
        pk=NUMBER, playbook=playbook, customer=customer, counts_from=clock.now(), started_at=clock.now()
    )
    HandChange.objects.create(pk=NUMBER, segment=segment, act=HandChange.Act.IN)
    HealthProfile.objects.create(pk=NUMBER, name="Everybody", segment=segment, position=1)
    return segment


def _planned(customer: Customer, by: User) -> None:
    plan = SuccessPlan.objects.create(pk=NUMBER, customer=customer, title="Plan")
    Goal.objects.create(pk=NUMBER, plan=plan, text="Goal")
    Milestone.objects.create(pk=NUMBER, plan=plan, title="Step", due_on=clock.now().date())
    handed = HandOver.objects.create(pk=NUMBER, giver_id=NUMBER, receiver=by, by=by)
    ManyChange.objects.create(pk=NUMBER, about="customers", action="key", words="Make key accounts", by=by)
    HandedCustomer.objects.create(pk=NUMBER, handover=handed, customer=customer)
    PlanLink.objects.create(pk=NUMBER, plan=plan, expires_at=clock.now() + timedelta(days=1))


def _offered(customer: Customer) -> None:
    """An offer that waits, and somebody's limits."""
    Authority.objects.create(pk=NUMBER, role=Role.ACCOUNT_MANAGER)
    in_time, asker = clock.now() + timedelta(days=1), User.objects.get(pk=NUMBER)
    given = {"kind": "credit", "amount": 10, "cost": 10, "currency": "EUR", "reason": "price", "expires_at": in_time}
    Offer.objects.create(pk=NUMBER, customer=customer, state="asked", asked_by=asker, **given)


def _merged() -> dict[str, str]:
    Merge.objects.create(pk=NUMBER, survivor_id=NUMBER, loser_id=0, survivor_name="One", loser_name="Gone")
    other = Customer.objects.exclude(pk=NUMBER)[0]
    return {f"/customers/{NUMBER}/merge/{NUMBER}/": f"/customers/{NUMBER}/merge/{other.pk}/"}


def _person_removed(customer: Customer) -> dict[str, str]:
    person = Contact.objects.create(customer=customer, name="Bob", removed_at=clock.now())
    return {f"/customers/people/{NUMBER}/removed/": f"/customers/people/{person.pk}/removed/"}


def _files(by: User) -> None:
    """A logo, an import that is over, an export."""
    workspace = Workspace.current()
    workspace.logo.save("logo.png", ContentFile(PNG))
    done = Job.objects.create(kind="import", title="Bringing in c.csv", state=Job.State.DONE)
    file = ContentFile(b"id,name\nc1,Ada\n", "c.csv")
    spec = {"kind": "customers"}
    Import.objects.create(pk=NUMBER, kind="customers", filename="c.csv", file=file, spec=spec, job=done)
    export = Job.objects.create(
        pk=SAMPLES["uuid"], kind="customers.export", title="Export", state=Job.State.DONE, created_by=by
    )
    path_of(export).parent.mkdir(parents=True)
    path_of(export).write_text("id\n")


def _survey_links() -> dict[str, str]:
    survey, customer, now = Survey.objects.get(), Customer.objects.get(), clock.now()
    asked, answered = (
        Invitation.objects.create(survey=survey, customer=customer, origin=origin, expires_at=now + timedelta(days=9))
        for origin in ("x", "y")
    )
    Answer.objects.create(survey=survey, customer=customer, invitation=answered, score=9, answered_at=now)
    return {"/s/x/": f"/s/{token_of(asked)}/?score=3", "/s/x/thanks/": f"/s/{token_of(answered)}/thanks/"}


def _mail_links() -> dict[str, str]:
    """A message in the outbox, and what it links to."""
    take_in(people.campaign(people.segment(rows=people.customers(1)), name="Running"))
    assert deliver(30).handled == 1
    message, link = Message.objects.get(), Link.objects.get()
    mail = f"/campaigns/outbox/{outbox.latest(0, 1)[0].name}/"
    found = {
        "/c/x/": addresses.click_address(message.pk, link.pk),
        "/o/x.gif": addresses.open_address(message.pk),
        "/u/x/": addresses.unsubscribe_address(message.pk),
        "/campaigns/outbox/x/": mail,
        "/campaigns/outbox/x/frame/": f"{mail}frame/",
    }
    return {sample: "/" + url.removeprefix("http://").split("/", 1)[1] for sample, url in found.items()}


def test_it_works(client: Client, tmp_path: Path) -> None:
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    visits = {url: (pattern, visit(client, real.get(url, url), tmp_path)) for pattern, url in patterns()}
    assert {url: made.tried for url, (_, made) in visits.items() if made.tried and url not in RECORDERS} == {}
    assert all(visits[url][1].tried for url in RECORDERS)
    ours = {url: made for url, (pattern, made) in visits.items() if hasattr(pattern.callback, "admits")}
    nowhere = {url: made.status for url, made in ours.items() if made.status not in (200, 405)}
    assert set(nowhere) <= SENDS_ON | RECORDERS, nowhere


def by_the_orm(request: HttpRequest) -> HttpResponse:
    Workspace.objects.update(name="x")
    return HttpResponse()


def by_copy(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor, cursor.copy("COPY customers_customer (external_id) FROM STDIN"):
        pass
    return HttpResponse()


def by_locking(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        return HttpResponse(str(list(Event.objects.select_for_update())))


def by_a_file(request: HttpRequest) -> HttpResponse:
    Workspace.current().logo.storage.save("a.txt", ContentFile(b"x"))
    return HttpResponse()


def only_as_a_part(request: HttpRequest) -> HttpResponse:
    return by_the_orm(request) if request.headers.get("HX-Request") else HttpResponse()


PLANTED = (by_the_orm, by_copy, by_locking, by_a_file, only_as_a_part)
urlpatterns: list[URLPattern] = [path(f"{view.__name__}/", view) for view in PLANTED]
urlpatterns += [path("innocent/", lambda request: HttpResponse(Workspace.current().name))]


def test_a_planted_change_is_found(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    innocent = [url for _, url in patterns() if not visit(client, url, tmp_path).tried]
    assert innocent == ["/innocent/"]
