"""Who bought a product: a part of its page, and a page of its own with all of them."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from customers.models import Product
from customers.products.buyers import MOST_SPENT, ORDERS, buyers, together
from retention.common.headings import headings
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can, requires

PAGE, FEW = 50, 8


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk)
    part = bool(request.htmx)  # type: ignore[attr-defined]
    said = request.GET.get("sort", "")
    sort = said if said.removeprefix("-") in ORDERS and not part else MOST_SPENT
    rows = buyers(product, workspace_of(request).currency, sort)
    labels = {key: label for key, (label, _) in ORDERS.items()}
    paginator, whole = Paginator(rows, FEW if part else PAGE), together(rows)
    paginator.count = whole["customers"]
    context = {
        "product": product,
        "sum": whole,
        "page": paginator.get_page(request.GET.get("page")),
        "headings": headings(labels, sort, lambda each: f"?sort={each}", ORDERS.keys() - {"name"}),
        "part": part,
    }
    return render(request, f"customers/products/{'buyers_part' if part else 'buyers'}.html", context)
