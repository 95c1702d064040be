"""Pages for deciding by hand: who was put in or kept out, by whom and why; lists from a file; undoing."""

import csv
import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer, HandChange, HandPick, Segment
from customers.segments import by_hand, list_job, saving
from customers.segments.agreeing import agreed
from customers.segments.consequences import Consequence
from customers.segments.hand_forms import DecideForm, FileForm, ListForm
from customers.segments.list_files import Found
from customers.segments.rules import NOBODY
from retention.common.counting import counted
from retention.common.sent import whole
from retention.common.spreadsheet import harmless
from retention.workspace.models import Job
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

PAGE_SIZE, CHANGES_SHOWN = 50, 20
#: Two forms of one page: the second has ids of its own.
FILE_ID = "file_%s"


@require_safe
@requires(Can.READ)
def hand(request: HttpRequest, pk: int) -> HttpResponse:
    return _hand(request, get_object_or_404(Segment, pk=pk), DecideForm(), FileForm(auto_id=FILE_ID))


def _hand(
    request: HttpRequest,
    segment: Segment,
    form: DecideForm,
    file: FileForm,
    status: int = 200,
    follows: Sequence[Consequence] = (),
) -> HttpResponse:
    """The page; `follows` is what the form that was sent would bring about, to be agreed to."""
    picks = (
        HandPick.objects.filter(segment=segment, ended_by=None)
        .select_related("customer", "change__by")
        .defer("change__unmatched")
    )
    context = {
        "segment": segment,
        "form": form,
        "file_form": file,
        "page": Paginator(picks.order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page")),
        "changes": segment.hand_changes.select_related("by", "undone_by").defer("unmatched")[:CHANGES_SHOWN],
        "unmatched": set(segment.hand_changes.exclude(unmatched=[]).values_list("pk", flat=True)),
        "is_list": segment.rule == NOBODY,
        "follows": follows,
        "follow_customers": sum(each.customers for each in follows),
    }
    return render(request, "customers/segments/by_hand.html", context, status=status)


@require_POST
@requires(Can.EDIT_SEGMENTS)
def hand_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer, named in the form."""
    segment, form = get_object_or_404(Segment, pk=pk), DecideForm(request.POST)
    if not form.is_valid():
        return _hand(request, segment, form, FileForm(auto_id=FILE_ID), status=422)
    said = form.cleaned_data
    change = HandChange(segment=segment, act=said["act"], reason=said["reason"], by=person(request))
    if not agreed(request, follows := by_hand.foresee(change, [said["customer"].pk])):
        return _hand(request, segment, form, FileForm(auto_id=FILE_ID), 409, follows)
    _decide_one(request, change, said["customer"])
    return redirect("customers:segment_hand", pk)


@require_POST
@requires(Can.EDIT_SEGMENTS)
def hand_customer(request: HttpRequest, pk: int, customer_id: int) -> HttpResponse:
    """One customer, from the page that says why they are in or out."""
    segment, customer = get_object_or_404(Segment, pk=pk), get_object_or_404(Customer, pk=customer_id)
    form = DecideForm({**request.POST.dict(), "customer": customer.external_id})
    act, reason = form["act"].value(), str(form["reason"].value() or "")[:300].replace("\0", "")
    if act in HandChange.Act.values:
        change = HandChange(segment=segment, act=str(act), reason=reason, by=person(request))
        if not agreed(request, follows := by_hand.foresee(change, [customer.pk])):
            return _hand(request, segment, form, FileForm(auto_id=FILE_ID), 409, follows)
        _decide_one(request, change, customer)
    return redirect("customers:segment_explain", pk, customer_id)


def _decide_one(request: HttpRequest, change: HandChange, customer: Customer) -> None:
    if by_hand.decide(change, [customer.pk]).customers:
        messages.success(request, f"{customer}: {change.get_act_display().lower()}.")
    else:
        messages.info(request, f"{customer}: it was so already.")


@require_POST
@requires(Can.EDIT_SEGMENTS)
def hand_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody whom a file names."""
    segment, form = get_object_or_404(Segment, pk=pk), FileForm(request.POST, request.FILES, auto_id=FILE_ID)
    if not form.is_valid():
        return _hand(request, segment, DecideForm(), form, status=422)
    said = form.cleaned_data
    change = HandChange(segment=segment, act=said["act"], reason=said["reason"], by=person(request))
    if form.found is None:
        return redirect("workspace:job", list_job.later(change, said["file"]).pk)
    if not agreed(request, follows := by_hand.foresee(change, form.found.customer_ids)):
        return _hand(request, segment, DecideForm(), form, 409, follows)
    _decide_file(request, change, said["file"].name, form.found)
    return redirect("customers:segment_hand", pk)


def _decide_file(request: HttpRequest, change: HandChange, name: str, found: Found) -> None:
    change.file_name, change.unmatched = name[:200], found.unmatched
    by_hand.decide(change, found.customer_ids)
    told = f"{change.get_act_display()}: {change.customers:,} of {len(found.customer_ids):,} found in the file."
    if found.unmatched:
        entries = "1 entry is" if len(found.unmatched) == 1 else f"{len(found.unmatched):,} entries are"
        told += f" {entries} nobody's: see the changes below."
    messages.success(request, told)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_SEGMENTS)
