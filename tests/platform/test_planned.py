"""Statements that are planned once."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from customers.models import Event
from retention.common import planned

pytestmark = pytest.mark.django_db
_EVENT = """
    SELECT 3 AS more, 7::bigint AS id, 1::bigint AS customer_id, %s::text AS kind, %s::jsonb AS payload, '' AS source,
           timestamptz '2026-03-04' AS occurred_at, timestamptz '2026-03-05' AS recorded_at, '' AS ref,
           '' AS dedup_key, NULL::timestamptz AS routed_at
"""


def test_what_does_not_vary_is_written_into_the_statement_as_it_was_given() -> None:
    given = ('it\'s 50 % of \\ and "all"', 7, True, datetime(2026, 3, 4, tzinfo=UTC))
    asked = "SELECT %s || ' at 10 %%' AS text, %s::int, %s, %s"
    with connection.cursor() as cursor:
        cursor.execute(asked, given)
        expected = cursor.fetchall()
    statement, varying = planned.written(asked, given, lambda param: param == 7)
    assert (statement.count("%s"), varying) == (1, [7])
    assert planned.rows(statement, varying) == expected


def test_rows_are_read_as_what_they_are_rows_of_with_what_else_was_asked() -> None:
    for _ in range(planned.AGAIN + 1):
        (event,) = planned.instances(Event, _EVENT, ["order.placed", '{"amount": "1.20", "lines": [1, null]}'])
        assert (event.pk, event.kind, event.payload) == (7, "order.placed", {"amount": "1.20", "lines": [1, None]})
        assert (event.routed_at, event.more) == (None, 3)  # type: ignore[attr-defined]  # asked beside
        assert event.occurred_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert not planned.instances(Event, f"{_EVENT} WHERE FALSE", ["", "{}"])


def test_the_plan_of_a_statement_is_kept() -> None:
    for number in range(planned.AGAIN + 2):
        assert planned.rows("SELECT %s::int AS kept", [number]) == [(number,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%AS kept'")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_the_plan_is_kept_also_where_the_first_work_of_a_connection_was_taken_back() -> None:
    connection.close()
    with transaction.atomic():
        assert planned.rows("SELECT 1", []) == [(1,)]
        transaction.set_rollback(True)
    assert planned.rows("SELECT current_setting('plan_cache_mode')", []) == [("force_generic_plan",)]
