"""The people of a customer: a panel of the customer's page, and the forms behind it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.contacts import consent, editing
from customers.contacts.forms import ConsentForm, ContactForm
from customers.contacts.reading import people
from customers.models import Consent, Contact, Customer
from retention.common import clock
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can, requires

FORM = "customers/contacts/edit.html"


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Who there is at the customer; a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    context = {"customer": customer, "people": people(customer_id, workspace_of(request).currency)}
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"customers/contacts/{'panel' if part else 'people'}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    form = ContactForm(request.POST or None, initial={"is_main": not _has_people(customer)})
    if request.method == "POST" and form.is_valid():
        try:
            contact = editing.add(customer_id, form.values, form.custom_values)
        except editing.AddressTaken as taken:
            form.add_error("email", f"{taken.by} has this address.")
        else:
            messages.success(request, f"{contact} is added.")
            return redirect("customers:detail", customer_id)
    return render(request, FORM, {"form": form, "customer": customer})


def _has_people(customer: Customer) -> bool:
    return Contact.objects.filter(customer=customer, removed_at=None).exists()


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    contact = _there(pk)
    form = ContactForm(request.POST or None, instance=contact)
    status = 200
    context = _context(contact, form)
    if request.method == "POST" and form.is_valid():
        try:
            editing.change(contact, form.values, form.custom_values, form.cleaned_data["opened"])
        except editing.ChangedMeanwhile as other:
            now = ContactForm(instance=other.stands)
            told = editing.differences(other.stands, *form.changed_twice(now), form.custom_values)
            form.go_on_from(now, other.stands.updated_at.isoformat())
            context |= {"overtaken": True, "differences": list(told)}
            status = 409
        except editing.AddressTaken as taken:
            form.add_error("email", f"{taken.by} has this address.")
        else:
            messages.success(request, "Saved.")
            return redirect("customers:detail", contact.customer_id)
    return render(request, FORM, context, status=status)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def say(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what a contact said about being approached."""
    contact = _there(pk)
    asking = ConsentForm(request.POST)
    if not asking.is_valid():
        return render(request, FORM, _context(contact, ContactForm(instance=contact), asking), status=422)
    said = asking.cleaned_data
    keep = consent.grant if said["state"] == Consent.State.GRANTED else consent.withdraw
    keep(contact, said["channel"], said["source"], said["proof"], clock.now())
    messages.success(request, "Kept, with where it was said.")
    return redirect("customers:contact", pk)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def remove(_request: HttpRequest, pk: int) -> HttpResponse:
    editing.remove(_there(pk))
    return redirect("customers:contact_removed", pk)


@require_safe
@requires(Can.EDIT_CUSTOMERS)
def removed(request: HttpRequest, pk: int) -> HttpResponse:
    """Says that a contact is removed, and offers to undo it."""
    contact = get_object_or_404(Contact.objects.select_related("customer"), pk=pk)
    if not contact.removed_at:
        return redirect("customers:contact", pk)
    return render(request, "customers/contacts/removed.html", {"contact": contact, "customer": contact.customer})


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact, pk=pk)
    editing.restore(contact)
    messages.success(request, f"{contact} is back.")
    return redirect("customers:detail", contact.customer_id)


def _there(pk: int) -> Contact:
    return get_object_or_404(Contact.objects.select_related("customer"), pk=pk, removed_at=None)


def _context(contact: Contact, form: ContactForm, asking: ConsentForm | None = None) -> dict[str, object]:
    consents = contact.consents.order_by("channel")
    known = {"contact": contact, "customer": contact.customer}
    return known | {"form": form, "consents": consents, "asking": asking or ConsentForm()}
