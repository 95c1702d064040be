"""Online Retail, imported in full: the figures of the data set's reference (section 5)."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from customers.models import Customer, Order, OrderLine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("online_retail")]


def test_it_works() -> None:
    assert Customer.objects.count() == 4372
    assert Order.objects.count() == 25_900
    assert OrderLine.objects.count() == 541_909
    assert Order.objects.aggregate(total=Sum("amount"))["total"] == Decimal("9747747.934")
