"""How an event reads as a line of the timeline."""

from collections.abc import Collection, Iterable

from django.utils.safestring import SafeString

from customers.records.timeline import GROUPS, Told
from retention.workspace.fragments import Fragment, text
from retention.workspace.templatetags.shell import day, when

ROW = Fragment("customers/happened.html")
_CHIP = '<label class="chip chip-check"><input type="checkbox" name="show" value="{0}"{1}>{0}</label>'


def rows(events: Iterable[Told]) -> SafeString:
    """As HTML."""
    return _joined(map(_row, events))


def chips(shown: Collection[str]) -> SafeString:
    """A box to tick for each group, with those ticked that are shown."""
    return _joined(_CHIP.format(group, " checked" if group in shown else "") for group in GROUPS)


def _row(event: Told) -> SafeString:
    return ROW(
        group=event.group.lower(),
        sentence=SafeString(f'<a href="{text(event.url)}">{text(event.sentence)}</a>') if event.url else event.sentence,
        times=_times(event),
        note=SafeString(f'<br><span class="soft">{text(event.note)}</span>') if event.note else "",
        when=when(event.at),
    )


def _times(event: Told) -> SafeString | str:
    since = f" since {day(event.since)}" if event.since else ""
    return SafeString(f", {event.times} times{since}") if event.times > 1 else ""


def _joined(parts: Iterable[str]) -> SafeString:
    return SafeString("".join(parts))
