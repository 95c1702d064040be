"""What the filters and forms offer to choose from."""

from dataclasses import dataclass, field

from django.db import connection

from customers.work.forms import WORKERS

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
# Playbooks that have something to do, and people to whom customers can be given.
_OFFERED = f"""
    SELECT 'owners', id, COALESCE(NULLIF(btrim(first_name || ' ' || last_name), ''), email),
           ARRAY[first_name, last_name, email] AS place
    FROM workspace_user WHERE is_active AND role = ANY(%s)
    UNION ALL SELECT 'teams', id, name, ARRAY[name] FROM customers_team
    UNION ALL SELECT 'segments', id, name, ARRAY[name] FROM customers_segment
    UNION ALL SELECT 'playbooks', id, name, ARRAY[name] FROM customers_playbook p
              WHERE EXISTS (SELECT FROM customers_playbookstep s WHERE s.playbook_id = p.id AND s.position = 1)
    UNION ALL SELECT 'countries', NULL, country, ARRAY[country] FROM ({_COUNTRIES}) c
    ORDER BY place
"""  # noqa: S608 - constants of this module


@dataclass(frozen=True)
class Offered:
    """What the list can be narrowed to and its customers be given: names by id, in their order."""

    owners: dict[int, str] = field(default_factory=dict)
    teams: dict[int, str] = field(default_factory=dict)
    segments: dict[int, str] = field(default_factory=dict)
    playbooks: dict[int, str] = field(default_factory=dict)
    countries: list[str] = field(default_factory=list)


def offered() -> Offered:
    """Everything at once, by one query."""
    found = Offered()
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, [[str(role) for role in WORKERS]])
        for what, pk, name, _ in cursor.fetchall():
            if what == "countries":
                found.countries.append(name)
            else:
                getattr(found, what)[pk] = name
    return found


def countries() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTRIES)
        return [country for (country,) in cursor.fetchall()]
