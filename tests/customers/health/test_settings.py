"""The settings of health: what is typed is shown before it is saved, kept, and followed by everybody's new score."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from customers.events.recording import Happening, record
from customers.health import inputs, keeping, profiles, recomputing
from customers.health.profiles import ready_made
from customers.models import (
    Customer,
    CustomerFacts,
    Event,
    Health,
    HealthProfile,
    HealthSettings,
    Order,
    Segment,
)
from customers.segments import saving, uses
from customers.segments.rules import RuleRefused
from retention.workspace.jobs import run
from retention.workspace.models import Job, User
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.customers.at_once import elsewhere, until, waiting
from tests.customers.facts.world import DAY, customer
from tests.customers.router import route

SignIn = Callable[[str], Client]
At = Callable[[datetime], None]
pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
HEALTH = {"field": "health", "op": "less_than", "value": 40}
DROPPED = {"field": "events.health.dropped", "op": "at_least", "value": {"times": 1}}


def typed(**changes: Any) -> dict[str, Any]:
    """The form of everybody else's profile as it stands at first, with changes."""
    said: dict[str, Any] = {"name": "Everybody else", "of": "everybody-else"}
    for key, values in ready_made().items():
        said |= {f"{end}_{key}": value for end, value in values.items()}
    return said | changes


def only(key: str) -> dict[str, int]:
    return {f"weight_{each}": int(each == key) for each in inputs.every()}


def run_jobs() -> None:
    for job in Job.objects.filter(state="queued"):
        run(job.pk)


@pytest.fixture
def two(at: At) -> tuple[Customer, Customer]:
    """One who used it yesterday and would not recommend, and one the other way round."""
    at(NOW)
    keen, fond = customer(1), customer(2)
    for who, days, score in ((keen, 1, 3), (fond, 60, 10)):
        record([Happening(who.pk, "usage", NOW - days * DAY)])
        record([Happening(who.pk, "survey.answered", NOW - DAY, payload={"score": score})])
    route()
    return keen, fond


def scores() -> list[int | None]:
    return list(CustomerFacts.objects.order_by("customer").values_list("health", flat=True))


