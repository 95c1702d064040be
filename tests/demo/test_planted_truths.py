"""What was planted in the demo is found again in its rows, with a test that would not find it by chance."""

from collections.abc import Callable
from datetime import timedelta
from math import log

import pytest
from django.db.models import Count, Exists, F, OuterRef, Q
from django.test import Client
from django.urls import reverse

from campaigns.models import Arm, Attempt, Campaign, Enrolment, Message
from campaigns.routing import route
from customers.duplicates import finding, grouping
from customers.events.kinds import CATALOGUE
from customers.models import (
    Case,
    Customer,
    CustomerFacts,
    Event,
    Import,
    Likeness,
    MovementKind,
    MrrMovement,
    OrderLine,
    PlaybookRun,
    Product,
    RunStep,
    Segment,
    StagePeriod,
    SubscriptionTerm,
    Task,
)
from metrics.inference import Sample, Share, check_split, compare_means, compare_shares
from retention.demo.campaign import EFFECT, HELD_OUT
from retention.workspace.demo_people import demo_person
from retention.workspace.roles import Role
from surveys.models import Answer, Invitation
from surveys.reading import responses
from surveys.scoring import DETRACTOR, PROMOTER
from tests.customers.subscribing import spans
from tests.demo.conftest import NOW, Demo

pytestmark = pytest.mark.django_db


