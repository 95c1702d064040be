"""A playbook with one customer: started, looked at, stopped; and all of a customer's."""

from django.contrib import messages
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from customers.models import Customer, Playbook, PlaybookRun
from customers.playbooks import ending, reading, starting
from retention.common.sent import whole
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

MOST = 20


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's runs, those that go on first: a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    over = ExpressionWrapper(~Q(state=PlaybookRun.State.RUNNING), output_field=BooleanField())
    runs = list(reading.runs().filter(customer=customer).order_by(over, "-started_at")[:MOST])
    running = {run.playbook_id for run in runs if run.state == PlaybookRun.State.RUNNING}
    offered = [playbook for playbook in Playbook.objects.filter(steps__position=1) if playbook.pk not in running]
    template = "panel.html" if request.htmx else "of_customer.html"  # type: ignore[attr-defined]
    context = {"customer": customer, "runs": runs, "offered": offered}
    return render(request, f"customers/playbooks/{template}", context)


@require_POST
@requires(Can.WORK_TASKS)
def start(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    chosen = whole(request.POST.get("playbook", ""))
    if chosen is None:
        messages.error(request, "Choose a playbook to start.")
        return redirect("customers:detail", customer_id)
    playbook = get_object_or_404(Playbook, pk=chosen)
    try:
        if starting.start_by_hand(playbook, [customer_id], person(request)):
            messages.success(request, f"“{playbook}” has begun for {customer}.")
        else:
            messages.info(request, f"“{playbook}” runs for {customer} already.")
    except starting.NoRenewal:
        messages.error(request, f"“{playbook}” counts its days from a renewal, and {customer} has none ahead.")
    except starting.NothingToDo:
        messages.error(request, f"“{playbook}” has no steps yet.")
    return redirect("customers:detail", customer_id)


@require_safe
@requires(Can.READ)
def run(request: HttpRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(reading.runs(), pk=pk)
    return render(request, "customers/playbooks/run.html", {"run": one, "steps": reading.steps_of(one)})


@require_POST
@requires(Can.WORK_TASKS)
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(PlaybookRun, pk=pk)
    try:
        dropped = ending.stop_by_hand(pk, person(request))
    except ending.Over:
        messages.info(request, "It has ended already.")
    else:
        tasks = f" {dropped} open task{'' if dropped == 1 else 's'} dropped." if dropped else ""
        messages.success(request, f"It is stopped.{tasks}")
    return redirect("customers:playbook_run", pk)
