"""What tests of Today look at and do: the list as it is ranked, a task, a button of a line."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client

from customers.models import Case, Customer, Task
from customers.work.attention import needs
from customers.work.moments import Moment
from customers.work.tasks import open_task
from retention.common import clock
from retention.workspace.models import User

SignIn = Callable[[str], Client]
ZONE = ZoneInfo("UTC")  # as the workspace has it


def ranked(user: User, whose: str = "mine") -> list[tuple[int, str, str]]:
    page = needs(whose, Moment(clock.now(), ZONE, user.pk), "EUR", size=100)
    assert page.total == len(page.needs)
    return [(need.band, need.name, need.key.partition(":")[0]) for need in page.needs]


def task(customer: Customer, days: float, origin: str = "", to: User | None = None) -> Task:
    due_at = clock.now() + timedelta(days=days)
    return open_task(customer.pk, f"Call {customer.name}", "Why", due_at, to.pk if to else None, origin)


def act(client: Client, need: str, act: str, **more: str) -> str:
    sent = {"need": need, "act": act, "whose": "mine", "page": "1"} | more
    return client.post("/today/act/", sent, follow=True).content.decode()


def case(customer: Customer, hours: float, priority: str = "normal", **more: Any) -> Case:
    opened_at = clock.now() - timedelta(hours=hours)
    number = Case.objects.count()
    return Case.objects.create(
        customer=customer,
        external_id=f"C-{number}",
        subject=f"S{number}",
        priority=priority,
        opened_at=opened_at,
        **more,
    )
