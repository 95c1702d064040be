"""The record: who works at the companies, teams and key accounts, what was talked about, and a custom field."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from customers.models import Consent, Contact, ContactConsent, Customer, CustomField, Interaction, Team
from retention.demo import writing
from retention.demo.people import FAMILY, GIVEN, TRADES
from retention.workspace.models import User

KEY_ACCOUNTS = 12
TALKS = 20  # for each manager
LATELY = timedelta(days=120)
TEAMS = ("Cafés and restaurants", "Offices")
ROLES = ("Owner", "Head of purchasing", "Branch manager", "Bookkeeping")
SAID = (
    ("call", "Ordered less because their second branch is closed for works until spring.", "Calls back in March", ""),
    ("call", "Very happy with the new grinder. Would speak to others about it.", "May be named as a reference", "good"),
    ("meeting", "Went through the year together. They want fewer, larger deliveries.", "New plan agreed", "good"),
    ("email", "Asked why the last delivery came without its papers.", "Papers sent again", "bad"),
    ("note", "The purchasing manager leaves at the end of the month; find out who comes after.", "", "neutral"),
    ("chat", "Wanted to know whether the subscription can rest over the summer.", "Explained the pause", "neutral"),
)


def write(rng: Random, now: datetime, managers: list[User]) -> None:
    # The values are there already, and of the type: nobody has to be looked at again.
    CustomField.objects.get_or_create(
        about=CustomField.About.CUSTOMER,
        key="trade",
        defaults={"label": "Trade", "type": CustomField.Type.CHOICE, "choices": sorted(TRADES)},
    )
    _group(managers)
    companies = Customer.objects.filter(kind=Customer.Kind.COMPANY).order_by("pk")
    people = Contact.objects.bulk_create(_people(rng, list(companies), now), batch_size=5_000)
    ContactConsent.objects.bulk_create(
        ContactConsent(
            contact=person, channel="phone", state=Consent.State.GRANTED, source="contract", changed_at=now, proof="§ 7"
        )
        for person in people
        if person.is_main
    )
    Interaction.objects.bulk_create(_talks(rng, now, managers), batch_size=5_000)
    writing.tell(_LOGGED)


def _group(managers: list[User]) -> None:
    """The first manager's customers are one team's, the others' another's; the dearest companies are key accounts."""
    for number, name in enumerate(TEAMS):
        team, _ = Team.objects.get_or_create(name=name)
        members = managers[:1] if number == 0 else managers[1:]
        team.members.set(members)
        Customer.objects.filter(owner__in=members).update(team=team)
    dearest = Customer.objects.filter(kind=Customer.Kind.COMPANY, facts__mrr__gt=0).order_by("-facts__mrr", "pk")
    Customer.objects.filter(pk__in=list(dearest.values_list("pk", flat=True)[:KEY_ACCOUNTS])).update(
        is_key_account=True
    )


def _people(rng: Random, companies: list[Customer], now: datetime) -> Iterator[Contact]:
    for company in companies:
        domain = company.email.rpartition("@")[2] or "customers.example"
        for place, role in enumerate(rng.sample(ROLES, rng.choice((1, 1, 2)))):
            first, last = rng.choice(GIVEN), rng.choice(FAMILY)
            yield Contact(
                customer=company,
                name=f"{first} {last}",
                role=role,
                email=f"{first}.{last}.{company.external_id}.{place}@{domain}".lower(),
                language=company.language,
                is_main=place == 0,
                source="demo",
                created_at=now,
                updated_at=now,
            )


def _talks(rng: Random, now: datetime, managers: list[User]) -> Iterator[Interaction]:
    for manager in managers:
        theirs = list(Customer.objects.filter(owner=manager, facts__mrr__gt=0).order_by("pk")[:200])
        for customer in rng.sample(theirs, min(TALKS, len(theirs))):
            kind, text, outcome, sentiment = rng.choice(SAID)
            since = max(now - LATELY, customer.joined_at or now - LATELY)
            at = since + (now - since) * rng.random()
            yield Interaction(
                customer=customer,
                kind=kind,
                text=text,
                outcome=outcome,
                sentiment=sentiment,
                author=manager,
                happened_at=at,
                created_at=at,
                updated_at=at,
            )


# As customers/interactions/keeping.py tells them.
_LOGGED = """
    SELECT talk.customer_id, 'interaction.logged', happened_at, happened_at, 'demo', 'interaction:' || talk.id,
           jsonb_build_object('interaction', talk.id, 'what', CASE kind WHEN 'email' THEN 'e-mail' ELSE kind END,
               'by', trim(first_name || ' ' || last_name)),
           'interaction:' || talk.id, happened_at
      FROM customers_interaction AS talk JOIN workspace_user AS author ON author.id = talk.author_id
"""
