"""Storing a product with what it upgrades to and goes with."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from customers.models import Product
from retention.common import clock


class CodeTaken(Exception):
    """Another product has the code: somebody else added it a moment before."""


def store(product: Product, upgrades_to: Iterable[Product], goes_with: Iterable[Product]) -> Product:
    """Keep a new or changed product. Raises CodeTaken."""
    product.updated_at = clock.now()
    try:
        with transaction.atomic():
            product.save()
            product.upgrades_to.set(upgrades_to)
            product.goes_with.set(goes_with)
    except IntegrityError as error:
        if Product.objects.filter(sku=product.sku).exclude(pk=product.pk).exists():
            raise CodeTaken from error
        raise
    return product
