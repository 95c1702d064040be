"""A customer's health with its reasons and its history."""

import csv
from io import StringIO

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers.health.reading import told
from customers.models import Customer, HealthChange
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A part of the customer's page, a page of its own, or (`format=csv`) the whole history as a file."""
    customer = get_object_or_404(Customer, pk=customer_id)
    if request.GET.get("format") == "csv":
        return _file(customer)
    template = "panel.html" if request.htmx else "page.html"  # type: ignore[attr-defined]
    return render(request, f"customers/health/{template}", {"customer": customer, "told": told(customer)})


def _file(customer: Customer) -> HttpResponse:
    text = StringIO()
    lines = csv.writer(text)
    lines.writerow(["at", "score", "band", "coverage"])
    rows = HealthChange.objects.filter(customer=customer).order_by("at", "pk")
    for at, *rest in rows.values_list("at", "score", "band", "coverage"):
        lines.writerow([timezone.localtime(at).isoformat(timespec="seconds"), *rest])
    headers = {"Content-Disposition": 'attachment; filename="health.csv"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
