"""Placing an order, or saying more of one that is known: by its id, so that what is told again changes nothing.

The rules are those of files (customers/ingest/merging_orders.py): what is not said stays as it stands; lines come
whole; the amount is what is said, or else the sum of the lines; an order that comes to less than nothing is a credit
note. An order without a customer is kept, and no event tells of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any

from django.db import IntegrityError, transaction

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.models import Event, ImportChange, Order, OrderLine
from retention.common import clock

#: Clocks and zones differ by no more.
AHEAD = timedelta(days=1)
#: Of what an amount may be, one that can be kept is below that.
LARGEST = Decimal(10) ** 14
_CENT, _SMALLEST = Decimal("0.01"), Decimal("0.0001")
FIELDS = ("customer_id", "ordered_at", "state", "amount", "refunded", "currency")


class Incomplete(Exception):
    """An order that is not known yet lacks a part. `parts`: the names of what is missing."""

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts = parts


class Unlikely(Exception):
    """What is said of an order cannot be so. `part` is what, and the text says why."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(why)
        self.part = part


@dataclass(frozen=True)
class Line:
    quantity: Decimal
    unit_price: Decimal
    sku: str = ""
    description: str = ""

    @property
    def parts(self) -> tuple[str, str, Decimal, Decimal]:
        return self.sku, self.description, self.quantity, self.unit_price


@transaction.atomic
def put(
    external_id: str, said: Mapping[str, Any], lines: Sequence[Line] | None, currency: str, source: str
) -> tuple[Order, bool]:
    """The order as it stands then, and whether it is new. `said`: any of FIELDS; `currency` where nothing is said.

    Without `lines` those that stand stay. Raises Incomplete and Unlikely.
    """
    told = dict(said)
    if lines is not None:
        total = sum((line.quantity * line.unit_price for line in lines), Decimal(0)).quantize(_SMALLEST)
        told.setdefault("amount", total)
    _refuse(told)
    order, is_new = _held(external_id, told, currency, source)
    changed = not is_new and _change(order, told)
    if changed and order.source != source:
        _note_for_undo(order)
    lines_changed = lines is not None and _bring_lines(order, lines)
    if order.customer_id and (changed or (lines_changed and not is_new)):
        dirty.mark([order.customer_id])
    return Order.objects.prefetch_related("lines").get(pk=order.pk), is_new


def _refuse(told: Mapping[str, Any]) -> None:
    if told.get("ordered_at", clock.now()) > clock.now() + AHEAD:
        raise Unlikely("ordered_at", "It has not been placed yet.")
    if abs(told.get("amount", Decimal(0))) >= LARGEST:
        raise Unlikely("amount", "It comes to more than can be kept.")


def _held(external_id: str, told: Mapping[str, Any], currency: str, source: str) -> tuple[Order, bool]:
    """The order of this id, locked, made where there is none; of two who make it at once the second finds it."""
    stands = Order.objects.select_for_update().filter(external_id=external_id).first()
    if stands:
        return stands, False
    if missing := [name for name in ("ordered_at", "amount") if name not in told]:
        raise Incomplete(missing)
    order = Order(**{"external_id": external_id, "currency": currency, "source": source, **told})
    order.state = _state(order)
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError:
        return Order.objects.select_for_update().get(external_id=external_id), False
    _tell_new(order)
    return order, True


def _state(order: Order) -> str:
    credit = order.amount < 0 and order.customer_id and order.state == Order.State.COMPLETED
    return Order.State.CANCELLED if credit else order.state


def _change(order: Order, told: Mapping[str, Any]) -> bool:
    """Whether anything is otherwise now; what matters of it is recorded."""
    before = {name: getattr(order, name) for name in FIELDS}
    for name, value in told.items():
        setattr(order, name, value)
    if "state" not in told and before["amount"] < 0 <= order.amount:
        order.state = Order.State.COMPLETED
    order.state = _state(order)
    if before == {name: getattr(order, name) for name in FIELDS}:
        return False
    order.save(update_fields=list(FIELDS))
    if moved := order.customer_id != before["customer_id"]:
        dirty.mark([before["customer_id"]] if before["customer_id"] else [])
    cancelled = order.state == Order.State.CANCELLED != before["state"]
    if order.customer_id and (moved or cancelled):
        record([_happening(order, order.ordered_at if moved else clock.now())])
    return True


def _note_for_undo(order: Order) -> None:
    """A file that brought it takes it back only as it brought it; the row itself does not tell that it was changed."""
    ImportChange.objects.create(table=Order._meta.db_table, first=order.pk, last=order.pk, before={}, at=clock.now())


def _bring_lines(order: Order, lines: Sequence[Line]) -> bool:
    """Make its lines these, the nth the nth. Whether any is otherwise now."""
    stands = [(row.sku, row.description, row.quantity, row.unit_price) for row in order.lines.order_by("position")]
    if stands == [line.parts for line in lines]:
        return False
    order.lines.all().delete()
    OrderLine.objects.bulk_create(
        OrderLine(order=order, position=place, **vars(line)) for place, line in enumerate(lines, start=1)
    )
    return True


def _tell_new(order: Order) -> None:
    """An order of this id may have been told of before, and taken back with the file that brought it."""
    if not order.customer_id:
        return
    happening = _happening(order, order.ordered_at)
    told = Event.objects.filter(customer=order.customer_id, kind=happening.kind, dedup_key=happening.dedup_key)
    if told.exists():
        happening = _happening(order, order.ordered_at, f":{order.pk}")
    record([happening])


def _happening(order: Order, at: datetime, again: str = "") -> Happening:
    cancelled = order.state == Order.State.CANCELLED
    number = order.external_id
    key = md5(number.encode(), usedforsecurity=False).hexdigest() if len(number) > 100 else number
    return Happening(
        customer_id=order.customer_id or 0,
        kind="order.cancelled" if cancelled else "order.placed",
        occurred_at=at,
        source=order.source,
        ref=f"order:{order.pk}",
        payload={"amount": _amount(order.amount), "currency": order.currency, "external_id": number},
        dedup_key=f"order:{key}{again}",
    )


def _amount(amount: Decimal) -> str:
    """With two decimals, or as many as it has."""
    cents = amount.quantize(_CENT)
    return str(cents if cents == amount else amount.normalize())
