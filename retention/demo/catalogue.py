"""The catalogue: the goods that orders name, each with its margin, what it goes with and what it upgrades to."""

from decimal import Decimal

from customers.models import Product
from retention.demo.buying import GOODS

CATEGORIES = {
    "BEAN": ("Coffee", 48),
    "MILK": ("Kitchen", 30),
    "CUP": ("Kitchen", 42),
    "FILT": ("Kitchen", 55),
    "CLEAN": ("Care", 61),
    "PART": ("Parts", 38),
    "TEA": ("Tea", 52),
}
#: Only in the catalogue so far: what the small packs upgrade to.
LARGE = (
    ("BEAN-ESP-5", "Espresso beans, 5 kg", "96.00"),
    ("BEAN-FIL-5", "Filter beans, 5 kg", "102.00"),
    ("CUP-1000", "Paper cups, 1000", "61.00"),
)
UPGRADES = {"BEAN-ESP": "BEAN-ESP-5", "BEAN-FIL": "BEAN-FIL-5", "CUP-250": "CUP-1000"}
TOGETHER = (
    ("BEAN-ESP", "CLEAN-T"),
    ("BEAN-ESP", "MILK-OAT"),
    ("BEAN-FIL", "FILT-02"),
    ("CLEAN-T", "CLEAN-D"),
    ("CLEAN-T", "PART-GR"),
    ("CUP-250", "MILK-OAT"),
)


def write(currency: str) -> None:
    """The whole catalogue; products that have one of its codes already stay as they are."""
    rows = []
    for sku, name, price in (*GOODS, *LARGE):
        category, margin = CATEGORIES[sku.split("-")[0]]
        rows.append(
            Product(sku=sku, name=name, category=category, price=Decimal(price), currency=currency, margin_share=margin)
        )
    Product.objects.bulk_create(rows, ignore_conflicts=True)
    products = {product.sku: product for product in Product.objects.filter(sku__in=[row.sku for row in rows])}
    upgrade, together = Product.upgrades_to.through, Product.goes_with.through
    upgrade.objects.bulk_create(
        [upgrade(from_product=products[small], to_product=products[large]) for small, large in UPGRADES.items()],
        ignore_conflicts=True,
    )
    both_ways = [*TOGETHER, *((other, one) for one, other in TOGETHER)]
    together.objects.bulk_create(
        [together(from_product=products[one], to_product=products[other]) for one, other in both_ways],
        ignore_conflicts=True,
    )


def forget() -> None:
    Product.objects.filter(sku__in=[sku for sku, *_ in (*GOODS, *LARGE)]).delete()