def test_it_works(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    client = signed_in("administrator")
    assert client.get("/settings/health/").status_code == 200
    before, url = scores(), "/settings/health/everybody-else/"
    shown = client.post("/settings/health/preview/", typed(**only("nps"))).content.decode()
    assert "<strong>2</strong> of 2 customers change band" in shown
    assert "1 to a better one, 1 to a worse one" in shown
    assert scores() == before
    assert not HealthProfile.objects.exists()
    sent = client.post(url, typed(**only("nps")))
    assert sent.status_code == 302
    assert sent.url.startswith("/jobs/")  # type: ignore[attr-defined]
    run_jobs()
    assert scores() == [0, 100]
    assert Job.objects.get().summary == {"poor": 1, "good": 1}
    assert not Event.objects.filter(kind__startswith="health."), "other weights are no drop"


def test_what_cannot_be_used_is_told_beside_its_field(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    mistakes = typed(weight_cases="11", best_recency="200", best_nps="4")
    refused = client.post("/settings/health/everybody-else/", mistakes)
    page = refused.content.decode()
    assert refused.status_code == 422
    for said in ("less than or equal to 10", "give it fewer days", "another value than 0 points"):
        assert said in page
    assert 'value="200"' in page
    nothing = client.post("/settings/health/everybody-else/", typed(**dict.fromkeys(only(""), 0)))
    assert "Give at least one input a weight" in nothing.content.decode()
    assert not HealthProfile.objects.exists()


def test_profiles_are_tried_in_their_order(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    client = signed_in("administrator")
    rule = {"all": [{"field": "open_tasks", "op": "at_least", "value": 0}]}
    for number, key in enumerate(("nps", "recency")):
        segment = Segment.objects.create(name=f"S{number}", rule=rule)
        sent = typed(name=key, segment=segment.pk, of="new", **only(key))
        assert client.post("/settings/health/new/", sent).status_code == 302
    assert client.post("/settings/health/new/", sent).status_code == 422, "one profile for a segment"
    run_jobs()
    assert scores() == [0, 100]
    recency = HealthProfile.objects.get(name="recency")
    client.post(f"/settings/health/{recency.pk}/up/")
    run_jobs()
    assert scores() == [100, 0]
    client.post(f"/settings/health/{recency.pk}/delete/")
    run_jobs()
    assert scores() == [0, 100]


def test_bands_are_set_for_all(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    client = signed_in("administrator")
    said = {"good_from": 90, "watch_from": 89, "least_coverage": 10, "drop_points": 5, "drop_days": 9, "of": "bands"}
    shown = client.post("/settings/health/preview/", said).content.decode()
    assert "customers change band" in shown
    assert client.post("/settings/health/bands/", said).status_code == 302
    run_jobs()
    assert set(Health.objects.values_list("band", flat=True)) == {"poor"}
    assert HealthSettings.current().drop_by_band is False
    refused = client.post("/settings/health/bands/", said | {"watch_from": 95, "drop_days": 0})
    assert refused.status_code == 422
    assert "below good" in refused.content.decode()


class TestCircles:
    """Whom a profile is for cannot depend on what it says."""

    def test_a_profile_is_refused_a_segment_that_asks_about_health(self, signed_in: SignIn) -> None:
        asking = Segment.objects.create(name="Poor", rule={"all": [HEALTH]})
        through = Segment.objects.create(
            name="Through", rule={"not": {"field": "segment", "op": "is_in", "value": asking.pk}}
        )
        for segment in (asking, through):
            sent = typed(name="P", segment=segment.pk, of="new")
            refused = signed_in("administrator").post("/settings/health/new/", sent)
            assert "This segment asks about health" in refused.content.decode()
        assert not HealthProfile.objects.filter(segment__isnull=False).exists()

    @pytest.mark.parametrize(
        "field", [HEALTH, {"field": "events.health.dropped", "op": "at_least", "value": {"times": 1}}]
    )
    def test_a_profile_s_segment_cannot_come_to_ask_about_it(self, field: dict[str, Any]) -> None:
        by = User.objects.create_user("a@example.test", role=Role.ADMINISTRATOR)
        inner = Segment.objects.create(name="Inner", rule={"all": [{"field": "orders", "op": "at_least", "value": 1}]})
        outer = Segment.objects.create(name="Outer", rule={"field": "segment", "op": "is_in", "value": inner.pk})
        HealthProfile.objects.create(name="P", segment=outer, position=1, inputs=ready_made())
        inner.rule = {"all": [{"field": "orders", "op": "at_least", "value": 1}, {"any": [field]}]}
        with pytest.raises(RuleRefused, match="health profile “P”") as refusal:
            saving.save(inner, by)
        assert refusal.value.place == "all[1].any[0].field"


def test_a_profile_keeps_its_segment(signed_in: SignIn) -> None:
    segment = Segment.objects.create(name="All", rule={"all": [{"field": "orders", "op": "at_least", "value": 0}]})
    profile = HealthProfile.objects.create(name="Ours", segment=segment, position=1)
    found = uses.uses()[segment.pk]
    assert [(use.what, use.name, use.url) for use in found] == [
        ("health profile", "Ours", f"/settings/health/{profile.pk}/")
    ]
    with pytest.raises(uses.InUse):
        uses.delete(segment)


def test_only_administrators_may(signed_in: SignIn) -> None:
    for role in ("account_manager", "marketer", "analyst"):
        client = signed_in(role)
        assert client.get("/settings/health/").status_code == 403
        assert client.post("/settings/health/everybody-else/", typed()).status_code == 403


def test_a_customer_s_page_says_why(signed_in: SignIn, two: tuple[Customer, Customer], at: At) -> None:
    keen, _ = two
    at(NOW + 40 * DAY)
    route()
    client = signed_in("analyst")
    page = client.get(f"/customers/{keen.pk}/health/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "An order or a use was expected 27 days ago" in text
    assert "Answered 3 of 10" in text
    health = Health.objects.get(customer=keen)
    assert f"from {health.coverage} % of the weight" in text
    assert "good from 70" in text
    assert len(re.findall("<circle", page)) == Health.objects.get(customer=keen).customer.health_changes.count()
    file = client.get(f"/customers/{keen.pk}/health/?format=csv").content.decode()
    assert file.startswith("at,score,band,coverage\r\n2026-05-15T")


def test_lists_narrow_and_sort_by_health(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    client = signed_in("analyst")
    page = client.get("/customers/?health=unknown&column=health&column=health_band&sort=health").content.decode()
    assert "No customer matches" in page
    page = client.get("/customers/?column=health&column=health_band&sort=health").content.decode()
    assert scores() == [60, 25]
    assert page.index("Customer 2") < page.index("Customer 1")
    sent = client.post("/customers/export/", {"query": "column=health&column=health_band", "scope": "all"})
    assert "Health,Health is" in sent.content.decode("utf-8-sig")


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    assert_query_count("health of a customer", signed_in("analyst"), f"/customers/{two[0].pk}/health/")
    assert_query_count("health settings", signed_in("administrator"), "/settings/health/")
    assert_query_count("health profile", signed_in("administrator"), "/settings/health/everybody-else/")


def test_today_says_whose_health_dropped(signed_in: SignIn, two: tuple[Customer, Customer], at: At) -> None:
    keen, _ = two
    record([Happening(keen.pk, "usage", NOW - 40 * DAY, dedup_key=f"{n}") for n in range(20)])
    at(NOW + DAY)
    Order.objects.create(external_id="o", customer=keen, ordered_at=NOW, amount=9, currency="EUR")
    route()
    client = signed_in("account_manager")
    page = client.get("/today/?whose=everyones").content.decode()
    assert "Find out what went wrong" in page
    assert "Health fell from 60 to" in page


def test_two_who_move_profiles_at_once_leave_an_order(db: None) -> None:
    by = User.objects.create_user("boss@example.test")
    made = []
    for name in "abc":
        segment = Segment.objects.create(name=name, rule={"all": []})
        keeping.keep(made_one := HealthProfile(name=name, segment=segment, inputs=ready_made()), by)
        made.append(HealthProfile.objects.get(pk=made_one.pk))
    keeping.move_up(made[2], by)
    keeping.move_up(made[1], by)
    assert list(HealthProfile.objects.values_list("name", "position")) == [("a", 1), ("b", 2), ("c", 3)]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_begins_just_now_does_not_do_for_what_is_not_there_yet() -> None:
    by = User.objects.create_user("boss@example.test")
    waiting_job = recomputing.rescore_everybody(by)

    seen: list[set[int]] = []

    def begin() -> None:
        Job.objects.filter(pk=waiting_job.pk).update(state=Job.State.RUNNING)
        seen.append(set(HealthProfile.objects.values_list("version", flat=True)))

    with transaction.atomic():
        rest = profiles.everybody_else()
        assert keeping.keep(rest, by) == waiting_job
        beginning = elsewhere(begin)
        until(lambda: waiting() == 1 or bool(seen))
    beginning.join()
    assert seen == [{rest.version}]
    assert recomputing.rescore_everybody(by) != waiting_job


@pytest.mark.django_db(transaction=True)
def test_a_profile_is_changed_while_another_is_moved(signed_in: SignIn) -> None:
    client, answers = signed_in("administrator"), list[int]()
    segment = Segment.objects.create(name="Some", rule={"all": []})
    profile = HealthProfile.objects.create(name="Some", segment=segment, position=1, inputs=ready_made())
    said = typed(name="Others", segment=segment.pk, of=profile.pk)

    def edit() -> None:
        answers.append(client.post(f"/settings/health/{profile.pk}/", said).status_code)

    with transaction.atomic():
        keeping.locked()
        editing = elsewhere(edit)
        until(lambda: waiting() == 1 or bool(answers))
        HealthProfile.objects.select_for_update(nowait=True).get(pk=profile.pk)
    editing.join()
    assert answers == [302]
