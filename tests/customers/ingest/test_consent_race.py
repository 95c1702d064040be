"""An unsubscribe that arrives while a file is being merged stands."""

import threading
import time

import pytest
from django.db import connection, transaction

from customers.models import Consent, Customer
from customers.records.consent import withdraw
from retention.common import clock
from tests.customers.ingest.bringing import CUSTOMERS, bring, mapping

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "customer_id,name,email,joined_at,tags,consent\n1,Ann,,,,yes\n"


def waiting() -> bool:
    """Somebody waits for a lock. pg_locks is read afresh within a transaction, as pg_stat_activity is not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def merge() -> None:
    try:
        bring(mapping(CUSTOMERS), FILE)
    finally:
        connection.close()


def test_it_works() -> None:
    ann = Customer.objects.create(external_id="1", name="Ann")
    file = threading.Thread(target=merge)
    with transaction.atomic():
        withdraw(ann.pk, "email", "unsubscribe link", "clicked", clock.now())
        file.start()
        end = time.monotonic() + 120
        while not waiting():
            assert time.monotonic() < end, "the merge never came to the customer's row"
            time.sleep(0.02)
    file.join(120)
    assert list(Consent.objects.values_list("state", "source")) == [("withdrawn", "unsubscribe link")]
