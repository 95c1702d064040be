"""Tags and filters for every page: icons, form controls, numbers, money, instants, links of the navigation."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from html import escape
from typing import Any, Literal

from django import forms, template
from django.forms import BoundField
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from retention.common import clock, languages
from retention.common.marking import in_ascii, spans
from retention.common.money import decimals, rounded
from retention.workspace import branding, fragments
from retention.workspace import places as navigation
from retention.workspace.demo_people import DEMO_ROLES, DemoRole
from retention.workspace.finding import Find
from retention.workspace.models import Job
from retention.workspace.pace import Pace
from retention.workspace.pace import pace as job_pace

register = template.Library()
register.filter("language", languages.called)
CHECKS = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)
#: By their numbers.
MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@register.simple_tag
@cache
def icon(name: str, words: str = "") -> SafeString:
    """A Tabler icon named in bin/icons.txt; silent unless it is given words."""
    label = format_html('role="img" aria-label="{}"', words) if words else mark_safe('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"/></svg>', label, static("vendor/icons.svg"), name)


@register.simple_tag(takes_context=True)
def places(context: Context, part: str) -> SafeString:
    """A part of the shell that has the places of the navigation, as `open_places`."""
    request = context["request"]
    return _places(part, request.user.role, navigation.here(request.path))


@cache
def _places(part: str, role: str, here: str) -> SafeString:
    return render_to_string(part, {"open_places": list(navigation.places(role, here))})


register.simple_tag(fragments.options)
register.filter(fragments.in_one)


@register.simple_tag
def demo_roles() -> tuple[DemoRole, ...]:
    return DEMO_ROLES


@register.simple_tag(takes_context=True)
def brand_colours(context: Context) -> SafeString:
    """The accent's custom properties. Safe as CSS: they are made of parsed numbers only."""
    return mark_safe(branding.stylesheet(context["request"].workspace.colour))  # noqa: S308


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's widget, dressed."""
    widget = field.field.widget
    style = "form-control"
    if isinstance(widget, CHECKS):
        style = "form-check-input"
    elif isinstance(widget, forms.Select):
        style = "form-select"
    extra = " is-invalid" if field.errors else ""
    return field.as_widget(attrs={"class": f"{widget.attrs.get('class', '')} {style}{extra}".strip()})


@register.filter
def number(value: Any, places: int = 0) -> str:
    """1234567.8 → 1,234,568. Nothing stays nothing."""
    if value is None or value == "":
        return ""
    return f"{value:,.{places}f}"


@register.filter
def money(amount: Decimal | float | Literal[""] | None, currency: str) -> str:
    """An amount in its currency's own decimals, with the code: 1,234.50 EUR."""
    if amount is None or amount == "":
        return ""
    return f"{number(rounded(Decimal(amount), currency), decimals(currency))} {currency}"


@register.filter
def when(instant: datetime | None) -> SafeString | str:
    """How long ago or ahead, and on hover the instant with its zone."""
    return _time(instant, timezone.localtime(instant), relative(instant)) if instant else ""


@register.filter
def day(instant: datetime | None) -> SafeString | str:
    """The calendar day, and on hover the instant with its zone."""
    if not instant:
        return ""
    local = timezone.localtime(instant)
    return _time(instant, local, _day(local))


def day_text(instant: datetime) -> str:
    """4 May 2026."""
    return _day(timezone.localtime(instant))


def exact(instant: datetime) -> str:
    """4 May 2026, 14:00 CEST."""
    return _exact(timezone.localtime(instant))


def _day(local: datetime) -> str:
    """`strftime` would take three times as long."""
    return f"{local.day} {MONTHS[local.month]} {local.year}"


def _exact(local: datetime) -> str:
    return f"{_day(local)}, {local.hour:02}:{local.minute:02} {local.tzname()}"


def _time(instant: datetime, local: datetime, text: str) -> SafeString:
    """All of it is made of figures and names of months and zones; a timeline has a hundred."""
    return SafeString(f'<time datetime="{instant.isoformat()}" title="{_exact(local)}">{text}</time>')


@register.filter
def marked(text: str, words: list[str]) -> SafeString:
    """A text with its words that begin with those looked for marked. Most are ASCII without signs that HTML escapes."""
    if words and text.isascii() and escape(text) == text:
        return SafeString(in_ascii(*words).sub(_mark, text))
    marks, done = [], 0
    for start, end in spans(text, words):
        marks.append(f"{escape(text[done:start])}<mark>{escape(text[start:end])}</mark>")
        done = end
    return SafeString("".join(marks) + escape(text[done:]))


def _mark(found: re.Match[str]) -> str:
    return f"<mark>{found[0]}</mark>"


@register.simple_tag
def find_links(finds: Sequence[Find], words: list[str]) -> SafeString:
    """Finds of the search, with the words looked for marked. A template would take its time over each."""
    return SafeString("".join(_find_link(find, words) for find in finds))


def _find_link(find: Find, words: list[str]) -> str:
    name = f'<span class="found-name">{marked(find.name, words)}</span>'
    detail = f'<span class="soft found-detail">{marked(find.detail, words)}</span>' if find.detail else ""
    place = f"{fragments.text(find.place)}: " if find.place else ""
    snippet = f'<span class="found-snippet soft">{place}{marked(find.snippet, words)}</span>' if find.snippet else ""
    return f'<a class="found-link" href="{fragments.text(find.url)}">{name}{detail}{snippet}</a>'


STEPS = ((60, 60, "minute"), (3_600, 24, "hour"), (86_400, 91, "day"), (2_629_800, 24, "month"))


def relative(instant: datetime) -> str:
    """ "3 hours ago", "in 5 days": one unit, rounded down, against the product's clock."""
    seconds = (instant - clock.now()).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now" if seconds <= 0 else "in a moment"
    unit, name = next(((u, n) for u, most, n in STEPS if size < u * most), (31_557_600, "year"))
    count = int(size // unit)
    words = f"{count} {name}{'' if count == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


@register.filter
def duration(seconds: int) -> str:
    """80 → 1 min 20 s; from an hour on in hours and minutes."""
    if seconds >= 3_600:
        return f"{seconds // 3_600} h {seconds % 3_600 // 60} min"
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


@register.filter
def pace(job: Job) -> Pace | None:
    return job_pace(job, clock.now())


@register.filter
def summary_templates(job: Job) -> tuple[str, str]:
    """Where a job's summary is told: in its kind's own template, or as plain pairs."""
    return f"jobs/{job.kind}.html", "jobs/summary.html"


#: Where a name written together goes on with its next word.
_IN_CAPITALS = re.compile(r"(?<=[a-zß-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")


@register.filter
def words(name: str) -> str:
    """order_lines → Order lines; StreamingTV → Streaming TV; SeniorCitizen → Senior citizen."""
    parts = _IN_CAPITALS.sub(" ", name.replace("_", " ")).split()
    said = " ".join(part if part.isupper() and not name.isupper() else part.lower() for part in parts)
    return said[:1].upper() + said[1:]


@register.filter
def said(value: Any) -> str:
    """A field's value in words: lists with commas, nothing as a dash."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text or "–"


@register.filter
def plain(value: Decimal) -> str:
    """12.500 → 12.5, 6.000 → 6."""
    return f"{value.normalize():f}"
