"""What has been given so far, read to be shown or locked to be added to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from django.db import connection
from django.db.models import Q

from loyalty.models import Budget


@dataclass(frozen=True)
class Period:
    """The calendar month of the workspace's zone in which something is spent, by its first day, and the currency."""

    month: date
    currency: str

    @classmethod
    def at(cls, instant: datetime, zone: tzinfo, currency: str) -> "Period":
        return cls(instant.astimezone(zone).date().replace(day=1), currency)

    @property
    def year(self) -> date:
        return self.month.replace(month=1)


@dataclass(frozen=True)
class Spent:
    """On the customer in the calendar year, and by the person in the calendar month."""

    customer_year: Decimal
    person_month: Decimal


_OPEN = """
    INSERT INTO loyalty_budget (customer_id, person_id, begins, currency)
    VALUES (%(customer)s, NULL, %(year)s, %(currency)s), (NULL, %(person)s, %(month)s, %(currency)s)
    ON CONFLICT DO NOTHING
"""


def read(customer_id: int, person_id: int, period: Period) -> Spent:
    """As it stands now; the next grant may change it."""
    rows = Budget.objects.filter(_both(customer_id, person_id, period)).order_by("person_id")
    return _spent(rows)


def lock(customer_id: int, person_id: int, period: Period) -> Spent:
    """As it stands until the transaction ends: other grants for this customer or by this person wait.

    Always the customer's first, then the person's, as the database does it itself: no two can wait for each other.
    """
    values: dict[str, int | str | date] = {"customer": customer_id, "person": person_id, "currency": period.currency}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, values | {"year": period.year, "month": period.month})
    locked = Budget.objects.select_for_update()
    return _spent(locked.get(of) for of in (_of_customer(customer_id, period), _of_person(person_id, period)))


def _both(customer_id: int, person_id: int, period: Period) -> Q:
    return _of_customer(customer_id, period) | _of_person(person_id, period)


def _of_customer(customer_id: int, period: Period) -> Q:
    return Q(customer=customer_id, begins=period.year, currency=period.currency)


def _of_person(person_id: int, period: Period) -> Q:
    return Q(person=person_id, begins=period.month, currency=period.currency)


def _spent(rows: Iterable[Budget]) -> Spent:
    found = {row.person_id is None: row.spent for row in rows}
    return Spent(found.get(True, Decimal(0)), found.get(False, Decimal(0)))
