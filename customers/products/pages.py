"""The catalogue, one product, and what a customer has bought."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer, Product
from customers.products import editing
from customers.products.buying import FEW, bought, companions
from customers.products.forms import TAKEN, ProductForm, filled_in
from retention.common.opened import held
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can, requires

SUGGESTED = 5
GET_OR_POST = ["GET", "HEAD", "POST"]


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
        form.add_error("sku", TAKEN)
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
