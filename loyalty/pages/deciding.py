"""One offer, and what waits for an answer."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from loyalty import deciding, granting
from loyalty.authorising import approver_for, authority_of, decides
from loyalty.costing import Terms
from loyalty.forms import AnswerForm
from loyalty.models import Offer
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.roles import Can, Role, requires

MOST = 100


def waiting_for(user: User) -> QuerySet[Offer]:
    """What waits for this person's answer: named as approver, or, for administrators, where nobody is named."""
    theirs = Q(approver=user) | Q(approver=None) if user.role == Role.ADMINISTRATOR else Q(approver=user)
    return _waiting().filter(theirs).exclude(asked_by=user)


def _waiting() -> QuerySet[Offer]:
    waits = Offer.objects.filter(state=Offer.State.ASKED, expires_at__gt=clock.now())
    return waits.select_related("customer", "customer__facts", "asked_by", "approver").order_by("expires_at", "pk")


def queue(user: User, trouble: dict[int, str] | None = None) -> dict[str, Any]:
    mine = list(waiting_for(user)[:MOST])
    others = list(_waiting().exclude(pk__in=[offer.pk for offer in mine])[:MOST])
    return {
        "mine": [_row(offer, (trouble or {}).get(offer.pk, "")) for offer in mine],
        "others": [_row(offer) for offer in others],
        "tab": "waiting",
    }


def _row(offer: Offer, trouble: str = "") -> dict[str, Any]:
    return {"offer": offer, "said": Terms.of(offer).said(offer.currency), "trouble": trouble}


@require_safe
@requires(Can.READ)
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for an answer: a part of Today with one's own, or a page with everybody's."""
    return _waiting_page(request, queue(person(request)))


def _waiting_page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    part = request.htmx  # type: ignore[attr-defined]
    return render(request, "loyalty/waiting_part.html" if part else "loyalty/waiting.html", context, status=status)


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, _offer(pk))


def _detail(request: HttpRequest, offer: Offer, trouble: str = "", status: int = 200) -> HttpResponse:
    me = person(request)
    context: dict[str, Any] = {"offer": offer, "said": Terms.of(offer).said(offer.currency), "trouble": trouble}
    context["withdraws"] = offer.can_go_back and me.can(Can.GRANT_OFFERS) and granting.may_withdraw(offer, me)
    context["decides"] = offer.waits and decides(me, offer.asked_by_id, offer.approver_id)
    if context["decides"]:
        context["weighed"], _ = deciding.against_own_limits(offer, me, locked=False)
        context["next"] = approver_for(me, authority_of(me))
    return render(request, "loyalty/detail.html", context, status=status)


def _offer(pk: int) -> Offer:
    people = ("customer", "asked_by", "approver", "decided_by", "answerable", "withdrawn_by")
    return get_object_or_404(Offer.objects.select_related(*people), pk=pk)


@require_POST
@requires(Can.GRANT_OFFERS)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, decline or hand on; then Today's part, or the offer's page."""
    form, me = AnswerForm(request.POST), person(request)
    trouble = ""
    if form.is_valid():
        try:
            _decided(request, pk, form.cleaned_data, me)
        except granting.Refused as reason:
            trouble = str(reason)
    else:
        trouble = next(str(error) for errors in form.errors.values() for error in errors)
    if request.htmx:  # type: ignore[attr-defined]
        return _waiting_page(request, queue(me, {pk: trouble}) | {"trouble": trouble})
    if trouble:
        return _detail(request, _offer(pk), trouble, 422)
    return redirect("loyalty:detail", pk)


def _decided(request: HttpRequest, pk: int, said: dict[str, Any], me: User) -> None:
    acts: dict[str, Callable[[], Offer]] = {
        "approve": lambda: deciding.approve(pk, me, said["answer"]),
        "decline": lambda: deciding.decline(pk, me, said["answer"]),
        "hand_on": lambda: deciding.hand_on(pk, me),
    }
    offer = _done(acts[said["act"]])
    words = {
        "approve": f"Approved. {offer.asked_by} is told on Today.",
        "decline": f"Declined. {offer.asked_by} is told on Today.",
        "hand_on": f"Handed on to {offer.approver or 'the administrators'}.",
    }
    messages.success(request, words[said["act"]])


@require_POST
@requires(Can.GRANT_OFFERS)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(
        request, pk, lambda: granting.withdraw(pk, person(request)), "Withdrawn: its cost is back in the budgets."
    )


@require_POST
@requires(Can.GRANT_OFFERS)
def use(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, lambda: granting.mark_used(pk, person(request)), "Marked as used.")


def _do(request: HttpRequest, pk: int, act: Callable[[], Offer], said: str) -> HttpResponse:
    try:
        _done(act)
    except granting.Refused as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, said)
    return redirect("loyalty:detail", pk)


def _done(act: Callable[[], Offer]) -> Offer:
    """The offer after the act; what is not there or not theirs is said as pages say it."""
    try:
        return act()
    except Offer.DoesNotExist as error:
        raise Http404 from error
    except granting.NotTheirs as error:
        raise PermissionDenied from error
