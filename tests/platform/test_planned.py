"""Statements that are planned once."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from retention.common import planned

pytestmark = pytest.mark.django_db


def test_what_does_not_vary_is_written_into_the_statement_as_it_was_given() -> None:
    given = ('it\'s 50 % of \\ and "all"', 7, True, datetime(2026, 3, 4, tzinfo=UTC))
    asked = "SELECT %s || ' at 10 %%' AS text, %s::int, %s, %s"
    with connection.cursor() as cursor:
        cursor.execute(asked, given)
        expected = cursor.fetchall()
    statement, varying = planned.written(asked, given, lambda param: param == 7)
    assert (statement.count("%s"), varying) == (1, [7])
    assert planned.rows(statement, varying) == expected


def test_the_plan_of_a_statement_is_kept() -> None:
    for number in range(planned.AGAIN + 2):
        assert planned.rows("SELECT %s::int AS kept", [number]) == [(number,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%AS kept'")
        assert cursor.fetchone() == (1,)
