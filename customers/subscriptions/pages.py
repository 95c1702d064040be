"""A customer's subscriptions, and agreeing something on one: a form, what it will do, and only then the deed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer, Subscription, SubscriptionTerm
from customers.subscriptions import agreeing, periods
from customers.subscriptions.agreeing import ChangedMeanwhile, Refused, standing
from customers.subscriptions.forms import (
    REASONS,
    AgreementForm,
    CancelForm,
    ConditionsForm,
    RenewForm,
    ResumeForm,
    instant_of,
    usual,
)
from customers.subscriptions.outlook import Outlook, outlook, rehearsed, told
from retention.common import clock
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can, requires

MOST = 50
GET_OR_POST = ["GET", "HEAD", "POST"]


@dataclass(frozen=True)
class Agreed:
    """The conditions of a subscription: those that stand now, or the first, or the last."""

    terms: list[SubscriptionTerm]

    @property
    def term(self) -> SubscriptionTerm:
        return standing(self.terms, clock.now())

    @property
    def started_at(self) -> Any:
        return self.terms[0].valid_from

    @property
    def ends_at(self) -> Any:
        return self.terms[-1].valid_to

    @property
    def state(self) -> str:
        """ "planned", "running", "ending" or "ended"."""
        now, end = clock.now(), self.ends_at
        if end and end <= now:
            return "ended"
        if self.started_at > now:
            return "planned"
        return "ending" if end else "running"

    @property
    def later(self) -> list[SubscriptionTerm]:
        """Changes still to come."""
        return [term for term in self.terms[1:] if term.valid_from > clock.now()]


@dataclass(frozen=True)
class Line(Agreed):
    """A subscription with its conditions."""

    row: Subscription


def line(row: Subscription) -> Line:
    return Line(sorted(row.terms.all(), key=lambda term: term.valid_from), row)


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's subscriptions: a part of their page, or a page of its own. The running ones first."""
    customer = get_object_or_404(Customer, pk=customer_id)
    in_order = Prefetch("terms", SubscriptionTerm.objects.order_by("valid_from"))
    rows = customer.subscriptions.order_by("-pk").prefetch_related(in_order)[:MOST]
    lines = [line(row) for row in rows if row.terms.all()]
    lines.sort(key=lambda each: (each.state == "ended", -each.started_at.timestamp()))
    template = "panel.html" if request.htmx else "list.html"  # type: ignore[attr-defined]
    return render(request, f"customers/subscriptions/{template}", {"customer": customer, "lines": lines, "most": MOST})


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One subscription: what stands, and everything that stood."""
    row = _subscription(pk)
    return render(request, "customers/subscriptions/detail.html", {"line": line(row), "customer": row.customer})


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    workspace = workspace_of(request)
    today = clock.now().astimezone(workspace.zone).date()
    form = ConditionsForm(request.POST or None, initial=usual(workspace, today))

    def act() -> Subscription:
        at = instant_of(form.cleaned_data["day"], [], workspace.zone)
        return agreeing.start(customer.pk, form.conditions, form.bond(workspace.zone), at)

    asked = Asked("New subscription", "Start it", "It is started.", customer)
    return _agree(request, asked, form, act)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    row, terms, zone, today = _opened(request, pk)
    initial = ConditionsForm.filled_in(row, standing(terms, clock.now()), today, zone)
    form = ConditionsForm(request.POST or None, initial=initial)

    def act() -> Subscription:
        at = instant_of(form.cleaned_data["day"], terms, zone)
        agreeing.change(pk, form.conditions, form.bond(zone, row), at, form.cleaned_data["opened"])
        return Subscription.objects.get(pk=pk)

    return _agree(request, Asked("Change", "Change it", "It is changed.", row.customer, row), form, act)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    row, terms, zone, _ = _opened(request, pk)
    term = standing(terms, clock.now())
    due = periods.later(row.renews_at or clock.now(), term.interval, term.interval_count, zone)
    form = RenewForm(request.POST or None, initial={"day": due.date(), "opened": row.updated_at.isoformat()})

    def act() -> Subscription:
        agreeing.renew(pk, instant_of(form.cleaned_data["day"], [], zone), form.cleaned_data["opened"])
        return Subscription.objects.get(pk=pk)

    return _agree(request, Asked("Renew", "Renew it", "It is renewed.", row.customer, row), form, act)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    row, terms, zone, today = _opened(request, pk)
    day = row.renews_at.astimezone(zone).date() if row.renews_at else today
    form = CancelForm(request.POST or None, initial={"day": day, "opened": row.updated_at.isoformat()})

    def act() -> Subscription:
        at, said = instant_of(form.cleaned_data["day"], terms, zone), form.cleaned_data
        agreeing.cancel(pk, at, said["reason"], said["opened"])
        return Subscription.objects.get(pk=pk)

    asked = Asked("Cancel", "Cancel it", "It is cancelled. It can be resumed.", row.customer, row, danger=True)
    return _agree(request, asked, form, act)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    row, terms, zone, today = _opened(request, pk)
    form = ResumeForm(request.POST or None, initial={"day": today, "opened": row.updated_at.isoformat()})

    def act() -> Subscription:
        at = instant_of(form.cleaned_data["day"], terms, zone)
        agreeing.resume(pk, at, form.cleaned_data["opened"])
        return Subscription.objects.get(pk=pk)

    return _agree(request, Asked("Resume", "Resume it", "It goes on.", row.customer, row), form, act)


@dataclass(frozen=True)
class Asked:
    """What is asked for, in the words of its page; `row` is None while there is no subscription yet."""

    heading: str
    button: str
    done: str
    customer: Customer
    row: Subscription | None = None
    danger: bool = False


def _agree(request: HttpRequest, asked: Asked, form: AgreementForm, act: Callable[[], Subscription]) -> HttpResponse:
    """The form, then what it will do, then the deed."""
    context: dict[str, Any] = {"asked": asked, "customer": asked.customer, "form": form, "reasons": REASONS}
    before = outlook(asked.row) if asked.row else None
    context["line"] = line(asked.row) if asked.row else None
    if request.method != "POST" or "back" in request.POST or not form.is_valid():
        return _form(request, context, 422 if form.is_bound and form.errors else 200)
    try:
        if "confirmed" not in request.POST:
            context["review"] = list(told(before, rehearsed(act)))
            return _form(request, context, 200)
        with transaction.atomic():
            row = act()
    except ChangedMeanwhile as other:
        return _form(request, context | _meanwhile(other, form, before), 409)
    except Refused as reason:
        form.add_error("day", str(reason))
        return _form(request, context, 422)
    except IntegrityError:
        form.add_error(None, "Somebody else changed it at the same moment. Look at it again; nothing was changed.")
        return _form(request, context, 409)
    messages.success(request, asked.done)
    return redirect("customers:subscription", row.pk)


def _meanwhile(other: ChangedMeanwhile, form: AgreementForm, before: Outlook | None) -> dict[str, Any]:
    term = line(other.stands).term
    meanwhile = {"meanwhile": outlook(other.stands), "agreed": term}
    return meanwhile | {"form": form.going_on_from(other.stands), "before": before}


def _form(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return render(request, "customers/subscriptions/form.html", context, status=status)


def _subscription(pk: int) -> Subscription:
    rows = Subscription.objects.select_related("customer").prefetch_related("terms")
    found: Subscription = get_object_or_404(rows, pk=pk)
    return found


def _opened(request: HttpRequest, pk: int) -> tuple[Subscription, list[SubscriptionTerm], Any, Any]:
    """A subscription with its terms, the workspace's zone and today there."""
    zone = workspace_of(request).zone
    row = _subscription(pk)
    return row, line(row).terms, zone, clock.now().astimezone(zone).date()
