"""What the filters and forms offer to choose from."""

from django.db import connection

from customers.models import Playbook, Segment, Team
from customers.work.forms import workers

# A distinct over an index, a look-up per country: a plain DISTINCT reads every customer.
_COUNTRIES = """
    WITH RECURSIVE step AS (
        (SELECT country FROM customers_customer WHERE country > '' ORDER BY country LIMIT 1)
        UNION ALL
        SELECT (SELECT country FROM customers_customer WHERE country > step.country ORDER BY country LIMIT 1)
        FROM step WHERE step.country IS NOT NULL
    )
    SELECT country FROM step WHERE country IS NOT NULL LIMIT 300
"""


def countries() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTRIES)
        return [country for (country,) in cursor.fetchall()]


def owners() -> dict[int, str]:
    """Everybody who can own customers, by id."""
    return {person.pk: str(person) for person in workers()}


def teams() -> dict[int, str]:
    return dict(Team.objects.values_list("pk", "name"))


def segments() -> dict[int, str]:
    return dict(Segment.objects.values_list("pk", "name"))


def playbooks() -> dict[int, str]:
    """Those that have something to do."""
    return dict(Playbook.objects.filter(steps__position=1).values_list("pk", "name"))
