"""Pages that compare a segment: with another one (overlap), and with everybody (what sets it apart)."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from customers.models import Customer, Segment
from customers.segments import for_dates
from customers.segments.apart import Contrast, apart, columns
from customers.segments.apart_members import Members, members
from customers.segments.fields import Column
from customers.segments.operators import Moment
from customers.segments.overlap import Overlap, Part, overlap, shared_with_all, stays
from customers.segments.patience import TooSlow
from customers.segments.references import read
from customers.segments.rules import Compare, RuleRefused, every_condition
from customers.segments.wording import Words, days, shown
from retention.common import clock
from retention.common.sent import whole
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can, requires

PAGE_SIZE, CONTRASTS_SHOWN = 50, 25


class _Counted(Paginator):  # type: ignore[type-arg]  # no subscript when it runs
    """A list whose length is known."""

    def __init__(self, rows: Any, size: int) -> None:
        super().__init__(rows, PAGE_SIZE)
        self.size = size

    @cached_property
    def count(self) -> int:
        return self.size


@require_safe
@requires(Can.READ)
def segment_overlap(request: HttpRequest, pk: int) -> HttpResponse:
    """How many this segment shares with each other; with `?with=` one of them, how many, and who."""
    segment = get_object_or_404(Segment, pk=pk)
    others = list(Segment.objects.exclude(pk=pk))
    asked = request.GET.get("with", "")
    other = next((one for one in others if str(one.pk) == asked), None)
    context: dict[str, Any] = {"segment": segment, "others": others, "other": other}
    context |= _between(request, segment, other) if other else _with_all(segment, others)
    return render(request, "customers/segments/overlap.html", context)


@dataclass(frozen=True)
class Shared:
    """How many customers another segment has too, of the `size` of the one that is looked at."""

    other: Segment
    number: int
    size: int

    @property
    def here(self) -> float:
        """Per cent of the one that is looked at."""
        return _share(self.number, self.size)

    @property
    def there(self) -> float:
        """Per cent of the other."""
        return _share(self.number, self.other.size)


def _with_all(segment: Segment, others: list[Segment]) -> dict[str, Any]:
    try:
        shared = shared_with_all(segment)
    except TooSlow:
        return {"slow": True}
    rows = [Shared(other, shared.get(other.pk, 0), segment.size) for other in others]
    return {"rows": sorted(rows, key=lambda row: -row.number)}


def _share(count: int, of: int) -> float:
    return min(100.0, 100 * count / of) if of else 0.0


def _between(request: HttpRequest, segment: Segment, other: Segment) -> dict[str, Any]:
    found = overlap(segment, other)
    part = next((part for part in Part if part == request.GET.get("part")), Part.BOTH)
    listed = stays(segment, other, part).select_related("customer__facts").order_by("-entered_at", "-id")
    page = _Counted(listed, found.of(part)).get_page(request.GET.get("page"))
    return {"overlap": found, "parts": _parts(found, segment, other), "part": part, "page": page}


def _parts(found: Overlap, segment: Segment, other: Segment) -> list[tuple[Part, str, int, float]]:
    names = {Part.BOTH: "In both", Part.FIRST: f"Only in “{segment}”", Part.SECOND: f"Only in “{other}”"}
    return [(part, name, found.of(part), _share(found.of(part), found.either)) for part, name in names.items()]


@dataclass(frozen=True)
class Line:
    """A difference in words."""

    contrast: Contrast
    value: str
    members: str
    all: str

    @property
    def width(self) -> int:
        """Of the bar, in per cent; three standard deviations fill it."""
        return min(100, round(100 * abs(self.contrast.effect) / 3))


@require_safe
@requires(Can.READ)
def segment_apart(request: HttpRequest, pk: int) -> HttpResponse:
    """The fields in which the segment's customers differ most from everybody."""
    segment, workspace = get_object_or_404(Segment, pk=pk), workspace_of(request)
    words = Words(workspace.zone, workspace.currency)
    context: dict[str, Any] = {"segment": segment}
    try:
        found = apart(segment, Moment(clock.now(), workspace.zone))
    except TooSlow:
        return render(request, "customers/segments/apart.html", context | {"slow": True})
    asked_for = _asked_for(segment)
    told = [contrast for contrast in found.contrasts if contrast.column.key in asked_for]
    others = [contrast for contrast in found.contrasts if contrast.column.key not in asked_for]
    lines = [_line(contrast, words) for contrast in others[:CONTRASTS_SHOWN]]
    by_rule = [_line(contrast, words) for contrast in told[:CONTRASTS_SHOWN]]
    context |= {"lines": lines, "by_rule": by_rule, "sampled": found.sampled}
    return render(request, "customers/segments/apart.html", context)


def _asked_for(segment: Segment) -> set[str]:
    """The fields that the segment's rule compares, or those of a segment that it refers to: no wonder they differ."""
    with suppress(RuleRefused):
        conditions = every_condition(read(segment.rule, segment.pk))
        return {condition.column.key for condition in conditions if isinstance(condition, Compare)}
    return set()


def _line(contrast: Contrast, words: Words) -> Line:
    column = contrast.column
    if contrast.is_share:
        value = shown(column, contrast.value, words)
        return Line(contrast, value, f"{100 * contrast.members:.1f} %", f"{100 * contrast.all:.1f} %")
    return Line(contrast, "", _mean(column, contrast.members, words), _mean(column, contrast.all, words))


def _mean(column: Column, value: float, words: Words) -> str:
    if column.operators is for_dates.DATE:
        return f"{days(round(value))} ago" if value >= 0 else f"in {days(round(-value))}"
    return shown(column, value, words)


@require_safe
@requires(Can.READ)
def segment_apart_field(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """The segment's customers by their value of a field, or those who have `?value=`."""
    segment, workspace = get_object_or_404(Segment, pk=pk), workspace_of(request)
    column = columns().get(key)
    if column is None:
        raise Http404
    value = request.GET.get("value", "").replace("\0", "")[:300]
    words = Words(workspace.zone, workspace.currency)
    context: dict[str, Any] = {"segment": segment, "column": column, "value": value and shown(column, value, words)}
    try:
        found, page = _page(request, segment, column, value)
    except TooSlow:
        return render(request, "customers/segments/apart_field.html", context | {"slow": True})
    customers = Customer.objects.select_related("facts").in_bulk([pk for pk, _ in found.rows])
    rows = [(customers[pk], shown(column, value, words)) for pk, value in found.rows if pk in customers]
    return render(request, "customers/segments/apart_field.html", context | {"rows": rows, "page": page})


def _page(request: HttpRequest, segment: Segment, column: Column, value: str) -> tuple[Members, "Page[int]"]:
    number = min(whole(request.GET.get("page", "")) or 1, 10_000)
    first = (number - 1) * PAGE_SIZE
    moment = Moment(clock.now(), workspace_of(request).zone)
    found = members(segment, column, value, moment, slice(first, first + PAGE_SIZE))
    return found, _Counted(range(found.count), found.count).get_page(number)
