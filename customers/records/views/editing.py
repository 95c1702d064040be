"""Adding and changing a customer."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from customers.models import Customer
from customers.records import choices, editing
from customers.records.forms import CustomerForm
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

TAKEN = "Another customer has this id."


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest) -> HttpResponse:
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            customer = editing.add(form.values, form.custom_values)
        except IntegrityError:
            form.add_error("external_id", TAKEN)
        else:
            messages.success(request, f"{customer} is added.")
            return redirect("customers:detail", customer.pk)
    return render(request, "customers/form.html", {"form": form, "countries": choices.countries()})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    form = CustomerForm(request.POST or None, instance=customer)
    named = Customer(pk=customer.pk, name=str(customer))  # the form writes what was typed on the customer itself
    if request.method == "POST" and form.is_valid():
        try:
            editing.change(pk, form.values, form.cleaned_data["opened"], form.custom_values, by=person(request))
        except editing.ChangedMeanwhile as other:
            now = CustomerForm(instance=other.stands)
            differences = list(editing.differences(other.stands, *form.changed_twice(now), form.custom_values))
            form.go_on_from(now, other.stands.updated_at.isoformat())
            told = {"form": form, "customer": named, "overtaken": True, "differences": differences}
            return render(request, "customers/form.html", told | {"countries": choices.countries()}, status=409)
        except IntegrityError:
            form.add_error("external_id", TAKEN)
        else:
            messages.success(request, "Saved.")
            return redirect("customers:detail", pk)
    return render(request, "customers/form.html", {"form": form, "customer": named, "countries": choices.countries()})
