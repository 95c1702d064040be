"""The list of all cases: who waits for an answer, first; found, narrowed down, taken along as a file."""

import csv
import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client

from customers.cases.listing import asked_by
from customers.models import Case, Customer
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.customers.known import customer

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def cases() -> dict[str, Case]:
    """One of each: waiting long, waiting and urgent, waiting a little, answered, resolved."""
    anna = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    ada, bob = customer("ada", name="Ada", owner=anna), customer("bob", name="=Bob")
    now = clock.now()
    given = [
        ("Old", ada, "normal", "open", 200, None),
        ("Urgent", ada, "urgent", "open", 5, None),
        ("Fresh", bob, "low", "open", 1, None),
        ("Answered", bob, "high", "answered", 90, anna),
        ("Resolved", bob, "normal", "resolved", 300, None),
    ]
    return {
        subject: Case.objects.create(
            external_id=f"C-{subject}",
            subject=subject,
            customer=who,
            priority=priority,
            state=state,
            opened_at=now - timedelta(hours=hours),
            answered_at=None if state == "open" else now,
            resolved_at=now if state == "resolved" else None,
            assignee=assignee,
        )
        for subject, who, priority, state, hours, assignee in given
    }


def listed(client: Client, query: str = "") -> list[str]:
    return subjects(client.get(f"/cases/{query}").content.decode())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("sort=due", "case_listed"),
        ("state=open&sort=-due", "case_listed"),
        ("sort=opened", "case_unresolved_listed"),
        ("state=open&sort=opened", "case_unresolved_listed"),
    ],
)
def test_what_waits_is_read_in_order_without_passing_by_what_is_resolved(query: str, index: str) -> None:
    who, now = customer("ada"), clock.now()
    resolved = {"state": "resolved", "answered_at": now, "resolved_at": now}
    Case.objects.bulk_create(
        Case(external_id=f"C{n}", customer=who, opened_at=now - timedelta(hours=n), **(resolved if n % 9 else {}))
        for n in range(400)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_case; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    plan = asked_by(User(), QueryDict(query)).found(Case.objects.all()).values("pk")[:25].explain()
    assert f"using {index} " in plan.replace("Backward ", "")
    assert "Filter: ((state)" not in plan
    assert "Sort" not in plan


def rows_of(client: Client, query: str) -> list[list[str]]:
    """The list's file, its header first."""
    text = b"".join(client.get(f"/cases/{query}")).decode("utf-8-sig")
    return list(csv.reader(text.splitlines()))


def subjects(page: str) -> list[str]:
    return re.findall(r'class="fw-medium" href="/cases/\d+/">(\w+)<', page)


def test_it_works(signed_in: SignIn, cases: dict[str, Case]) -> None:
    client = signed_in("analyst")
    assert listed(client) == ["Old", "Urgent", "Fresh", "Answered"]
    page = client.get("/cases/").content.decode()
    assert "4 cases" in page
    assert page.count("Late:") == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=open", ["Old", "Urgent", "Fresh"]),
        ("?state=resolved", ["Resolved"]),
        ("?state=all&q=ada", ["Old", "Urgent"]),
        ("?state=all&q=C-Resolved", ["Resolved"]),
        ("?priority=urgent", ["Urgent"]),
        ("?person=nobody", ["Fresh"]),
        ("?sort=priority", ["Urgent", "Answered", "Old", "Fresh"]),
        ("?sort=-opened", ["Fresh", "Urgent", "Answered", "Old"]),
        ("?q=nothing", []),
        ("?q=urg", ["Urgent"]),
        ("?q=bób&state=open", ["Fresh"]),
        ("?state=x&priority=x&person=x&sort=x", ["Old", "Urgent", "Fresh", "Answered"]),
    ],
)
def test_it_is_narrowed_down_and_put_in_order(
    signed_in: SignIn, cases: dict[str, Case], query: str, found: list[str]
) -> None:
    assert listed(signed_in("analyst"), query) == found


