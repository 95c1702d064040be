"""`python -m bench.population CUSTOMERS`: fill the empty database that the settings name with a company of that size.

    DATA_DIR=/tmp/million DEMO=0 python -m bench.population 1000000

About ten events for each customer, and what a company has beside them: population.sql says in which shares. The rows
are the same each time, but for the instants, which count back from now. Facts, stages, health, movements and
memberships are not made up: the product works them out, as of two weeks ago for those whom somebody looks after, so
that some of them have changed, and then as of now for everybody.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
    django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from customers.custom import definitions
from customers.custom.definitions import Draft
from customers.facts import circumstances, folding, stages
from customers.health import scoring
from customers.models import Customer, CustomField, Event, Segment
from customers.segments import membership
from customers.segments.ready_made import BY_STAGE, FOR_THE_MOMENT
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role

ROWS = Path(__file__).with_suffix(".sql")
MANAGERS = 20
AT_A_TIME = 20_000
BEFORE = timedelta(days=14)
#: Their indexes are built once the rows are there.
LARGE = ("customer", "contact", "order", "orderline", "interaction", "event")

_INTO = re.compile(r"^INSERT INTO customers_(\w+)", re.MULTILINE)

# What is built late: all but primary keys, and what other tables refer to.
_INDEXES = """
    SELECT 'DROP INDEX ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid), c.conname,
           i.indrelid::regclass::text, pg_get_constraintdef(c.oid)
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
    WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary
    ORDER BY i.indexrelid
"""


def fill(customers: int) -> None:
    """Fill the connection's empty database, and have its planner know it. Raises as `populate` does."""
    populate(customers)
    _run("VACUUM ANALYZE")
    _run("RESET ALL")


def fill_only(tables: Sequence[str], customers: int) -> None:
    """The rows of some tables, for those who read nothing else: nothing is worked out. Raises as `populate` does."""
    _begin()
    with transaction.atomic(), _indexed_late([table for table in tables if table in LARGE]):
        _define()
        _insert(customers, clock.now(), tables)
    for table in tables:
        _run(f"VACUUM ANALYZE customers_{table}")
    _run("RESET ALL")


def populate(customers: int) -> None:
    """Everything but the vacuum, which no transaction takes. Raises RuntimeError where there are customers already."""
    _begin()
    now = clock.now()
    with _told("rows"), transaction.atomic(), _indexed_late(LARGE):
        _define()
        _insert(customers, now)
    _run("ANALYZE")
    _work_out(now)


def _begin() -> None:
    if Customer.objects.exists():
        raise RuntimeError("There are customers in this database already: name another folder in DATA_DIR.")
    circumstances.notice_changes()
    _run("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '512MB'")


def _define() -> None:
    """What people set up: colleagues, custom fields, segments."""
    User.objects.bulk_create(
        User(email=f"manager{n}@example.test", first_name="Manager", last_name=str(n), role=Role.ACCOUNT_MANAGER)
        for n in range(1, MANAGERS + 1)
    )
    about, kind = CustomField.About.CUSTOMER, CustomField.Type
    definitions.define(about, "tier", kind.CHOICE, Draft("Tier", choices=["Gold", "Silver", "Bronze"]))
    definitions.define(about, "seats", kind.NUMBER, Draft("Seats"))
    for offer in (*FOR_THE_MOMENT.values(), *BY_STAGE.values()):
        Segment.objects.create(name=offer.name, description=offer.description, rule=offer.rule)


def _insert(customers: int, now: datetime, tables: Sequence[str] = ()) -> None:
    """The rows, of some tables alone where they are named. What they refer to is there by how they are made, so that no
    trigger need look it up."""
    managers = list(User.objects.filter(role=Role.ACCOUNT_MANAGER).order_by("pk").values_list("pk", flat=True))
    _run("SET LOCAL session_replication_role = replica")
    for statement in ROWS.read_text().split(";\n"):
        into = _INTO.search(statement)
        if statement.strip() and not (tables and into and into[1] not in tables):
            _run(statement, customers=customers, now=now, managers=managers)
    _run("SET LOCAL session_replication_role = origin")


def _work_out(now: datetime) -> None:
    """Facts and all that follows from them, by the product."""
    everybody = Customer.objects.order_by("pk").values_list("pk", flat=True)
    with _told("facts then"), clock.at(now - BEFORE):
        _each(everybody.filter(owner__isnull=False), _follow)
    with clock.at(now):
        with _told("facts"), transaction.atomic(), _indexed_late(["customerfacts"]):
            _each(everybody, _follow)
        with _told("segments"):
            membership.refresh()
    Event.objects.filter(routed_at=None).update(routed_at=now)


def _each(customers: Any, work: Callable[[Sequence[int]], None]) -> None:
    ids = list(customers)
    for start in range(0, len(ids), AT_A_TIME):
        work(ids[start : start + AT_A_TIME])


@transaction.atomic
def _follow(customer_ids: Sequence[int]) -> None:
    now = folding.fold(customer_ids)
    stages.record_moves(customer_ids, now, timedelta(days=Workspace.current().activity_window))
    scoring.score(customer_ids, now)


@contextmanager
def _indexed_late(tables: Sequence[str]) -> Iterator[None]:
    """Within the block, in a transaction, the tables of this room have their primary keys alone."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [[f"customers_{table}" for table in tables]])
        found = cursor.fetchall()
    for drop, _, name, table, _ in found:
        _run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' if name else drop)
    yield
    _run("SET CONSTRAINTS ALL IMMEDIATE")  # no index is built with checks pending
    for _, create, name, table, constraint in found:
        _run(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {constraint}' if name else create)


def _run(statement: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


@contextmanager
def _told(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    fill(int(sys.argv[1]))
