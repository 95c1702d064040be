"""The catalogue as a list, and its file."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from customers.lists.asking import Asked, Filter, List, Order, once_asked
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Product
from retention.common.keyset import Key, amount, plain
from retention.common.text_search import SearchWords, beginnings
from retention.workspace.models import Workspace
from retention.workspace.people import person
from retention.workspace.places import url_for
from retention.workspace.roles import Can, requires

CATEGORIES = 200
#: What has no price comes before everything that has one.
_NONE = Value(Decimal(-1))
#: The workspace's stands in for those of products without one.
MARGIN = Coalesce("margin_share", Subquery(Workspace.objects.values("margin_share")[:1]))
ORDERS = {
    "name": Order("Product", (Key(Lower("name"), plain),)),
    "sku": Order("Code", (Key(F("sku"), plain),)),
    "category": Order("Category", (Key(F("category"), plain),)),
    "price": Order("Price", (Key(Coalesce("price", _NONE), amount),), first_down=True),
    "margin": Order("Margin", (Key(F("margin"), amount),), first_down=True),
}
HEADER = ("Code", "Product", "Category", "Price", "Currency", "Margin in %")


def asked_of(said: QueryDict) -> Asked:
    """What is asked for of the catalogue: `q`, `category`, `sort` and `size`."""
    filters = {"category": Filter("Category", once_asked(_categories), _in_category, "All", other=str)}
    of = List("customers:products", "product", "Name, code or category", _having, filters, ORDERS, "name")
    return Asked.read(of, said)


def _categories() -> dict[str, str]:
    named = Product.objects.exclude(category="").values_list("category", flat=True).distinct().order_by("category")
    return {name: name for name in named[:CATEGORIES]}


def _in_category(value: str) -> Q:
    return Q(category=value) if value else Q()


def _having(typed: str) -> Q:
    words = beginnings(typed)
    if not words:
        return Q(pk=None)
    return Q(
        pk__in=Product.objects.alias(words=SearchWords("name", "sku", "category")).filter(words=words).values("pk")
    )


def _cells(product: Product) -> Sequence[Any]:
    return product.sku, product.name, product.category, product.price, product.currency, product.margin_share


SHOWN = Shown("customers/products/list.html", "customers/products/rows.html", Sheet("products", HEADER, _cells))


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    import_url = url_for(person(request), "customers:import_new")
    return answer(request, asked_of(request.GET), Product.objects.annotate(margin=MARGIN), SHOWN, import_url=import_url)
