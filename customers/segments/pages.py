"""The segments' pages: the list, the builder, one segment with its members and history."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Segment, SegmentMembership
from customers.segments import drafts, history, membership, references, saving, uses
from customers.segments.agreeing import agreed
from customers.segments.choices import choices, suggestions
from customers.segments.consequences import Consequence
from customers.segments.drafts import Group
from customers.segments.forms import SegmentForm
from customers.segments.operators import Moment
from customers.segments.patience import TooSlow
from customers.segments.posted import draft_of
from customers.segments.preview import preview
from customers.segments.ready_made import FOR_THE_MOMENT, READY_MADE
from customers.segments.rules import NOBODY, RuleRefused
from customers.segments.wording import describe, refused, words_for
from retention.common import clock
from retention.common.sent import whole
from retention.workspace.models import Workspace
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PAGE_SIZE = 50


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse:
    used = uses.uses()
    rows = [(segment, used.get(segment.pk, [])) for segment in Segment.objects.all()]
    return render(request, "customers/segments/list.html", {"rows": rows, "ready_made": FOR_THE_MOMENT})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_SEGMENTS)
def new(request: HttpRequest) -> HttpResponse:
    """An empty builder, or with `?from=` one that says a ready-made segment."""
    offered = READY_MADE.get(request.GET.get("from", ""))
    segment = Segment(name=offered.name, description=offered.description) if offered else Segment()
    draft = drafts.from_rule(offered.rule) if offered else drafts.blank()
    return _build(request, segment, draft)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_SEGMENTS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        membership.hold(pk)  # of two at once the second sees what the first saved
    segment = get_object_or_404(Segment, pk=pk)
    try:
        references.read(segment.rule, segment.pk)
        draft = drafts.from_rule(segment.rule)
    except RuleRefused as refusal:
        messages.error(request, f"The stored rule no longer works: {refused(refusal)}. Build it anew.")
        draft = drafts.blank()
    return _build(request, segment, draft)


def _build(request: HttpRequest, segment: Segment, draft: Group) -> HttpResponse:
    """Show the builder, do what its buttons ask, or save."""
    if request.method != "POST":
        return _builder(request, segment, SegmentForm(instance=segment), draft)
    form, draft = SegmentForm(request.POST, instance=segment), draft_of(request.POST)
    if (asked := request.POST.get("do", "save")) != "save":
        drafts.act(draft, asked)
        return _builder(request, segment, SegmentForm(initial=request.POST.dict(), instance=segment), draft)
    is_list = not draft.parts and Segment.objects.filter(pk=segment.pk, rule=NOBODY).exists()
    if not (form.is_valid() & (is_list or drafts.check(draft))):
        return _builder(request, segment, form, draft, status=422)
    return _save(request, form, draft)


def _save(request: HttpRequest, form: SegmentForm, draft: Group) -> HttpResponse:
    """Save, once the person has agreed to what follows from it."""
    segment = form.instance
    segment.rule = draft.to_rule() if draft.parts else NOBODY
    try:
        follows = saving.foresee(segment) if segment.pk else []
        if not agreed(request, follows):
            return _builder(request, segment, form, draft, 409, follows)
        saving.save(segment, person(request))
    except RuleRefused as refusal:
        drafts.blame(draft, refusal)
        return _builder(request, segment, form, draft, status=422)
    messages.success(request, f"“{segment.name}” is saved.")
    return redirect("customers:segment", segment.pk)


def _builder(
    request: HttpRequest,
    segment: Segment,
    form: SegmentForm,
    draft: Group,
    status: int = 200,
    follows: Sequence[Consequence] = (),
) -> HttpResponse:
    context = {"segment": segment, "form": form, "draft": draft, "follows": follows, **choices(segment.pk)}
    context["follow_customers"] = sum(each.customers for each in follows)
    if request.headers.get("HX-Request") == "true":
        part = render(request, "customers/segments/builder.html", context)
        part["HX-Trigger"] = "rule-changed"
        return part
    context["suggestions"] = suggestions()
    return render(request, "customers/segments/edit.html", context, status=status)


@require_POST
@requires(Can.EDIT_SEGMENTS)
def look(request: HttpRequest) -> HttpResponse:
    """Whom the rule as typed would pick. Changes nothing; posted because a rule can be long."""
    return render(request, "customers/segments/preview.html", _looked(request.POST, workspace_of(request)))


def _looked(data: QueryDict, workspace: Workspace) -> dict[str, Any]:
    """What can be said of the conditions that are filled in; the others are left out and said to be."""
    typed = draft_of(data)
    drafts.check(typed)
    draft, left_out = drafts.finished(typed)
    own = whole(data.get("own", ""))
    try:
        rule = draft and references.read(draft.to_rule(), own)
        if rule and (saved := Segment.objects.filter(pk=own or 0).first()):
            rule = references.with_hands(rule, saved.pk, saved.by_hand)
        return {"preview": rule and preview(rule, workspace), "left_out": left_out}
    except RuleRefused as refusal:
        return {"refused": refused(refusal)}
    except TooSlow:
        return {"slow": True}


class _Members(Paginator):  # type: ignore[type-arg]  # no subscript when it runs
    """Present members page by page; how many there are is known from the last refresh."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(_shown(SegmentMembership.objects.filter(segment=segment, left_at=None)), PAGE_SIZE)
        self.size = segment.size

    @cached_property
    def count(self) -> int:
        return self.size