def list_new(request: HttpRequest) -> HttpResponse:
    """A list from a file: a segment without a rule, whose customers are put in by hand."""
    if request.method != "POST":
        return render(request, "customers/segments/list_new.html", {"form": ListForm()})
    form = ListForm(request.POST, request.FILES, instance=Segment(rule=NOBODY))
    if not form.is_valid():
        return render(request, "customers/segments/list_new.html", {"form": form}, status=422)
    with transaction.atomic():
        saving.save(form.instance, person(request))
        change = HandChange(segment=form.instance, act=HandChange.Act.IN, by=person(request))
        if form.found is None:
            return redirect("workspace:job", list_job.later(change, form.cleaned_data["file"]).pk)
        _decide_file(request, change, form.cleaned_data["file"].name, form.found)
    return redirect("customers:segment_hand", form.instance.pk)


@require_POST
@requires(Can.LAUNCH_CAMPAIGNS)
def list_agree(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Go on with a large file, mail that would go out and all."""
    asked = get_object_or_404(Job, pk=job_id, kind=list_job.JOB, state=Job.State.DONE, summary__has_key="asks")
    agreed_to = whole(request.POST.get("agreed", ""))
    going = None if agreed_to is None else list_job.agree(asked, agreed_to, person(request))
    if going is None:
        messages.error(request, "The file is no longer there. Bring it again.")
        return redirect("customers:segment_hand", asked.spec["segment"])
    return redirect("workspace:job", going.pk)


@require_POST
@requires(Can.EDIT_SEGMENTS)
def hand_undo(request: HttpRequest, pk: int, change_id: int) -> HttpResponse:
    change = get_object_or_404(HandChange, pk=change_id, segment=pk)
    try:
        moved = by_hand.undo(change, person(request))
    except by_hand.NothingToUndo:
        messages.info(request, "This was undone already.")
    else:
        later = change.customers - moved
        told = f" Decided about anew since then, and left as is: {later:,}." if later else ""
        messages.success(request, f"Undone for {counted(moved, 'customer')}.{told}")
    return redirect("customers:segment_hand", pk)


@require_safe
@requires(Can.READ)
def hand_unmatched(_request: HttpRequest, pk: int, change_id: int) -> HttpResponse:
    """What a file had that is nobody's, as a file to mend and bring again."""
    change = get_object_or_404(HandChange, pk=change_id, segment=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="not-found-{change.pk}.csv"'
    csv.writer(response).writerows([harmless(value)] for value in change.unmatched)
    return response
