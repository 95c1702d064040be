"""A company small enough to know, with something of everything that metrics shows, up to 1 June 2026."""

from datetime import timedelta
from decimal import Decimal

from campaigns.models import Arm, Campaign, Enrolment
from customers.facts.folding import fold
from customers.models import Customer, HealthChange, Interaction, Subscription, Task
from retention.workspace.models import User
from surveys.models import Answer, Survey
from tests.customers.subscribing import subscription, term
from tests.metrics.worlds import buyer, customer, instant, order, segment


def found_company() -> Campaign:
    """48 buyers of every habit, orders that count for nothing, answers, two segments, a campaign with a control."""
    habits = (
        ["2026-01-10", "2026-02-20", "2026-03-20", "2026-05-10"],
        ["2026-01-15"],
        ["2025-08-01", "2026-04-10"],
        ["2026-03-05", "2026-05-20"],
        ["2026-05-25"],
        ["2025-11-03", "2025-12-24", "2026-01-30"],
    )
    buyers = [buyer(f"Buyer {i}", *habits[i % len(habits)], amount=str(20 + i)) for i in range(48)]
    order(buyers[0], "2026-05-11", "15", state="cancelled")
    order(buyers[1], "2026-05-12", "15", state="refunded")
    order(buyers[2], "2026-05-12", "15", currency="USD")
    order(None, "2026-05-12", "99")
    _subscriptions(buyers)
    fold(list(Customer.objects.values_list("pk", flat=True)))
    _looked_after(buyers)
    _health(buyers)
    segment("Every third", *buyers[::3])
    segment("Nobody")
    _answers(buyers)
    return _campaign(buyers)


def _subscriptions(buyers: list[Customer]) -> None:
    """Some stay, grow, shrink, leave, pause, or pay in dollars."""
    habits: tuple[tuple[tuple[str, str | None, int], ...], ...] = (
        (("2025-09-10", None, 40),),
        (("2025-09-10", "2026-02-15", 30), ("2026-02-15", None, 55)),
        (("2025-10-01", "2026-03-15", 80), ("2026-03-15", None, 60)),
        (("2025-12-01", "2026-04-05", 25),),
        (("2025-08-01", "2025-11-20", 35), ("2026-03-20", None, 35)),
        (("2026-04-12", None, 20),),
    )
    for i, who in enumerate(buyers[:42]):
        row, currency = subscription(who), "USD" if i % 14 == 13 else "EUR"
        for start, end, amount in habits[i % 6]:
            term(row, instant(start), instant(end) if end else None, amount=amount + i, currency=currency)


def _looked_after(buyers: list[Customer]) -> None:
    """Every second one by Anna, who talked to the first, did a task for them, and has their contract to renew."""
    anna = User.objects.create(email="anna@example.test", first_name="Anna")
    Customer.objects.filter(pk__in=[who.pk for who in buyers[::2]]).update(owner=anna)
    day = instant("2026-05-20")
    Interaction.objects.create(customer=buyers[0], kind="call", text="All is well.", happened_at=day, author=anna)
    Task.objects.create(customer=buyers[0], title="Call", due_at=day, state="done", closed_at=day)
    in_july = instant("2026-07-20")
    Subscription.objects.filter(customer=buyers[0]).update(renews_at=in_july, auto_renews=False)


def _health(buyers: list[Customer]) -> None:
    """Of all but a few; those with no order for long stand lower, but for some."""
    HealthChange.objects.bulk_create(
        HealthChange(customer=who, at=at, score=score, band=band, coverage=80, parts={}, version=0)
        for i, who in enumerate(buyers[:44])
        for at, score, band in (
            (instant("2025-12-01"), 75 + i % 9, "good"),
            (instant("2026-02-20"), 30 + (i % 6) * 11 + i % 5, "watch"),
        )
    )


def _answers(buyers: list[Customer]) -> None:
    survey = Survey.objects.create(name="NPS", question="How likely?", follow_up="Why?", thanks="Thanks")
    for i, who in enumerate(buyers[:36]):
        for day in ("2026-01-20", "2026-04-20"):
            Answer.objects.create(survey=survey, customer=who, score=(7 * i + len(day)) % 11, answered_at=instant(day))
    Answer.objects.create(
        survey=survey,
        customer=customer("By phone"),
        score=0,
        comment="=1+1",
        typed_in=True,
        answered_at=instant("2026-04-21"),
    )


def _campaign(buyers: list[Customer]) -> Campaign:
    campaign = Campaign.objects.create(
        name="Win back",
        state=Campaign.State.RUNNING,
        segment=segment("Lapsing", *buyers[:40]),
        holdout_share=Decimal(50),
        launched_at=instant("2026-03-01"),
    )
    for i, who in enumerate(buyers[:40]):
        Enrolment.objects.create(
            campaign=campaign,
            customer=who,
            occurrence=1,
            arm=Arm.TREATED if i // 6 % 2 else Arm.CONTROL,
            gates=[],
            entered_at=instant("2026-03-01") + timedelta(days=2 * i),
        )
    return campaign
