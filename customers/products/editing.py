"""Adding and changing a product. Two people at one product: the second is told, and what they typed is kept."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Product
from retention.common import clock


class ChangedMeanwhile(Exception):
    """Somebody else saved the product after it was opened here. `stands` is the product as it is now."""

    def __init__(self, stands: Product) -> None:
        self.stands = stands


@transaction.atomic
def add(values: Mapping[str, Any], upgrades_to: Iterable[Product], goes_with: Iterable[Product]) -> Product:
    """A new product. Raises IntegrityError for a code that is taken."""
    product = Product.objects.create(**values, updated_at=clock.now())
    _link(product, upgrades_to, goes_with)
    return product


@transaction.atomic
def change(
    product_id: int,
    values: Mapping[str, Any],
    upgrades_to: Iterable[Product],
    goes_with: Iterable[Product],
    opened: datetime | None,
) -> Product:
    """Raises ChangedMeanwhile, Product.DoesNotExist, and IntegrityError for a code that is taken."""
    stands = Product.objects.select_for_update().get(pk=product_id)
    if stands.updated_at != opened:
        raise ChangedMeanwhile(stands)
    Product.objects.filter(pk=product_id).update(**values, updated_at=clock.now())
    _link(stands, upgrades_to, goes_with)
    return stands


def _link(product: Product, upgrades_to: Iterable[Product], goes_with: Iterable[Product]) -> None:
    product.upgrades_to.set(upgrades_to)
    product.goes_with.set(goes_with)