def test_mine_are_my_customers_and_those_i_look_after(signed_in: SignIn, cases: dict[str, Case]) -> None:
    client = signed_in("account_manager")
    assert listed(client, "?person=me") == ["Old", "Urgent", "Answered"]
    page = client.get("/cases/?person=me&priority=urgent").content.decode()
    assert 'href="?person=me"' in page  # the chip that takes the other filter away
    assert "Mine" in page


def test_the_file_has_what_the_list_shows(signed_in: SignIn, cases: dict[str, Case]) -> None:
    header, row = rows_of(signed_in("analyst"), "?state=answered&format=csv")
    assert header[:4] == ["Reference", "Case", "Customer", "State"]
    assert row[:5] == ["C-Answered", "Answered", "'=Bob", "Answered", "High"]
    assert [row[-1] for row in rows_of(signed_in("analyst"), "?format=csv")[1:]] == ["Anna", "Anna", "", "Anna"]


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, cases: dict[str, Case]) -> None:
    client = signed_in("analyst")
    assert_query_count("cases", client, "/cases/")
    other = Customer.objects.create(external_id="other", owner=User.objects.create_user("ben@example.test"))
    for number in range(60):
        Case.objects.create(external_id=f"M{number}", subject=f"More{number}", customer=other, opened_at=clock.now())
    assert_query_count("cases", client, "/cases/")
    assert len(listed(client, "?size=25")) == 25


@pytest.mark.parametrize("sort", ["due", "-due", "priority", "-priority", "customer", "-opened"])
def test_pages_go_on_after_the_last_row_and_back(signed_in: SignIn, cases: dict[str, Case], sort: str) -> None:
    """Every case once, in the order of the file, whatever is level; a case that goes meanwhile moves no other."""
    now, people = clock.now(), [one.customer for one in cases.values()]
    Case.objects.bulk_create(
        Case(
            external_id=f"M{n}",
            subject=f"More{n}",
            customer=people[n % 3],
            opened_at=now - (n % 5) * timedelta(hours=1),
            priority=Case.Priority.values[n % 4],
        )
        for n in range(60)
    )
    client = signed_in("analyst")
    right = [row[1] for row in rows_of(client, f"?state=all&sort={sort}&format=csv")[1:]]
    seen, url = [], f"?state=all&sort={sort}&size=25"
    while url:
        page = client.get(f"/cases/{url}").content.decode()
        shown = subjects(page)
        seen.append(shown)
        url = html.unescape(found[1]) if (found := re.search(r'rel="next" href="([^"]+)"', page)) else ""
    assert [subject for shown in seen for subject in shown] == right
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back
    assert subjects(client.get(f"/cases/{html.unescape(back[1])}").content.decode()) == seen[-2]
    for mark in ("x", "W10", "WzFd"):
        assert listed(client, f"?state=all&sort={sort}&size=25&after={mark}") == seen[0]


def test_the_second_of_two_editors_is_told(signed_in: SignIn, cases: dict[str, Case]) -> None:
    client, case = signed_in("account_manager"), cases["Old"]
    opened = re.search(r'name="opened" value="([^"]+)"', client.get(f"/cases/{case.pk}/edit/").content.decode())
    assert opened
    said = {"subject": "Theirs", "priority": "high", "opened": opened[1]}
    client.post(f"/cases/{case.pk}/edit/", said)
    second = client.post(f"/cases/{case.pk}/edit/", said | {"subject": "Mine"})
    assert second.status_code == 422
    page = second.content.decode()
    assert "Somebody else saved this" in page
    assert 'value="Mine"' in page
    case.refresh_from_db()
    assert case.subject == "Theirs"
    again = re.search(r'name="opened" value="([^"]+)"', page)
    assert again
    client.post(f"/cases/{case.pk}/edit/", said | {"subject": "Mine", "opened": again[1]})
    case.refresh_from_db()
    assert case.subject == "Mine"
