"""What is sold: the catalogue that order lines refer to by product code."""

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from retention.common import clock
from retention.common.text_search import SearchWords


class Product(models.Model):
    """A product. An order line whose product code is its SKU is one of it, whichever came first."""

    sku = models.CharField("product code", max_length=100, unique=True, db_collation="C")
    name = models.CharField(max_length=300)
    category = models.CharField(max_length=100, blank=True)
    price = models.DecimalField(
        max_digits=18, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(max_length=3, blank=True)
    margin_share = models.DecimalField(
        "margin, in % of revenue",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Empty: the workspace's.",
    )
    upgrades_to = models.ManyToManyField("self", symmetrical=False, related_name="upgrades_from", blank=True)
    goes_with = models.ManyToManyField("self", blank=True)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(Lower("name"), "id", name="product_by_name"),
            models.Index(fields=["category"], name="product_by_category"),
            GinIndex(SearchWords("name", "sku", "category"), name="product_by_word"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(sku=""), name="product_has_code"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gte=0), name="product_price_in_range"),
            models.CheckConstraint(
                condition=Q(margin_share__isnull=True) | Q(margin_share__range=(0, 100)),
                name="product_margin_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name
