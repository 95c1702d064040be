"""Making an offer from a customer's page: what it costs and what it leaves of the limits is seen before it is given."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer
from loyalty.authorising import approver_for, authority_of
from loyalty.costing import NoPrice, Terms
from loyalty.forms import OfferForm, TermsForm
from loyalty.granting import Agreed, WeighsDifferently, Wish, make, weighed_for
from loyalty.models import Authority, Offer
from loyalty.weighing import Weighed
from retention.common.sent import whole
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

MOST = 20
IDS = "offer_%s"


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's offers: a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    offers = customer.offers.select_related("asked_by", "approver").order_by("-asked_at")[:MOST]
    rows = [{"offer": offer, "said": Terms.of(offer).said(offer.currency)} for offer in offers]
    template = "panel.html" if request.htmx else "customer.html"  # type: ignore[attr-defined]
    return render(request, f"loyalty/{template}", {"customer": customer, "rows": rows})


@dataclass(frozen=True)
class Scales:
    """What an offer weighs for one person, as its page shows it: `trouble` says why it can't be weighed."""

    said: str = ""
    weighed: Weighed | None = None
    approver: User | None = None
    trouble: str = ""

    @property
    def agreed(self) -> str:
        """What the button agrees to, to be sent back with it."""
        if not self.weighed:
            return ""
        return f"{self.weighed.cost.amount} {'ask' if self.weighed.over else 'grant'}"


def agreed_to(text: str) -> Agreed | None:
    """What the button that was pressed agreed to, or None where that makes no sense."""
    cost, _, way = text.partition(" ")
    try:
        return Agreed(Decimal(cost), way == "ask") if way in ("ask", "grant") else None
    except InvalidOperation:
        return None


def scales(user: User, limits: Authority, customer_id: int, form: TermsForm) -> Scales:
    if not form.is_valid():
        first = next((str(error) for name in form.errors for error in form.errors[name]), "")
        return Scales(trouble=first if form.is_bound else "")
    try:
        return _laid_on(weighed_for(user, limits, customer_id, form.terms), form.terms, user, limits)
    except NoPrice as reason:
        return Scales(trouble=str(reason))


def _laid_on(weighed: Weighed, terms: Terms, user: User, limits: Authority) -> Scales:
    return Scales(terms.said(weighed.ground.currency), weighed, approver_for(user, limits))


@require_safe
@requires(Can.GRANT_OFFERS)
def weigh(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What is filled in so far, on the scales: a part of the form, fetched as somebody types."""
    customer, me = get_object_or_404(Customer, pk=customer_id), person(request)
    form = TermsForm(request.GET or OfferForm.usual() | {"kind": "discount"})
    shown = scales(me, authority_of(me), customer.pk, form)
    return render(request, "loyalty/weighed.html", {"scales": shown, "customer": customer})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.GRANT_OFFERS)
def new(request: HttpRequest, customer_id: int) -> HttpResponse:
    """?like= fills in what an offer of theirs said that was made before."""
    customer, me = get_object_or_404(Customer, pk=customer_id), person(request)
    limits = authority_of(me)
    if request.method != "POST":
        filled = _filled_in(customer, request.GET.get("like", ""))
        form = OfferForm(initial=filled, auto_id=IDS)
        terms = TermsForm({"kind": "discount"} | filled)
        return _form(request, customer, form, {"scales": scales(me, limits, customer.pk, terms)})
    form = OfferForm(request.POST, auto_id=IDS)
    if not form.is_valid():
        weighed = scales(me, limits, customer.pk, TermsForm(request.POST))
        return _form(request, customer, form, {"scales": weighed}, 422)
    return _make(request, customer, form, limits)


def _filled_in(customer: Customer, like: str) -> dict[str, Any]:
    before = customer.offers.filter(pk=whole(like) or 0).first() if like else None
    return OfferForm.like(before) if before else OfferForm.usual()


def _make(request: HttpRequest, customer: Customer, form: OfferForm, limits: Authority) -> HttpResponse:
    me, said = person(request), form.cleaned_data
    wish = Wish(customer.pk, form.terms, said["reason"], said["note"], said["once"])
    try:
        offer = make(wish, me, agreed_to(request.POST.get("agreed", "")))
    except NoPrice as reason:
        form.add_error("kind", str(reason))
        return _form(request, customer, form, {"scales": Scales(trouble=str(reason))}, 422)
    except WeighsDifferently as other:
        shown = {"scales": _laid_on(other.weighed, form.terms, me, limits), "look_again": True}
        return _form(request, customer, form, shown, 409)
    messages.success(request, _done(offer, form.terms))
    return redirect("customers:detail", customer.pk)


def _done(offer: Offer, terms: Terms) -> str:
    said = terms.said(offer.currency)
    if offer.waits:
        return f"Asked {offer.approver or 'an administrator'} to approve {said}. You will be told on Today."
    return f"Granted: {said}."


def _form(
    request: HttpRequest, customer: Customer, form: OfferForm, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    part = request.htmx  # type: ignore[attr-defined]
    shown = context | {"customer": customer, "form": form}
    return render(request, "loyalty/form.html" if part else "loyalty/new.html", shown, status=status)
