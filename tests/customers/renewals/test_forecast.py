"""The renewals board: what comes up in which month, what is expected of it and why, and every sum opens."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Event, Forecast, RenewalForecast, Segment, SegmentMembership, Stage, Subscription
from customers.models import Team as TeamRow
from customers.renewals.due import Span, renewals
from customers.renewals.expecting import LABELS, RULES, mark
from customers.renewals.rows import Renewal
from customers.subscriptions.agreeing import cancel, renew
from customers.work.moments import Moment
from customers.work.ranking import find
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.customers.known import customer
from tests.customers.subscribing import subscription

SignIn = Callable[[str], Client]
At = Callable[[datetime], None]
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(at: At) -> None:
    at(NOW)


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")


def contract(name: str, days: float = 40, **given: Any) -> Subscription:
    """A yearly contract of 120 EUR, 10 a month, that renews in so many days; `facts` and `owner` are the customer's."""
    facts, owner = given.pop("facts", {}), given.pop("owner", None)
    who = given.pop("of", None) or customer(name, owner=owner, facts=facts)
    terms: dict[str, Any] = {"amount": 120, "interval": "year", "external_id": f"s-{name}"} | given
    return subscription(who, NOW - 300 * DAY, renews_at=NOW + days * DAY, **terms)


def page(client: Client, query: str = "whose=everyones", url: str = "/today/renewals/") -> str:
    response = client.get(f"{url}?{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def found(**asked: Any) -> dict[str, Renewal]:
    rows = renewals(Span(clock.now(), Workspace.current().zone), **asked)
    return {term.subscription.external_id: Renewal(term) for term in rows.select_related("subscription__forecast")}


def say(client: Client, row: Subscription, forecast: str, note: str = "", opened: str = "", **more: Any) -> Any:
    fresh = Subscription.objects.get(pk=row.pk)
    sent = {"forecast": forecast, "note": note, "opened": opened or mark(fresh), "query": "whose=everyones"}
    return client.post(f"/today/renewals/{row.pk}/", sent, **more)


def test_it_works(signed_in: SignIn, anna: User) -> None:
    row = contract("bakery", owner=anna)
    client = signed_in("account_manager")
    text = page(client, "")
    assert "December 2026" in text
    assert "Suggested: nothing speaks against it" in text
    done = say(client, row, "at_risk", "A cheaper offer is in.", follow=True)
    assert "Bakery: at risk." in done.content.decode()
    assert "Anna: A cheaper offer is in." in unescape(done.content.decode())
    told = Event.objects.get(kind="renewal.forecast")
    assert told.payload["said"] == "at risk"
    assert "Anna forecast the renewal of Basic on 20 Dec 2026: at risk" in page(
        client, "", f"/customers/{row.customer_id}/"
    )
    assert "A cheaper offer is in." in page(client, "", f"/today/renewals/{row.pk}/")
    say(client, row, "")
    assert not RenewalForecast.objects.exists()
    assert found()["s-bakery"].forecast == "likely"


def test_until_somebody_says_something_the_first_rule_that_applies_does() -> None:
    calm: dict[str, Any] = {"stage": Stage.LOYAL}
    contract("ended", days=-5, auto_renews=False)
    contract("bound", days=20, notice_days=30, facts={"stage": Stage.AT_RISK})
    contract("quiet", facts={"stage": Stage.AT_RISK})
    contract("poorly", facts=calm | {"health": 20, "health_band": "poor"})
    contract("detractor", facts=calm | {"nps_score": 6, "nps_at": NOW - 300 * DAY})
    contract("rated", facts=calm | {"csat_score": 2, "csat_at": NOW - DAY})
    contract("asking", facts=calm | {"open_cases": 3})
    contract("loyal", facts=calm | {"nps_score": 6, "nps_at": NOW - 366 * DAY})
    contract("promoter", facts={"nps_score": 9, "nps_at": NOW - DAY})
    contract("loyal but ends", auto_renews=False, facts=calm)
    expected = [
        "ended",
        "bound",
        "quiet",
        "poorly",
        "detractor",
        "rated",
        "asking",
        "loyal",
        "promoter",
        "loyal but ends",
    ]
    rows = found()
    assert [RULES.index(next(rule for rule in RULES if rule.when == rows[f"s-{name}"].why)) for name in expected] == [
        *range(len(RULES))
    ]
    assert {rows[f"s-{name}"].forecast for name in ("quiet", "detractor", "rated", "asking")} == {"at_risk"}


def test_months_are_the_workspaces_and_what_nobody_calls_about_is_left_out() -> None:
    Workspace.objects.update(time_zone="Pacific/Auckland")
    contract("first of december there", days=20.5)  # 1 December, 13:00 in Auckland
    contract("monthly", interval="month")
    contract("monthly that ends", interval="month", auto_renews=False)
    contract("too late", days=200)
    contract("ended long ago", days=-61, auto_renews=False)
    contract("renewing by itself just now", days=-0.001)
    over = contract("over", days=-3, auto_renews=False)
    over.terms.update(valid_to=over.renews_at)
    leaving = contract("leaving", days=50)
    cancel(leaving.pk, NOW + 50 * DAY, "Closed down", leaving.updated_at)
    rows = found()
    assert {name.removeprefix("s-"): row.term.month for name, row in rows.items()} == {  # type: ignore[attr-defined]
        "first of december there": datetime(2026, 12, 1).date(),  # noqa: DTZ001
        "monthly that ends": datetime(2026, 12, 1).date(),  # noqa: DTZ001
        "over": None,
        "leaving": datetime(2026, 12, 1).date(),  # noqa: DTZ001
    }
    assert rows["s-leaving"].forecast == "cancelled"
    assert "s-monthly" in found(short=True)


def test_every_sum_opens_to_just_what_it_counts_and_no_currencies_are_added_up(signed_in: SignIn) -> None:
    for number in range(4):
        contract(f"c{number}", days=30 * number % 150 + 1, facts={"stage": Stage.AT_RISK} if number % 2 else {})
    contract("dollars", currency="USD", amount=1200)
    client = signed_in("analyst")
    for by in ("forecast", "stage"):
        text = page(client, f"whose=everyones&by={by}")
        assert "40.00 EUR" in text
        assert "140.00" not in text
        sums = re.findall(r'class="num" href="(/today/renewals/list/\?[^"]+)">([\d,.]+) (EUR|USD)</a>', text)
        assert len(sums) > 10
        for url, worth, currency in sums:
            listed = client.get(unescape(url)).content.decode()
            shown = re.findall(rf'data-label="MRR"><a href="[^"]+">([\d,.]+) {currency}</a>', listed)
            assert sum(map(Decimal, shown)) == Decimal(worth), url


def test_what_was_said_is_about_this_renewal(signed_in: SignIn) -> None:
    row = contract("bakery")
    say(signed_in("account_manager"), row, "committed")
    assert found()["s-bakery"].forecast == Forecast.COMMITTED
    renew(row.pk, NOW + 100 * DAY, row.updated_at)
    assert found()["s-bakery"].forecast == Forecast.LIKELY
    assert RenewalForecast.objects.get().forecast == Forecast.COMMITTED


def test_two_people_at_one_renewal(signed_in: SignIn) -> None:
    row = contract("bakery")
    opened, client = mark(row), signed_in("account_manager")
    say(signed_in("administrator"), row, "committed", "Signed.")
    second = say(client, row, "at_risk", "They told me otherwise.", opened)
    text = second.content.decode()
    assert second.status_code == 409
    assert "Signed." in text
    assert "They told me otherwise." in text
    assert RenewalForecast.objects.get().forecast == "committed"
    again = re.findall(r'name="opened" value="([^"]+)"', text)[0]
    say(client, row, "at_risk", "They told me otherwise.", again)
    assert RenewalForecast.objects.get().note == "They told me otherwise."
    part = say(client, row, "likely", "", opened, headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Retarget"]) == (200, f"#renewal-{row.pk}")


def test_of_a_cancelled_contract_nothing_is_expected(signed_in: SignIn) -> None:
    row = contract("bakery")
    opened = mark(row)
    cancel(row.pk, NOW + 40 * DAY, "Closed down", row.updated_at)
    assert say(signed_in("account_manager"), row, "likely", opened=opened).status_code == 404
    assert "Closed down" in page(signed_in("analyst"))


def test_whose_and_which(signed_in: SignIn, anna: User) -> None:
    team, segment = TeamRow.objects.create(name="North"), Segment.objects.create(name="Few", rule={"all": []})
    mine, theirs = contract("mine", owner=anna), contract("theirs")
    Customer.objects.filter(pk=theirs.customer_id).update(team=team)
    SegmentMembership.objects.create(segment=segment, customer_id=theirs.customer_id, entered_at=NOW)
    client = signed_in("account_manager")
    shown = {
        query: re.findall(r'id="renewal-(\d+)"', page(client, query))
        for query in ("", "whose=everyones", "whose=nobodys", f"whose=team-{team.pk}", f"whose=person-{anna.pk}")
    }
    one, other = [str(mine.pk)], [str(theirs.pk)]
    assert [sorted(ids) for ids in shown.values()] == [one, one + other, other, other, one]
    assert re.findall(r'id="renewal-(\d+)"', page(client, f"whose=everyones&segment={segment.pk}")) == other
    assert page(client, "whose=team-x&by=x&month=2026-99&forecast=x&segment=x")  # what makes no sense is passed over


def test_the_file_is_what_is_shown(signed_in: SignIn) -> None:
    row = contract("bakery", of=customer("=bakery", name="=Bakery"))
    contract("later", days=100)
    say(signed_in("account_manager"), row, "committed", "+1")
    sent = signed_in("analyst").get("/today/renewals/list/?whose=everyones&forecast=committed&format=csv")
    lines = b"".join(sent.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert lines[1].startswith("2026-12-20T12:00:00+00:00,,'=bakery,'=Bakery,")
    assert "10.00,EUR,yes,Committed,account_manager@example.test,'+1,Likely," in lines[1]


def test_who_may_only_read_is_refused(signed_in: SignIn) -> None:
    row = contract("bakery")
    for role in ("analyst", "marketer"):
        assert say(signed_in(role), row, "likely").status_code == 403
        assert "Forecast the renewal" not in page(signed_in(role))
    assert not RenewalForecast.objects.exists()


def test_a_fixed_number_of_queries(signed_in: SignIn, anna: User) -> None:
    client = signed_in("account_manager")
    counts = []
    for number in (2, 12):
        for each in range(number):
            contract(f"{number} {each}", days=each * 5, owner=anna)
        with CaptureQueriesContext(connection) as queries:
            page(client)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert_query_count("renewals", client, "/today/renewals/")
    assert_query_count("renewals list", client, "/today/renewals/list/?whose=everyones")


def test_the_page_prints_the_rules() -> None:
    printed = (settings.BASE_DIR / "docs" / "renewals.md").read_text()
    assert "\n".join(f"| {LABELS[rule.forecast]} | {rule.when} |" for rule in RULES) in printed


def test_notice_is_counted_in_days_though_the_clocks_change_in_between() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    renewal, last_day = datetime(2027, 4, 15, tzinfo=berlin), datetime(2027, 3, 16, tzinfo=berlin)
    contract("bakery", days=(renewal - NOW) / DAY, notice_days=30)
    (row,) = renewals(Span(NOW, berlin))
    assert (row.due_at, row.notice_at) == (renewal, last_day)
    assert find("renewal", row.customer_id, Moment(last_day - 20 * DAY, berlin)).at == last_day
