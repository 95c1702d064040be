"""The catalogue, one product, and what a customer has bought."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from typing import Any, Self

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer, Product
from customers.products import editing
from customers.products.buying import FEW, bought, companions
from customers.products.forms import ProductForm, filled_in
from retention.common.headings import Heading, headings
from retention.common.opened import held
from retention.common.spreadsheet import cell
from retention.common.text_search import SearchWords, beginnings
from retention.workspace.people import person, workspace_of
from retention.workspace.places import url_for
from retention.workspace.roles import Can, requires

PAGE = 50
SUGGESTED = 5
GET_OR_POST = ["GET", "HEAD", "POST"]
HEADER = ("Code", "Product", "Category", "Price", "Currency", "Margin in %")
ORDERS: dict[str, tuple[str, Any]] = {
    "name": ("Product", Lower("name")),
    "sku": ("Code", F("sku")),
    "category": ("Category", F("category")),
    "price": ("Price", F("price")),
    "margin": ("Margin", F("margin_share")),
}


@dataclass(frozen=True)
class Asked:
    """What the list's address asks for."""

    q: str = ""
    category: str = ""
    sort: str = "name"

    @classmethod
    def read(cls, said: QueryDict) -> Self:
        sort = said.get("sort", "name")
        known = sort if sort.removeprefix("-") in ORDERS else "name"
        q, category = (said.get(name, "").replace("\0", "")[:200] for name in ("q", "category"))
        return cls(q, category, known)

    def address(self, **other: str) -> str:
        sort = "" if self.sort == "name" else self.sort
        said = {"q": self.q, "category": self.category, "sort": sort} | other
        return "?" + urlencode({name: value for name, value in said.items() if value})

    @property
    def products(self) -> QuerySet[Product]:
        found = Product.objects.all()
        if words := beginnings(self.q):
            found = found.annotate(words=SearchWords("name", "sku", "category")).filter(words=words)
        if self.category:
            found = found.filter(category=self.category)
        by = ORDERS[self.sort.removeprefix("-")][1]
        down = self.sort.startswith("-")
        return found.order_by(by.desc(nulls_last=True) if down else by.asc(nulls_last=True), "pk")

    @property
    def headings(self) -> Iterable[Heading]:
        labels = {key: label for key, (label, _) in ORDERS.items()}
        return headings(labels, self.sort, lambda sort: self.address(sort=sort)).values()


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse:
    asked = Asked.read(request.GET)
    if request.GET.get("format") == "csv":
        return _file(asked, workspace_of(request).zone)
    categories = Product.objects.exclude(category="").values_list("category", flat=True).distinct().order_by("category")
    context = {
        "asked": asked,
        "page": Paginator(asked.products, PAGE).get_page(request.GET.get("page")),
        "headings": list(asked.headings),
        "categories": list(categories[:200]),
        "csv_url": f"{asked.address()}{'&' if len(asked.address()) > 1 else ''}format=csv",
        "without_q": asked.address(q=""),
        "without_category": asked.address(category=""),
        "narrowed": bool(asked.q or asked.category),
        "import_url": url_for(person(request), "customers:import_new"),
    }
    return render(request, "customers/products/list.html", context)


def _file(asked: Asked, zone: Any) -> HttpResponse:
    out = StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(HEADER)
    for row in asked.products.values_list("sku", "name", "category", "price", "currency", "margin_share"):
        write([cell(value, zone) for value in row])
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest) -> HttpResponse:
    form = ProductForm(request.POST or None, initial={"currency": workspace_of(request).currency})
    if request.method == "POST" and form.is_valid() and _stored(form):
        messages.success(request, f"{form.instance} is in the catalogue.")
        return redirect("customers:products")
    return render(request, "customers/products/form.html", {"form": form}, status=422 if form.errors else 200)


def _stored(form: ProductForm) -> bool:
    """Keep what was typed; where somebody else took the code meanwhile, say so beside it."""
    try:
        editing.store(form.instance, form.cleaned_data["upgrades"], form.cleaned_data["companions"])
    except editing.CodeTaken:
        form.add_error("sku", "Product with this Product code already exists.")
        return False
    return True


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product, pk=pk)
    context = {
        "product": product,
        "upgrades": list(product.upgrades_to.order_by("name")),
        "below": list(product.upgrades_from.order_by("name")),
        "companions": list(product.goes_with.order_by("name")),
    }
    return render(request, "customers/products/detail.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(held(request, Product.objects.all()), pk=pk)
    named = Product(pk=pk, name=product.name)  # the form writes what was typed on the product itself
    form = ProductForm(request.POST or None, instance=product, initial=filled_in(product))
    if request.method == "POST" and form.is_valid() and _stored(form):
        messages.success(request, "Saved.")
        return redirect("customers:product", pk)
    context = {"form": form, "product": named}
    return render(request, "customers/products/form.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What a customer has bought: a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    part = bool(request.htmx)  # type: ignore[attr-defined]
    lines = bought(customer.pk)
    suggested = list(companions(lines)[:SUGGESTED])
    few = lines[:FEW] if part else lines
    context = {"customer": customer, "lines": few, "more": len(lines) - len(few), "suggested": suggested}
    template = "panel.html" if part else "of_customer.html"
    return render(request, f"customers/products/{template}", context)
