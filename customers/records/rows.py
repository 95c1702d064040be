"""How a customer reads in the list and in its export. Text is made here, so that the template's row stays cheap."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from customers.models import Stage
from customers.records.columns import Extra
from retention.common.spreadsheet import harmless
from retention.workspace.templatetags.shell import exact, money, number, relative

STAGES: dict[str, str] = dict(Stage.choices)
HEADER = ["Id", "Customer", "E-mail", "Country", "Tags", "Stage", "Owner"]
HEADER += ["Orders", "Revenue", "MRR", "Last order", "Renews", "NPS"]


@dataclass(frozen=True, slots=True)
class Row:
    """One customer as the list shows them."""

    pk: int
    name: str
    detail: str
    tags: list[str]
    is_key: bool
    stage: str
    stage_label: str
    owner: str
    orders: str
    revenue: str
    mrr: str
    last_order: str
    last_order_exact: str
    renews: str
    renews_exact: str
    nps: str
    more: list[tuple[str, bool]]


def shown(rows: Iterable[dict[str, Any]], currency: str, extras: Sequence[Extra] = ()) -> list[Row]:
    """`more`: what the columns on request say of each, and whether it is a figure."""
    return [_row(row, currency, extras) for row in rows]


def _row(row: dict[str, Any], currency: str, extras: Sequence[Extra]) -> Row:
    name = row["name"] or row["email"] or row["external_id"]
    last, renews = row["facts__last_order_at"], row["facts__renews_at"]
    return Row(
        pk=row["pk"],
        name=name,
        detail=next((text for text in (row["email"], row["external_id"]) if text != name), ""),
        tags=row["tags"],
        is_key=row["is_key_account"],
        stage=row["facts__stage"] or "",
        stage_label=STAGES.get(row["facts__stage"], ""),
        owner=_owner(row),
        orders=number(row["facts__orders"]),
        revenue=money(row["facts__revenue"], currency),
        mrr=money(row["facts__mrr"], currency) if row["facts__mrr"] else "",
        last_order=relative(last) if last else "",
        last_order_exact=exact(last) if last else "",
        renews=relative(renews) if renews else "",
        renews_exact=exact(renews) if renews else "",
        nps="" if row["facts__nps_score"] is None else str(row["facts__nps_score"]),
        more=[(extra.told(extra.read(row), currency), extra.is_figure) for extra in extras],
    )


def _owner(row: dict[str, Any]) -> str:
    return f"{row['owner__first_name'] or ''} {row['owner__last_name'] or ''}".strip() or row["owner__email"] or ""


def header(extras: Sequence[Extra]) -> list[str]:
    return [*HEADER, *(harmless(extra.label) for extra in extras)]


def cells(rows: Iterable[dict[str, Any]], extras: Sequence[Extra] = ()) -> Iterator[list[Any]]:
    """The export's lines: the same columns, figures bare and instants in ISO 8601 of the person's zone."""
    for row in rows:
        texts = (row["external_id"], row["name"], row["email"], row["country"], ", ".join(row["tags"]))
        yield [
            *(harmless(text) for text in texts),
            STAGES.get(row["facts__stage"], ""),
            harmless(_owner(row)),
            _bare(row["facts__orders"]),
            _bare(row["facts__revenue"]),
            _bare(row["facts__mrr"]),
            _instant(row["facts__last_order_at"]),
            _instant(row["facts__renews_at"]),
            _bare(row["facts__nps_score"]),
            *(_cell(extra, row) for extra in extras),
        ]


def _cell(extra: Extra, row: dict[str, Any]) -> str:
    text = extra.bare(extra.read(row))
    return text if extra.is_figure else harmless(text)


def _bare(value: Decimal | int | None) -> str:
    return "" if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _instant(value: datetime | None) -> str:
    return timezone.localtime(value).isoformat(timespec="seconds") if value else ""
