"""Loading the demo: all of it in one transaction, or nothing."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from django.db import connection, transaction

from campaigns.models import Attempt, Campaign, Enrolment, Message, Refusal, Suppression
from customers.events.routing import Batch
from customers.models import (
    Customer,
    CustomerFacts,
    CustomerMonth,
    Event,
    Health,
    HealthChange,
    Segment,
    SegmentMembership,
    StagePeriod,
)
from customers.reaction import react
from loyalty.settling import settle
from retention.common import clock
from retention.demo import (
    campaign,
    catalogue,
    fair,
    offers,
    planning,
    playbooks,
    record,
    renewing,
    segments,
    work,
    writing,
)
from retention.demo.business import Life, simulate
from retention.demo.history import CURRENCY, SOURCE, History
from retention.demo.span import DAYS, Span
from retention.workspace.demo_people import demo_person
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role
from surveys.models import Survey

CUSTOMERS = 2_000
SEED = "harbour and finch"
COMPANY = "Harbour & Finch"
COLLEAGUES = (("Jonas", "Berg"), ("Priya", "Nair"))
# Stages and segments are looked at every two months from half a year before the campaign, every fortnight of it, and
# twice in the last week.
LAUNCHED = DAYS - 98
BEFOREHAND = range(LAUNCHED - 180, LAUNCHED, 60)
FORTNIGHT = 14
FORTNIGHTS = range(LAUNCHED, DAYS, FORTNIGHT)
FAIR = DAYS - 20.4
LATELY = (DAYS - 6, DAYS - 1)


class NotEmpty(Exception):
    """There are customers here already. The text says whose."""


@dataclass(frozen=True)
class Loaded:
    customers: int
    events: int
    enrolled: int


def is_empty() -> bool:
    return not (Customer.objects.exists() or Segment.objects.exists() or Campaign.objects.exists())


@transaction.atomic
def load(now: datetime, *, replace: bool = False, seed: str = SEED, count: int = CUSTOMERS) -> Loaded:
    """Fill the workspace with two years up to today. Raises NotEmpty.

    `replace` clears an earlier demo away first; customers from anywhere else are never touched.
    """
    if not is_empty():
        if not replace:
            raise NotEmpty("This workspace is in use: the demo is loaded only into an empty one.")
        clear()
    span = Span.until(now)
    rng = Random(f"{seed} {span.end:%Y-%m-%d}")  # noqa: S311 - a simulation
    _name_workspace()
    managers = _people()
    lives = simulate(rng, count, len(managers))
    history = History(span, managers)
    survey = _survey(span.start)
    history.write(lives, survey)
    won_back = _relive(rng, span, history, lives)
    work.write(rng, now, managers)
    record.write(Random(f"{seed} record"), now, managers)  # noqa: S311 - a simulation
    renewing.write(Random(f"{seed} renewals"), now)  # noqa: S311 - a simulation
    planning.write(now)
    playbooks.write(Random(f"{seed} playbooks"), span, managers)  # noqa: S311 - a simulation
    with clock.at(span.instant(FAIR)):
        fair.bring_in(rng, day=f"{clock.now():%d/%m/%Y}")
    campaign.draft(won_back.segment, survey, demo_person(Role.MARKETER))
    _settle(span)
    return Loaded(Customer.objects.count(), Event.objects.count(), won_back.enrolments.count())


def clear() -> None:
    """Remove an earlier demo with all that hangs on it. Raises NotEmpty where there are other people's customers."""
    others = Customer.objects.exclude(source=SOURCE).count()
    if others:
        raise NotEmpty(f"{others} of the customers here did not come with the demo: nothing was removed.")
    fair.forget()
    catalogue.forget()
    Suppression.objects.filter(address__in=Customer.objects.exclude(email="").values("email")).delete()
    tables = [model._meta.db_table for model in (Customer, Segment, Campaign, Survey)]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


def _people() -> list[User]:
    """The demo's people; gives the account managers."""
    for role in Role:
        demo_person(role)
    colleagues = [
        User.objects.get_or_create(
            email=f"{first}.{last}@demo.test".lower(),
            defaults={"role": Role.ACCOUNT_MANAGER, "first_name": first, "last_name": last},
        )[0]
        for first, last in COLLEAGUES
    ]
    return [demo_person(Role.ACCOUNT_MANAGER), *colleagues]


def _survey(at: datetime) -> Survey:
    return Survey.objects.create(
        name="Twice-a-year check-in",
        question=f"How likely are you to recommend {COMPANY} to a friend or colleague?",
        follow_up="What is the main reason for your score?",
        thanks="Your answer goes straight to the people who can do something about it.",
        created_at=at,
    )


def _relive(rng: Random, span: Span, history: History, lives: list[Life]) -> Campaign:
    """Go through the months again, so that stages, segments and the campaign have a history of their own."""
    marketer = demo_person(Role.MARKETER)
    givers = offers.givers(Random(f"offers {span.end:%Y-%m-%d}"))  # noqa: S311 - a simulation
    with clock.at(span.instant(BEFOREHAND[0])):
        lapsing = segments.save(marketer)
    for day in BEFOREHAND:
        with clock.at(span.instant(day)):
            _find_out()
            givers.look_after()
        if day == BEFOREHAND[0]:
            writing.look_at(CustomerFacts, CustomerMonth, StagePeriod, SegmentMembership, Health, HealthChange)
    with clock.at(span.instant(LAUNCHED)):
        won_back = campaign.launched(lapsing, marketer)
    win_back = campaign.WinBack(rng, span, won_back, {life.person.key: life.person for life in lives})
    for day in FORTNIGHTS:
        with clock.at(span.instant(day)):
            _find_out()
            history.orders(win_back.go_on(since=span.instant(day - FORTNIGHT), day=day))
            givers.look_after()
            writing.look_at(Enrolment, Refusal, Message, Attempt)
    for day in LATELY:
        with clock.at(span.instant(day)):
            _find_out()
    with clock.at(span.instant(LATELY[-1])):
        givers.ask()
    givers.write()
    return won_back


def _find_out() -> None:
    """Facts, stages and segments of everybody who is known by now."""
    known = Customer.objects.filter(joined_at__lte=clock.now()).order_by("pk")
    react(Batch([], list(known.values_list("pk", flat=True))))


def _settle(span: Span) -> None:
    """Bring everything up to this instant, and leave the router nothing to take up again."""
    _find_out()
    campaign.meet_goals(since=span.instant(FORTNIGHTS[-1]))
    settle()
    Event.objects.filter(routed_at=None).update(routed_at=clock.now())


def _name_workspace() -> None:
    """Give the workspace the company's name, unless somebody has named it."""
    unnamed = Workspace.objects.filter(name=Workspace._meta.get_field("name").default)
    unnamed.update(
        name=COMPANY,
        currency=CURRENCY,
        time_zone="Europe/Berlin",
        sender_address="hello@harbourfinch.example.test",
        postal_address="Harbour & Finch, 1 Quay Street, Exampletown",
    )