def sample(values: list[float]) -> Sample:
    mean = sum(values) / len(values)
    return Sample(len(values), mean, sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def test_it_works(demo: Demo) -> None:
    assert demo.loaded.customers == 2_037
    assert demo.loaded.events > 100_000
    # Sets are written, never customer by customer.
    assert demo.statements < demo.loaded.customers * 0.6


def _falls(subscriptions, ends) -> list[float]:  # type: ignore[no-untyped-def]
    """Of each subscription the log ratio of usage in the 45 days before an instant to that in the 60 before them."""

    def used(since: int, until: int):  # type: ignore[no-untyped-def]
        here = Q(
            customer__events__kind="usage",
            customer__events__occurred_at__gte=ends - timedelta(days=since),
            customer__events__occurred_at__lt=ends - timedelta(days=until),
        )
        return Count("customer__events", filter=here)

    rows = subscriptions.annotate(late=used(45, 0), early=used(105, 45)).values_list("late", "early")
    return [log((late + 0.5) / 45) - log((early + 0.5) / 60) for late, early in rows if early >= 5]


def test_usage_falls_before_a_subscription_ends(demo: Demo) -> None:
    long = spans().filter(started_at__lt=NOW - timedelta(days=200))
    left = long.filter(ended_at__gt=F("started_at") + timedelta(days=150))
    leavers = sample(_falls(left, F("ended_at")))
    stayers = sample(_falls(long.filter(ended_at=None), NOW))
    found = compare_means(leavers, stayers)
    assert leavers.n > 60
    assert found is not None
    assert found.z is not None
    assert found.difference < log(0.75)
    assert found.z < -5


def test_falling_usage_is_falling_health(demo: Demo) -> None:
    used = CustomerFacts.objects.filter(subscribed_at__lt=NOW, churned_at=None, usage_prior_30d__gte=10)
    fallen = Q(usage_30d__lte=F("usage_prior_30d") * 0.6)
    low, high = (
        sample([float(health) for health in who.values_list("health", flat=True) if health is not None])
        for who in (used.filter(fallen), used.exclude(fallen))
    )
    compared = compare_means(low, high)
    assert compared
    assert compared.difference < -5
    assert compared.p is not None
    assert compared.p < 0.001
    dropped = Event.objects.filter(kind="health.dropped", customer=OuterRef("customer_id"))
    assert used.filter(fallen).filter(Exists(dropped)).count() > 10


def test_detractors_leave_more_often(demo: Demo) -> None:
    horizon = timedelta(days=120)
    subscribed = spans().filter(customer=OuterRef("customer"), started_at__lte=OuterRef("answered_at"))
    lasting = subscribed.filter(Q(ended_at=None) | Q(ended_at__gt=OuterRef("answered_at") + horizon))
    leaving = subscribed.filter(ended_at__gt=OuterRef("answered_at"), ended_at__lte=OuterRef("answered_at") + horizon)
    asked = Answer.objects.filter(answered_at__lt=NOW - horizon).annotate(left=Exists(leaving))
    asked = asked.filter(Q(Exists(lasting)) | Q(left=True))

    def share(group: Q) -> Share:
        return Share(asked.filter(group, left=True).count(), asked.filter(group).count())

    found = compare_shares(share(DETRACTOR), share(PROMOTER))
    assert found is not None
    assert found.z is not None
    assert found.difference > 0.08
    assert found.z > 3


def test_the_win_back_campaign_works(demo: Demo) -> None:
    campaign = Campaign.objects.get(state=Campaign.State.RUNNING)
    judged = campaign.enrolments.filter(entered_at__lt=NOW - timedelta(days=campaign.goal_days))

    def kept(arm: Arm) -> Share:
        met = judged.filter(arm=arm, goal_met_at__lt=F("entered_at") + timedelta(days=campaign.goal_days))
        return Share(met.count(), judged.filter(arm=arm).count())

    treated, control = kept(Arm.TREATED), kept(Arm.CONTROL)
    found = compare_shares(treated, control)
    assert found is not None
    assert found.interval is not None
    assert found.interval.low > 0
    assert EFFECT * (1 - control.value) in found.interval
    arms = [campaign.enrolments.filter(arm=arm).count() for arm in (Arm.TREATED, Arm.CONTROL)]
    split = check_split(arms, [1 - float(HELD_OUT) / 100, float(HELD_OUT) / 100])
    assert split is not None
    assert split.passed


def test_every_message_has_gone_its_way(demo: Demo) -> None:
    enrolled = Enrolment.objects.filter(arm=Arm.TREATED).count()
    states = dict(Message.objects.values_list("state").annotate(Count("pk")))
    assert states.keys() == {"sent", "failed"}
    assert sum(states.values()) == enrolled
    assert not Attempt.objects.filter(outcome="").exists()
    assert not Message.objects.exclude(tries__isnull=False).exists()
    assert not Message.objects.filter(enrolment__arm=Arm.CONTROL).exists()
    assert Message.objects.filter(opened_at__gt=F("clicked_at")).count() == 0


def test_what_is_told_is_in_the_catalogue_and_in_its_order(demo: Demo) -> None:
    assert set(Event.objects.values_list("kind", flat=True).distinct()) <= CATALOGUE.keys()
    assert not Event.objects.filter(occurred_at__gt=NOW).exists()
    assert not Event.objects.filter(occurred_at__lt=F("customer__joined_at")).exists()


def test_the_router_finds_nothing_left_to_do(demo: Demo) -> None:
    assert not Event.objects.filter(routed_at=None).exists()
    assert route() == 0


def test_facts_and_tables_agree(demo: Demo) -> None:
    assert CustomerFacts.objects.filter(mrr__gt=0).count() == (
        SubscriptionTerm.objects.filter(valid_to=None).values("customer").distinct().count()
    )
    detractors = CustomerFacts.objects.filter(nps_score__lte=6).count()
    assert Segment.objects.get(name="Detractors").size == detractors > 50
    response = next(iter(responses(Invitation.objects.all()).values()))
    assert response.asked > response.delivered > response.answered > 500


def test_there_is_history_to_look_at(demo: Demo) -> None:
    assert StagePeriod.objects.filter(left_at__isnull=False).count() > 1_000
    assert all(segment.size > 10 for segment in Segment.objects.all())
    moving = Segment.objects.exclude(name="Key accounts")
    assert all(segment.memberships.filter(left_at__isnull=False).exists() for segment in moving)
    stages = dict(CustomerFacts.objects.values_list("stage").annotate(Count("pk")))
    assert len(stages) == 8
    assert min(stages.values()) > 30


def test_there_is_work_to_do(demo: Demo) -> None:
    manager = demo_person(Role.ACCOUNT_MANAGER)
    assert Task.objects.filter(state=Task.State.OPEN, assignee=manager).exists()
    assert Task.objects.filter(state=Task.State.DONE, closed_by=manager).exists()
    unhappy = Answer.objects.filter(DETRACTOR).count()
    assert Task.objects.filter(origin__startswith="answer:").count() == unhappy
    runs = dict(PlaybookRun.objects.values_list("state").annotate(Count("pk")))
    assert min(runs.values()) > 1
    assert len(runs) == 3
    assert RunStep.objects.filter(task__state=Task.State.OPEN).exists()


SCREENS: dict[str, Callable[[], list[int]]] = {
    "customers:today": list,
    "customers:playbooks": list,
    "customers:playbook": lambda: [PlaybookRun.objects.filter(state="running").values_list("playbook", flat=True)[0]],
    "customers:cases": list,
    "customers:list": list,
    "customers:detail": lambda: [Task.objects.filter(state=Task.State.OPEN).values_list("customer_id", flat=True)[0]],
    "customers:segments": list,
    "customers:segment": lambda: [Segment.objects.values_list("pk", flat=True)[0]],
    "customers:imports": list,
    "customers:import_detail": lambda: [Import.objects.values_list("pk", flat=True)[0]],
    "campaigns:list": list,
    "campaigns:detail": lambda: [Campaign.objects.get(state=Campaign.State.RUNNING).pk],
    "campaigns:customer_panel": lambda: [Enrolment.objects.values_list("customer_id", flat=True)[0]],
    "surveys:list": list,
    "surveys:detail": lambda: [Answer.objects.values_list("survey_id", flat=True)[0]],
    "surveys:customer_panel": lambda: [Answer.objects.values_list("customer_id", flat=True)[0]],
    "metrics:overview": list,
    "metrics:cohorts": list,
    "metrics:nps": list,
    "metrics:campaign_effect": lambda: [Campaign.objects.get(state=Campaign.State.RUNNING).pk],
}
EMPTY = 'class="nothing"'  # of templates/parts/empty.html


@pytest.mark.parametrize("name", SCREENS)
def test_every_screen_has_something_to_show(demo: Demo, name: str) -> None:
    client = Client()
    client.force_login(demo_person(Role.ADMINISTRATOR))
    page = client.get(reverse(name, args=SCREENS[name]()))
    assert page.status_code == 200
    assert EMPTY not in page.content.decode()


def test_an_account_manager_has_a_day_before_them(demo: Demo) -> None:
    client = Client()
    client.force_login(demo_person(Role.ACCOUNT_MANAGER))
    first, second = (client.get(f"/today/?page={number}").content.decode() for number in (1, 2))
    assert EMPTY not in first
    for band in ("Now", "This week", "Coming up"):
        assert f'band">{band}</h2>' in first + second


def test_the_unhappy_ask_for_help_more_often_and_rate_it_lower(demo: Demo) -> None:
    def ratings(group: Q) -> Sample:
        who = Answer.objects.filter(group).values("customer")
        rated = Case.objects.filter(rating__isnull=False, customer__in=who)
        return sample([float(case.rating or 0) for case in rated])

    found = compare_means(ratings(DETRACTOR), ratings(PROMOTER))
    assert found is not None
    assert found.z is not None
    assert found.difference < -0.3
    assert found.z < -4
    assert Case.objects.filter(state="open").count() > 2


def test_recurring_revenue_moves_in_every_way(demo: Demo) -> None:
    kinds = set(MrrMovement.objects.values_list("kind", flat=True))
    assert kinds == set(MovementKind.values)
    assert Product.objects.filter(goes_with__isnull=False).exists()
    known = set(Product.objects.values_list("sku", flat=True))
    assert set(OrderLine.objects.values_list("sku", flat=True).distinct()) <= known


def test_the_duplicates_are_those_of_the_fair(demo: Demo) -> None:
    finding.look_for(60)
    ids = dict(Customer.objects.values_list("external_id", "pk"))
    colleagues = {ids[f"FAIR-{badge}"] for badge in (1002, 1003, 1004)}
    assert colleagues <= grouping.together(ids["FAIR-1002"])
    companies = Customer.objects.filter(kind="company").order_by("external_id").exclude(external_id__startswith="FAIR")
    for badge, known in zip((1038, 1039, 1040), companies[:3], strict=True):
        assert known.pk in grouping.together(ids[f"FAIR-{badge}"]), badge
    assert Likeness.objects.count() < 60, "hardly anybody else looks like somebody"
