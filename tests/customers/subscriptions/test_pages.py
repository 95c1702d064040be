"""Agreeing on a subscription in the browser: the form, what it will do, the deed; for those who may."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from customers.models import Customer, Subscription, SubscriptionTerm
from retention.workspace.models import Workspace
from tests.baseline import assert_query_count
from tests.customers.known import customer
from tests.customers.subscribing import subscription, term

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
SignIn = Callable[[str], Client]
NEW = {
    "plan": "Team",
    "quantity": "5",
    "amount": "100",
    "currency": "eur",
    "interval_count": "1",
    "interval": "month",
    "day": "2026-05-01",
    "renews_on": "2027-05-01",
    "auto_renews": "on",
    "notice_days": "60",
}


@pytest.fixture(autouse=True)
def _today(db: None) -> Iterator[None]:
    Workspace.objects.update(time_zone="Europe/Berlin")
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ada() -> Customer:
    return customer("ada", name="Ada Lovelace")


def words(response: object) -> str:
    text = re.sub(r"<(script|style).*?</\1>", "", response.content.decode(), flags=re.DOTALL)  # type: ignore[attr-defined]
    return " ".join(re.sub("<[^>]+>", " ", text).split())


def test_it_works(signed_in: SignIn, ada: Customer) -> None:
    client = signed_in("account_manager")
    address = f"/customers/{ada.pk}/subscriptions/new/"
    seen = client.post(address, NEW)
    assert "MRR today: 100.00 EUR instead of nothing." in words(seen)
    assert "It renews by itself on 1 May 2027." in words(seen)
    assert not Subscription.objects.exists(), "looking changes nothing"
    done = client.post(address, NEW | {"confirmed": "1"})
    row = Subscription.objects.get()
    assert done.headers["Location"] == f"/subscriptions/{row.pk}/"
    standing = row.terms.get()
    assert (standing.mrr, standing.currency, row.notice_days) == (100, "EUR", 60)
    assert standing.valid_from == datetime(2026, 4, 30, 22, tzinfo=UTC), "the day begins in the workspace's zone"
    page = words(client.get(f"/subscriptions/{row.pk}/"))
    assert "In force" in page
    assert "100.00 EUR a month" in page


def test_a_cancellation_says_what_it_will_do(signed_in: SignIn, ada: Customer) -> None:
    row = subscription(ada, NOW - timedelta(days=99), renews_at=NOW + timedelta(days=20), amount=80)
    client = signed_in("account_manager")
    asked = {"day": "2026-06-01", "reason": "Too expensive", "opened": row.updated_at.isoformat()}
    seen = words(client.post(f"/subscriptions/{row.pk}/cancel/", asked))
    for sentence in (
        "MRR today: 80.00 EUR, as now.",
        "MRR from 1 Jun 2026 on: nothing.",
        "It does not renew on 4 Jun 2026 any more.",
    ):
        assert sentence in seen
    client.post(f"/subscriptions/{row.pk}/cancel/", asked | {"confirmed": "1"})
    assert row.terms.get().valid_to == datetime(2026, 5, 31, 22, tzinfo=UTC)
    assert "Too expensive" in words(client.get(f"/customers/{ada.pk}/subscriptions/"))
    stands = Subscription.objects.get()
    again = {"day": "2026-05-15", "opened": stands.updated_at.isoformat()}
    seen = words(client.post(f"/subscriptions/{row.pk}/resume/", again))
    assert "MRR today: 80.00 EUR, as now. It does not end on 1 Jun 2026 any more." in " ".join(seen.split())
    client.post(f"/subscriptions/{row.pk}/resume/", again | {"confirmed": "1"})
    assert row.terms.get().valid_to is None


def test_errors_stand_beside_their_field_and_keep_what_was_typed(signed_in: SignIn, ada: Customer) -> None:
    client = signed_in("account_manager")
    wrong = NEW | {"amount": "-1", "currency": "Euro", "renews_on": "2026-04-01", "plan": "Team <b>"}
    response = client.post(f"/customers/{ada.pk}/subscriptions/new/", wrong)
    assert response.status_code == 422
    assert {"amount", "currency", "renews_on"} <= response.context["form"].errors.keys()
    assert "Team &lt;b&gt;" in response.content.decode()
    row = subscription(ada, NOW - timedelta(days=9))
    late = NEW | {"day": "2026-01-01", "opened": row.updated_at.isoformat(), "renews_on": ""}
    response = client.post(f"/subscriptions/{row.pk}/change/", late)
    assert "hold since 6 May 2026" in words(response)


def test_the_second_editor_is_told_and_loses_nothing(signed_in: SignIn, ada: Customer) -> None:
    row = subscription(ada, NOW - timedelta(days=9))
    mine = NEW | {"plan": "Mine", "day": "2026-05-15", "opened": row.updated_at.isoformat(), "confirmed": "1"}
    Subscription.objects.update(updated_at=NOW + timedelta(minutes=1))
    client = signed_in("account_manager")
    response = client.post(f"/subscriptions/{row.pk}/change/", mine)
    assert response.status_code == 409
    assert "Somebody else saved this subscription" in words(response)
    assert "It is Basic × 1 now, with an MRR of 10.00 EUR" in words(response)
    assert 'value="Mine"' in response.content.decode()
    assert SubscriptionTerm.objects.count() == 1
    again = mine | {"opened": Subscription.objects.get().updated_at.isoformat()}
    assert client.post(f"/subscriptions/{row.pk}/change/", again).status_code == 302
    assert SubscriptionTerm.objects.get(valid_to=None).plan == "Mine"


def test_a_change_starts_from_what_stands(signed_in: SignIn, ada: Customer) -> None:
    row = subscription(ada, NOW - timedelta(days=9), plan="House", amount=Decimal("12.50"), discount=10)
    form = signed_in("account_manager").get(f"/subscriptions/{row.pk}/change/").context["form"]
    assert (form["plan"].value(), form["amount"].value(), form["discount"].value()) == ("House", "12.5", "10")


@pytest.mark.parametrize("what", ["change", "renew", "cancel", "resume"])
def test_who_may_only_read_is_refused(signed_in: SignIn, ada: Customer, what: str) -> None:
    row = subscription(ada, NOW)
    analyst = signed_in("analyst")
    assert analyst.get(f"/subscriptions/{row.pk}/{what}/").status_code == 403
    assert analyst.post(f"/subscriptions/{row.pk}/{what}/", {"confirmed": "1"}).status_code == 403
    assert analyst.get(f"/customers/{ada.pk}/subscriptions/new/").status_code == 403
    assert "Change" not in words(analyst.get(f"/subscriptions/{row.pk}/"))


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, ada: Customer) -> None:
    client = signed_in("account_manager")
    for size in (1, 9):
        for _ in range(size):
            row = subscription(ada, NOW - timedelta(days=99), NOW - timedelta(days=50))
            term(row, NOW - timedelta(days=50))
        assert_query_count("subscriptions of a customer", client, f"/customers/{ada.pk}/subscriptions/")
        assert_query_count("subscription", client, f"/subscriptions/{row.pk}/")
