"""Cases by hand: opened, answered, resolved, rated; told as events; facts follow."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client

from customers.cases import handling
from customers.models import Case, CustomerFacts, Event, Health
from retention.workspace.models import User
from tests.baseline import assert_query_count
from tests.customers.known import customer
from tests.customers.router import route

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def kinds() -> list[str]:
    return list(Event.objects.filter(kind__startswith="case.").order_by("pk").values_list("kind", flat=True))


def test_it_works(signed_in: SignIn) -> None:
    ada = customer("ada", name="Ada Lovelace")
    client = signed_in("account_manager")
    client.post(f"/customers/{ada.pk}/cases/new/", {"subject": "The <b>grinder</b> is loud", "priority": "high"})
    case = Case.objects.get()
    assert (case.customer_id, case.priority, case.state) == (ada.pk, "high", "open")
    for act in ("answer", "resolve"):
        client.post(f"/cases/{case.pk}/act/", {"act": act})
    client.post(f"/cases/{case.pk}/act/", {"act": "rate", "rating": "2"})
    case.refresh_from_db()
    assert (case.state, case.rating, case.answered_at is None) == ("resolved", 2, False)
    route()
    facts = CustomerFacts.objects.get()
    assert (facts.open_cases, facts.csat_score) == (0, 2)
    assert kinds() == ["case.opened", "case.answered", "case.resolved", "case.rated"]
    page = client.get(f"/customers/{ada.pk}/cases/").content.decode()
    assert "The &lt;b&gt;grinder&lt;/b&gt; is loud" in page
    assert "rated 2 of 5" in page
    timeline = client.get(f"/customers/{ada.pk}/?show=Cases").content.decode()
    assert "with 2 out of 5" in timeline


def test_a_case_is_opened_from_the_list(signed_in: SignIn) -> None:
    """Of whoever is chosen; its page says until when it is to be answered."""
    ada = customer("ada", name="Ada Lovelace")
    client, url = signed_in("account_manager"), "/cases/new/"
    assert f'href="{url}"' in client.get("/cases/").content.decode()
    refused = client.post(url, {"customer": "Nobody", "subject": "Late", "priority": "high"})
    assert refused.status_code == 422
    assert 'value="Late"' in refused.content.decode()
    client.post(url, {"customer": "Ada Lovelace", "subject": "Late", "priority": "high"})
    case = Case.objects.get()
    assert case.customer == ada
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert "Waiting for an answer" in page
    assert "Late:" not in page
    Case.objects.update(opened_at=case.opened_at - timedelta(days=2))
    assert "Late:" in client.get(f"/cases/{case.pk}/").content.decode()
    assert signed_in("analyst").get(url).status_code == 403


def test_opened_again_it_counts_again(signed_in: SignIn) -> None:
    ada = customer("ada")
    case = handling.open_case(ada, "Help", "normal", None)
    handling.resolve(case.pk)
    handling.reopen(case.pk)
    route()
    assert CustomerFacts.objects.get().open_cases == 1


def test_what_cannot_be_done_is_refused_and_said(signed_in: SignIn) -> None:
    case = handling.open_case(customer("ada"), "Help", "normal", None)
    with pytest.raises(handling.Refused):
        handling.rate(case.pk, 5)
    with pytest.raises(handling.Refused):
        handling.reopen(case.pk)
    handling.resolve(case.pk)
    client = signed_in("account_manager")
    page = client.post(f"/cases/{case.pk}/act/", {"act": "resolve"}, follow=True).content.decode()
    assert "It is resolved already." in page
    assert client.post(f"/cases/{case.pk}/act/", {"act": "rate", "rating": "6"}).status_code == 400
    assert kinds() == ["case.opened", "case.resolved"]


@pytest.mark.parametrize(
    "wrong", [{"rating": 6, "rated_at": "2026-01-01T00:00Z"}, {"rating": 3}, {"state": "resolved"}]
)
def test_the_database_refuses_what_makes_no_sense(wrong: dict[str, object]) -> None:
    handling.open_case(customer("ada"), "Help", "normal", None)
    with pytest.raises(IntegrityError):
        Case.objects.update(**wrong)


def test_who_may_only_read_changes_nothing(signed_in: SignIn) -> None:
    case = handling.open_case(customer("ada"), "Help", "normal", None)
    analyst = signed_in("analyst")
    assert analyst.get(f"/cases/{case.pk}/").status_code == 200
    assert analyst.post(f"/cases/{case.pk}/act/", {"act": "resolve"}).status_code == 403
    assert analyst.get(f"/cases/{case.pk}/edit/").status_code == 403
    assert "Mark as answered" not in analyst.get(f"/cases/{case.pk}/").content.decode()


def test_changing_words_and_priority(signed_in: SignIn) -> None:
    case = handling.open_case(customer("ada"), "Help", "normal", None)
    client = signed_in("account_manager")
    assert client.post(f"/cases/{case.pk}/edit/", {"subject": "", "priority": "low"}).status_code == 422
    client.post(f"/cases/{case.pk}/edit/", {"subject": "Help soon", "priority": "urgent"})
    case.refresh_from_db()
    assert (case.subject, case.priority) == ("Help soon", "urgent")


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    ada, client = customer("ada"), signed_in("account_manager")
    for size in (1, 7):
        cases = [handling.open_case(ada, "Help", "normal", None) for _ in range(size)]
        assert_query_count("cases of a customer", client, f"/customers/{ada.pk}/cases/")
        assert_query_count("case", client, f"/cases/{cases[0].pk}/")


def test_another_priority_weighs_on_their_health() -> None:
    ada = customer("ada")
    case = handling.open_case(ada, "Help", "low", None)
    route()
    assert Health.objects.get().parts["cases"][0] == 0.5
    handling.change(case.pk, "Help", "urgent", None)
    route()
    assert Health.objects.get().parts["cases"][0] == 3


def test_whoever_has_left_keeps_it_until_somebody_else_is_chosen(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    gone = User.objects.create_user("gone@example.test", role="account_manager", is_active=False)
    case = handling.open_case(customer("ada"), "Help", "normal", gone.pk)
    page = client.get(f"/cases/{case.pk}/edit/").content.decode()
    assert f'<option value="{gone.pk}" selected>' in page
    client.post(f"/cases/{case.pk}/edit/", {"subject": "Help soon", "priority": "normal", "assignee": gone.pk})
    case.refresh_from_db()
    assert (case.subject, case.assignee) == ("Help soon", gone)
