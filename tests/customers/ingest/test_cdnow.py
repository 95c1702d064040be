"""The CDNOW sample: what the models of buying rest on (the data set's reference, section 1), worked out in SQL."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from customers.models import Customer, Order, OrderLine

pytestmark = pytest.mark.django_db

INPUTS = """
    WITH days AS (
        SELECT customer_id, (ordered_at AT TIME ZONE 'UTC')::date AS day FROM customers_order GROUP BY 1, 2
    ), first AS (SELECT customer_id, min(day) AS day FROM days GROUP BY 1), summary AS (
        SELECT customer_id,
            count(*) FILTER (WHERE days.day <= '1997-09-30') - 1 AS x,
            count(*) FILTER (WHERE days.day > '1997-09-30') AS held_out,
            ('1997-09-30' - min(first.day)) / 7.0 AS t
        FROM days JOIN first USING (customer_id) GROUP BY customer_id
    )
    SELECT sum(x), count(*) FILTER (WHERE x > 0), sum(held_out), avg(t)::float, count(*) FROM summary
"""


def test_it_works(shared: Path) -> None:
    out = io.StringIO()
    path = shared / "cdnow" / "CDNOW_sample.txt"
    call_command("import", "order_lines", path, mapping="cdnow_sample", json=True, stdout=out, stderr=io.StringIO())
    summary = json.loads(out.getvalue())
    assert (summary["rows"], summary["rejected"]) == (6_919, 0)
    assert Customer.objects.count() == 2_357
    assert Order.objects.count() == 6_696  # purchases of one day are one
    assert OrderLine.objects.count() == 6_919
    with connection.cursor() as cursor:
        cursor.execute(INPUTS)
        repeats, repeaters, held_out, mean_t, customers = cursor.fetchone()
    assert (repeats, repeaters, held_out, customers) == (2_457, 946, 1_882, 2_357)
    assert mean_t == pytest.approx(32.71586156736772, rel=1e-12)
    first = Order.objects.get(external_id="cdnow-0001-19970101")
    assert (first.amount, first.currency) == (Decimal("29.33"), "USD")
