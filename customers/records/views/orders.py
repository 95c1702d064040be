"""What a customer ordered last: a part of their page, or a page of its own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from customers.models import Customer
from customers.records.profile import latest_orders
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    template = "orders.html" if request.htmx else "orders_of.html"  # type: ignore[attr-defined]
    return render(request, f"customers/{template}", {"customer": customer, "orders": latest_orders(customer)})
