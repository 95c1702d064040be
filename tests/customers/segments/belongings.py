"""What belongs to customers beside orders and events, at random, and as rows for the oracle."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from campaigns.models import Campaign, EmailStep, Enrolment, Message
from customers.events.recording import Happening, record
from customers.models import (
    Contact,
    ContactConsent,
    Customer,
    Interaction,
    Milestone,
    Playbook,
    PlaybookRun,
    Segment,
    SuccessPlan,
)
from loyalty.models import Offer
from retention.workspace.models import User
from surveys.models import Answer, Invitation, Survey

DAY = timedelta(days=1)
Row = dict[str, Any]


def give(random: Random, who: Customer, now: datetime) -> None:
    """Some of everything to one customer."""
    for make in (_contact, _talk, _run, _offer, _answer, _enrolment):
        for _ in range(random.choice([0, 1, 1, 2])):
            make(random, who, now - random.uniform(-3, 120) * DAY)


def _contact(random: Random, who: Customer, at: datetime) -> None:
    pick = random.choice
    made = Contact.objects.create(
        customer=who,
        name=f"x{random.random()}",
        role=pick(["", "Tea", "buyer"]),
        language=pick(["", "de"]),
        birthday=pick([None, at.date(), at.date().replace(year=1980, day=28)]),
        is_main=not who.contacts.filter(is_main=True).exists() and pick([True, False]),
        attributes=pick([{}, {"plan": "Pro", "size": 3}, {"plan": "2026-05-12"}]),
        created_at=at,
        removed_at=pick([None, None, None, at]),
    )
    if pick([True, False]):
        state = pick(["granted", "withdrawn"])
        ContactConsent.objects.create(
            contact=made, channel=pick(ContactConsent.Channel.values), state=state, source="x"
        )


def _talk(random: Random, who: Customer, at: datetime) -> None:
    Interaction.objects.create(
        customer=who,
        kind=random.choice(Interaction.Kind.values),
        sentiment=random.choice(["", *Interaction.Sentiment.values]),
        outcome=random.choice(["", "tea"]),
        next_step="Call",
        next_on=(at + 10 * DAY).date(),
        happened_at=at,
        text="Spoke of tea",
        contact=who.contacts.first(),
    )


def _run(random: Random, who: Customer, at: datetime) -> None:
    playbook, _ = Playbook.objects.get_or_create(name=random.choice(["Tea", "Save"]))
    running = random.choice([True, False]) and not PlaybookRun.objects.filter(
        customer=who, playbook=playbook, state="running"
    )
    PlaybookRun.objects.create(
        playbook=playbook,
        customer=who,
        origin=f"x{random.random()}",
        state="running" if running else random.choice(["finished", "stopped"]),
        counts_from=at,
        started_at=at,
        ended_at=None if running else at + DAY,
    )


def _offer(random: Random, who: Customer, at: datetime) -> None:
    by, _ = User.objects.get_or_create(email="owner@example.test")
    granted = random.choice([True, True, False])
    outcome = random.choice(["", "kept", "lost"]) if granted else ""
    Offer.objects.create(
        customer=who,
        kind="credit",
        amount=10,
        cost=random.choice([Decimal(1), Decimal(50), Decimal("12.5")]),
        currency="EUR",
        formula="",
        reason=random.choice(["price", "other"]),
        state="granted" if granted else "asked",
        asked_by=by,
        asked_at=at,
        granted_at=at if granted else None,
        answerable=by if granted else None,
        month=at.date().replace(day=1) if granted else None,
        used_at=at if granted and random.choice([True, False]) else None,
        outcome=outcome,
        settled_at=at + 90 * DAY if outcome else None,
    )


def _answer(random: Random, who: Customer, at: datetime) -> None:
    survey, _ = Survey.objects.get_or_create(name="Tea", defaults={"question": "How?"})
    asked = Invitation.objects.create(
        survey=survey, customer=who, origin=f"x{random.random()}", created_at=at, expires_at=at + 30 * DAY
    )
    if random.choice([True, False]):
        Answer.objects.create(
            survey=survey,
            customer=who,
            invitation=asked,
            score=random.randint(0, 10),
            comment=random.choice(["", "tea"]),
            typed_in=random.choice([True, False]),
            answered_at=at + DAY,
        )


def _enrolment(random: Random, who: Customer, at: datetime) -> None:
    segment, _ = Segment.objects.get_or_create(name="Enrolling", defaults={"rule": {"nobody": True}})
    campaign, _ = Campaign.objects.get_or_create(name="Tea", defaults={"segment": segment})
    enrolment = Enrolment.objects.create(
        campaign=campaign,
        customer=who,
        occurrence=random.getrandbits(60),
        arm=random.choice(["treated", "control"]),
        gates=[],
        entered_at=at,
        goal_met_at=random.choice([None, at + DAY]),
        left_at=at + DAY,
    )
    _message(Random(enrolment.occurrence), enrolment, at)


def _message(random: Random, enrolment: Enrolment, at: datetime) -> None:
    step, _ = EmailStep.objects.get_or_create(campaign=enrolment.campaign, position=1, defaults={"subject": "Tea time"})
    state = random.choice(["sent", "sent", "failed", "pending"])
    key = f"{random.getrandbits(60)}"
    told = {"step": step, "customer": enrolment.customer, "due_at": at, "send_by": at + DAY}
    made = Message.objects.create(dedupe_key=key, enrolment=enrolment, **told)
    itself = Message.objects.filter(pk=made.pk)
    for next_state in ("claimed", "sending", state) if state != "pending" else ():
        itself.update(state=next_state)
    if state != "pending":
        itself.update(settled_at=at + DAY)
    if state == "sent":
        itself.update(opened_at=random.choice([None, at + DAY]), clicked_at=random.choice([None, at + DAY]))
    if state == "failed" and random.choice([True, False]):
        record([Happening(made.customer_id, "message.bounced", at, dedup_key=f"message:{made.pk}")])


def of_main_contact(who: Customer, key: str) -> Any:
    main = who.contacts.filter(is_main=True, removed_at=None).first()
    if main is None:
        return None
    if key == "consent":
        return consent(main, "email")
    value = getattr(main, key)
    return None if value == "" else value


def consent(contact: Contact, channel: str) -> str:
    return next(iter(contact.consents.filter(channel=channel).values_list("state", flat=True)), "never")


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def contact_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {
            **vars(one),
            "at": one.created_at,
            "is_main": _yes(one.is_main),
            "payload": one.attributes,
            **{f"consent.{channel}": consent(one, channel) for channel in ContactConsent.Channel.values},
        }
        for one in who.contacts.filter(removed_at=None)
    ]


def interaction_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {
            **vars(one),
            "at": one.happened_at,
            "author": _id(one.author_id),
            "contact": one.contact and one.contact.name,
            "contact_role": one.contact and one.contact.role,
        }
        for one in who.interactions.filter(removed_at=None).select_related("contact")
    ]


def case_rows(who: Customer, _now: datetime) -> list[Row]:
    return [{**vars(one), "at": one.opened_at, "assignee": _id(one.assignee_id)} for one in who.cases.all()]


def task_rows(who: Customer, _now: datetime) -> list[Row]:
    return [{**vars(one), "at": one.created_at, "assignee": _id(one.assignee_id)} for one in who.tasks.all()]


def plan_rows(who: Customer, _now: datetime) -> list[Row]:
    return [{**vars(one), "at": one.created_at, "progress": progress(one)} for one in who.plans.all()]


def progress(plan: SuccessPlan) -> Decimal | None:
    states = [step.state for step in plan.milestones.all() if step.state != "dropped"]
    return Decimal(100 * states.count("done")) / len(states) if states else None


def milestone_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {**vars(one), "at": one.plan.created_at, "plan_state": one.plan.state, "ours": _id(one.ours_id)}
        for one in Milestone.objects.filter(plan__customer=who).select_related("plan")
    ]


def run_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {**vars(one), "at": one.started_at, "playbook": one.playbook.name}
        for one in who.playbook_runs.select_related("playbook")
    ]


def offer_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {
            **vars(one),
            "at": one.granted_at or one.asked_at,
            "sum": one.cost,
            "used": _yes(one.used_at),
            "asked_by": _id(one.asked_by_id),
        }
        for one in who.offers.all()
    ]


def answer_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {
            **vars(one),
            "at": one.answered_at,
            "survey": one.survey.name,
            "group": one.group,
            "typed_in": _yes(one.typed_in),
        }
        for one in who.answers.select_related("survey")
    ]


def invitation_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {"at": one.created_at, "survey": one.survey.name, "answered": _yes(hasattr(one, "answer"))}
        for one in who.invitations.select_related("survey", "answer")
    ]


def enrolment_rows(who: Customer, _now: datetime) -> list[Row]:
    return [
        {**vars(one), "at": one.entered_at, "campaign": one.campaign.name, "met": _yes(one.goal_met_at)}
        for one in who.enrolments.select_related("campaign")
    ]


def message_rows(who: Customer, _now: datetime) -> list[Row]:
    """Without those that wait still: of them nothing is known."""
    back = set(who.events.filter(kind="message.bounced").values_list("dedup_key", flat=True))
    return [
        {
            **vars(one),
            "at": one.settled_at,
            "campaign": one.step.campaign.name,
            "subject": one.step.subject,
            "opened": _yes(one.opened_at),
            "clicked": _yes(one.clicked_at),
            "bounced": _yes(f"message:{one.pk}" in back),
        }
        for one in who.messages.filter(state__in=["sent", "failed"]).select_related("step__campaign")
    ]


ROWS: dict[str, Callable[[Customer, datetime], list[Row]]] = {
    "contact_count": contact_rows,
    "interaction_count": interaction_rows,
    "case_count": case_rows,
    "task_count": task_rows,
    "plan_count": plan_rows,
    "milestone_count": milestone_rows,
    "playbook_count": run_rows,
    "offer_count": offer_rows,
    "offer_cost": offer_rows,
    "answer_count": answer_rows,
    "invitation_count": invitation_rows,
    "campaign_count": enrolment_rows,
    "message_count": message_rows,
}