def _shown(stays: QuerySet[SegmentMembership]) -> QuerySet[SegmentMembership]:
    return stays.select_related("customer__facts").order_by("-entered_at", "-id")


@require_safe
@requires(Can.READ)
def segment(request: HttpRequest, pk: int) -> HttpResponse:
    """A segment and who is in it; with `?on=` a date, who was in it when that day ended."""
    one = get_object_or_404(Segment, pk=pk)
    workspace = workspace_of(request)
    moment = Moment(clock.now(), workspace.zone)
    on = _day(request.GET.get("on", ""))
    members = Paginator(_shown(membership.stays_at(one, _end(on, moment))), PAGE_SIZE) if on else _Members(one)
    context = {
        "segment": one,
        "on": on,
        "page": members.get_page(request.GET.get("page")),
        "movement": history.movement(one, moment),
        "uses": uses.uses().get(one.pk, []),
        "job": saving.open_job(one),
        **_in_words(one, workspace),
    }
    return render(request, "customers/segments/segment.html", context)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _end(day: date, moment: Moment) -> datetime:
    """The last moment of a day in the workspace's zone; of today and later, now."""
    if day >= moment.now.astimezone(moment.zone).date():
        return moment.now
    return datetime.combine(day + timedelta(days=1), time(), moment.zone) - timedelta(microseconds=1)


def _in_words(one: Segment, workspace: Workspace) -> dict[str, Any]:
    try:
        rule = references.read(one.rule, one.pk)
    except RuleRefused as refusal:
        return {"refused": refused(refusal)}
    return {"words": describe(rule, words_for(workspace, rule))}


@require_POST
@requires(Can.EDIT_SEGMENTS)
def refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at everybody again, now."""
    one = get_object_or_404(Segment, pk=pk)
    if saving.recompute(one, person(request)) is None:
        messages.success(request, "Everybody was looked at again.")
    return redirect("customers:segment", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_SEGMENTS)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what deleting does, then do it; refused while something stands on the segment."""
    one = get_object_or_404(Segment, pk=pk)
    if request.method != "POST":
        return render(request, "customers/segments/delete.html", {"segment": one, "uses": uses.uses().get(pk, [])})
    try:
        uses.delete(one)
    except uses.InUse as refusal:
        return render(request, "customers/segments/delete.html", {"segment": one, "uses": refusal.uses}, status=409)
    messages.success(request, f"“{one.name}” is deleted.")
    return redirect("customers:segments")
