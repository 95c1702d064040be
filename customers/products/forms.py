"""What somebody fills in about a product."""

from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField

from customers.models import Product
from retention.common.currencies import check_currency
from retention.common.opened import OpenedForm

FIELDS = ("sku", "name", "category", "price", "currency", "margin_share")
CODES = 50


class Codes(SimpleArrayField):
    """Products, named by their codes."""

    def __init__(self, label: str) -> None:
        code = forms.CharField(max_length=100)
        super().__init__(code, required=False, max_length=CODES, label=label, help_text="Codes, with commas between.")

    def clean(self, value: Any) -> Any:
        codes = list(dict.fromkeys(code.strip() for code in super().clean(value) if code.strip()))
        found = {product.sku: product for product in Product.objects.filter(sku__in=codes)}
        if missing := [code for code in codes if code not in found]:
            raise forms.ValidationError(f"No product has the code {missing[0]}.")
        return [found[code] for code in codes]


TAKEN = "Another product has this code."


class ProductForm(OpenedForm):
    beside = ("upgrades_to", "goes_with")
    currency = forms.CharField(max_length=3, validators=[check_currency])
    upgrades = Codes("Upgrades to")
    companions = Codes("Goes with")

    class Meta:
        model = Product
        fields = FIELDS
        labels: ClassVar[dict[str, str]] = {"margin_share": "Margin in %"}
        error_messages: ClassVar[dict[str, dict[str, str]]] = {"sku": {"unique": TAKEN}}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for name in ("upgrades", "companions"):
            if any(product.sku == said.get("sku") for product in said.get(name, ())):
                self.add_error(name, "A product does not go with itself.")
        return said


def filled_in(product: Product) -> dict[str, Any]:
    """What the form says beside the product's own columns."""
    return {
        "upgrades": [each.sku for each in product.upgrades_to.order_by("sku")],
        "companions": [each.sku for each in product.goes_with.order_by("sku")],
    }
