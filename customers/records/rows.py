"""How a customer reads in the list and in its export."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from customers.models import Stage
from customers.records.columns import Extra
from customers.records.elsewhere import paid_elsewhere
from retention.common.spreadsheet import harmless
from retention.workspace.fragments import Fragment, text
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import exact, money, number, relative

STAGES: dict[str, str] = dict(Stage.choices)
STAGE_MARKS = {
    stage: format_html('<span class="stage stage-{}">{}</span>', stage, label) for stage, label in STAGES.items()
}
_FIGURE = ' class="num"'
HEADER = ["Id", "Customer", "E-mail", "Country", "Tags", "Stage", "Owner"]
HEADER += ["Orders", "Revenue", "MRR", "MRR in", "Last order", "Renews", "NPS"]
#: So many rows of a file are looked at together.
AT_A_TIME = 2_000


ROW = Fragment("customers/list_row.html")


def shown(rows: Sequence[dict[str, Any]], currency: str, extras: Sequence[Extra] = ()) -> list[SafeString]:
    """The rows of the list's table, with the columns on request at their ends."""
    elsewhere = paid_elsewhere(rows, currency)
    return [_row(row | {"elsewhere": elsewhere.get(row["pk"], "")}, currency, extras) for row in rows]


def _row(row: dict[str, Any], currency: str, extras: Sequence[Extra]) -> SafeString:
    name = row["name"] or row["email"] or row["external_id"]
    last, renews, stage = row["facts__last_order_at"], row["facts__renews_at"], row["facts__stage"]
    return ROW(
        pk=row["pk"],
        name=name,
        url=page_of("customers:detail", row["pk"]),
        marks=_marks(row, name),
        stage=STAGE_MARKS[stage] if stage else "",
        owner=_owner(row),
        orders=number(row["facts__orders"]),
        revenue=money(row["facts__revenue"], currency),
        mrr=money(row["facts__mrr"], currency) if row["facts__mrr"] else _without_mrr(row["elsewhere"], currency),
        last_order=relative(last) if last else "",
        last_order_exact=exact(last) if last else "",
        renews=relative(renews) if renews else "",
        renews_exact=exact(renews) if renews else "",
        nps="" if row["facts__nps_score"] is None else row["facts__nps_score"],
        more=_more(row, currency, extras),
    )


def _marks(row: dict[str, Any], name: str) -> SafeString:
    """What stands beside and below the name."""
    words = [*(["key account"] if row["is_key_account"] else []), *row["tags"]]
    detail = next((other for other in (row["email"], row["external_id"]) if other != name), "")
    marks = [f'<span class="word">{text(word)}</span>' for word in words]
    below = [f'<span class="sub">{text(detail)}</span>'] if detail else []
    return SafeString("".join(marks + below))


def _without_mrr(elsewhere: str, currency: str) -> SafeString | str:
    said = '<span class="soft" title="They pay in {0}, which is not part of figures in {1}">in {0}</span>'
    return format_html(said, elsewhere, currency) if elsewhere else ""


def _more(row: dict[str, Any], currency: str, extras: Sequence[Extra]) -> SafeString:
    cells = (
        f"<td{_FIGURE if extra.is_figure else ''}>{text(extra.told(extra.read(row), currency))}</td>"
        for extra in extras
    )
    return SafeString("".join(cells))


def _owner(row: dict[str, Any]) -> str:
    return f"{row['owner__first_name'] or ''} {row['owner__last_name'] or ''}".strip() or row["owner__email"] or ""


def header(extras: Sequence[Extra]) -> list[str]:
    return [*HEADER, *(harmless(extra.label) for extra in extras)]


def cells(rows: Iterable[dict[str, Any]], currency: str, extras: Sequence[Extra] = ()) -> Iterator[list[Any]]:
    """The export's lines: the same columns, figures bare and instants in ISO 8601 of the person's zone."""
    coming = iter(rows)
    while together := list(islice(coming, AT_A_TIME)):
        elsewhere = paid_elsewhere(together, currency)
        for row in together:
            yield [*_cells(row, elsewhere.get(row["pk"], ""), currency), *(_cell(extra, row) for extra in extras)]


def _cells(row: dict[str, Any], elsewhere: str, currency: str) -> list[Any]:
    """What is paid in another currency has no amount here, which is not to say that nothing is paid."""
    texts = (row["external_id"], row["name"], row["email"], row["country"], ", ".join(row["tags"]))
    return [
        *(harmless(text) for text in texts),
        STAGES.get(row["facts__stage"], ""),
        harmless(_owner(row)),
        _bare(row["facts__orders"]),
        _bare(row["facts__revenue"]),
        "" if elsewhere else _bare(row["facts__mrr"]),
        elsewhere or (currency if row["facts__mrr"] else ""),
        _instant(row["facts__last_order_at"]),
        _instant(row["facts__renews_at"]),
        _bare(row["facts__nps_score"]),
    ]


def _cell(extra: Extra, row: dict[str, Any]) -> str:
    text = extra.bare(extra.read(row))
    return text if extra.is_figure else harmless(text)


def _bare(value: Decimal | int | None) -> str:
    return "" if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _instant(value: datetime | None) -> str:
    return timezone.localtime(value).isoformat(timespec="seconds") if value else ""
