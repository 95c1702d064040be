"""Playbooks: the list with the ready-made ones, one playbook with its steps and runs, and changing them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Playbook, PlaybookRun, PlaybookStep
from customers.playbooks import editing, ending, passing, reading, ready_made, wording
from customers.playbooks.forms import PlaybookForm, StepForm
from retention.common.opened import held
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

GET_OR_POST = ["GET", "HEAD", "POST"]
PAGE = 25
SHOW = {"running": "Running", "ended": "Ended"}


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse:
    rows = [(playbook, wording.rule(playbook)) for playbook in reading.playbooks()]
    own = {playbook.name.lower(): playbook.pk for playbook, _ in rows}
    shelf = [(key, offer, own.get(offer.name.lower())) for key, offer in ready_made.SHELF.items()]
    return render(request, "customers/playbooks/list.html", {"rows": rows, "shelf": shelf})


@require_POST
@requires(Can.WORK_TASKS)
def take(request: HttpRequest, key: str) -> HttpResponse:
    """Make a ready-made playbook one's own; the one of that name, where there is one already."""
    if key not in ready_made.SHELF:
        raise Http404
    playbook, is_new = ready_made.take(key, person(request))
    if is_new:
        messages.success(request, f"“{playbook}” is yours. Look through it, then switch it on.")
    else:
        messages.info(request, f"There is a playbook “{playbook}” already: this is it.")
    return redirect("customers:playbook", playbook.pk)


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    playbook = get_object_or_404(reading.playbooks(), pk=pk)
    show = request.GET.get("show", "")
    show = show if show in SHOW else "running"
    going = Q(state=PlaybookRun.State.RUNNING)
    runs = reading.runs().filter(going if show == "running" else ~going, playbook=playbook)
    counts = {"running": playbook.running, "ended": playbook.ended}
    by_renewal = playbook.by_renewal
    steps = [(step, wording.day(step.offset_days, by_renewal=by_renewal)) for step in _steps(playbook)]
    context = {
        "playbook": playbook,
        "starts": wording.rule(playbook),
        "ends": wording.ends(playbook),
        "steps": steps,
        "page": Paginator(runs, PAGE).get_page(request.GET.get("page")),
        "show": show,
        "shows": [(key, label, counts[key]) for key, label in SHOW.items()],
    }
    return render(request, "customers/playbooks/detail.html", context)


def _steps(playbook: Playbook) -> list[PlaybookStep]:
    return list(playbook.steps.select_related("person"))


@require_http_methods(GET_OR_POST)
@requires(Can.WORK_TASKS)
def new(request: HttpRequest) -> HttpResponse:
    form = PlaybookForm(request.POST or None, instance=Playbook(created_by=person(request)))
    if request.method == "POST" and form.is_valid():
        playbook = form.save()
        messages.success(request, "It is there. Add its steps, then switch it on.")
        return redirect(playbook)
    return _shown(request, "form.html", {"form": form})


@require_http_methods(GET_OR_POST)
@requires(Can.WORK_TASKS)
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    playbook = get_object_or_404(held(request, Playbook.objects.all()), pk=pk)
    name = str(playbook)
    form = PlaybookForm(request.POST or None, instance=playbook)
    if request.method == "POST" and form.is_valid():
        form.save()
        if playbook.rule == Playbook.Rule.HAND:
            editing.switch(playbook.pk, on=False)
        messages.success(request, "Saved.")
        return redirect(playbook)
    return _shown(request, "form.html", {"form": form, "name": name, "pk": pk})


def _shown(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    status = 422 if context["form"].errors else 200
    return render(request, f"customers/playbooks/{template}", context, status=status)


@require_POST
@requires(Can.WORK_TASKS)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it on or off, stop all its runs, or remove it."""
    playbook = get_object_or_404(Playbook, pk=pk)
    try:
        match request.POST.get("do"):
            case "on":
                editing.switch(pk, on=True)
                begun = passing.look()
                said = f"It is on: its rule starts it from now on.{f' {begun} runs began at once.' if begun else ''}"
                messages.success(request, said)
            case "off":
                editing.switch(pk, on=False)
                messages.success(request, "It is off: nothing new is started. What is running goes on.")
            case "stop":
                runs, tasks = ending.stop_all(playbook, person(request))
                messages.success(request, f"{runs:,} stopped; {tasks:,} of their open tasks are dropped.")
            case "remove":
                editing.remove(pk)
                messages.success(request, f"“{playbook}” is removed.")
                return redirect("customers:playbooks")
    except editing.NotPossible as reason:
        messages.error(request, str(reason))
    return redirect(playbook)


@require_http_methods(GET_OR_POST)
@requires(Can.WORK_TASKS)
def step_new(request: HttpRequest, pk: int) -> HttpResponse:
    playbook = get_object_or_404(Playbook, pk=pk)
    form = StepForm(request.POST or None, instance=PlaybookStep(playbook=playbook))
    if request.method == "POST" and form.is_valid():
        editing.add_step(form.save(commit=False))
        messages.success(request, "The step is added. Runs that have begun keep the steps they began with.")
        return redirect(playbook)
    return _shown(request, "step.html", {"form": form, "playbook": playbook})


@require_http_methods(GET_OR_POST)
@requires(Can.WORK_TASKS)
@transaction.atomic
def step_edit(request: HttpRequest, pk: int) -> HttpResponse:
    steps = held(request, PlaybookStep.objects.all())
    step = get_object_or_404(steps, pk=pk)
    title = step.title
    form = StepForm(request.POST or None, instance=step)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved. Runs that have begun keep the steps they began with.")
        return redirect(step.playbook)
    return _shown(request, "step.html", {"form": form, "playbook": step.playbook, "title": title})


@require_POST
@requires(Can.WORK_TASKS)
def step_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a step up or down, or remove it."""
    step = get_object_or_404(PlaybookStep.objects.select_related("playbook"), pk=pk)
    try:
        match request.POST.get("do"):
            case "up" | "down" as way:
                editing.move(step, up=way == "up")
            case "remove":
                editing.remove_step(step)
                messages.success(request, f"“{step}” is removed.")
    except editing.NotPossible as reason:
        messages.error(request, str(reason))
    return redirect(step.playbook)
