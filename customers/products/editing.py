"""Storing a product with what it upgrades to and goes with."""

from collections.abc import Iterable

from django.db import transaction

from customers.models import Product
from retention.common import clock


@transaction.atomic
def store(product: Product, upgrades_to: Iterable[Product], goes_with: Iterable[Product]) -> Product:
    """Keep a new or changed product. Raises IntegrityError for a code that is taken."""
    product.updated_at = clock.now()
    product.save()
    product.upgrades_to.set(upgrades_to)
    product.goes_with.set(goes_with)
    return product
