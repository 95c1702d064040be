"""Related rows that rules can count or add up: orders, what was bought, subscriptions, events of each kind.

To add one, write down its rows (`Related`), what may be asked of each, and a `_count` or `_total` of it in `TALLIES`.
"""

from collections.abc import Sequence

from customers.events.kinds import CATALOGUE as EVENT_KINDS
from customers.events.kinds import Kind
from customers.models import Interval, Order
from customers.segments import operators
from customers.segments.fields import EVENT, Choices, Column, Related, Tally
from customers.segments.operators import Bound, Comparison, Sql


def _of_row(
    key: str, label: str, kind: Sequence[Comparison], sql: str, *, unit: str = "", choices: Choices = ()
) -> Column:
    return Column(key, label, "", kind, Sql(sql), "r", unit, choices)


_LINES = "EXISTS (SELECT 1 FROM customers_orderline l WHERE l.order_id = r.id AND {test})"
_CATEGORY_OF_LINES = """EXISTS (SELECT 1 FROM customers_orderline l JOIN customers_product p ON p.sku = l.sku
    WHERE l.order_id = r.id AND {test})"""
_ORDER_STATE = _of_row("state", "State", operators.CHOICE, "r.state", choices=tuple(Order.State.choices))
_COMPLETED = (("state", Sql("r.state = 'completed'")),)
_ORDERS = Related(
    "customers_order r",
    "r.ordered_at",
    (
        Column("sku", "Product (SKU)", "", operators.ANY_TEXT, Sql("l.sku"), "r", within=_LINES),
        Column("product", "Product's name", "", operators.ANY_TEXT, Sql("l.description"), "r", within=_LINES),
        Column(
            "category",
            "Product's category",
            "",
            operators.ANY_TEXT,
            Sql("NULLIF(p.category, '')"),
            "r",
            within=_CATEGORY_OF_LINES,
            rests_on="products",
        ),
        _of_row("amount", "Amount", operators.NUMBER[:5], "r.net", unit="money"),
        _ORDER_STATE,
        _of_row("source", "Source", operators.TEXT, "NULLIF(r.source, '')"),
        _of_row("currency", "Currency", operators.TEXT[:3], "r.currency"),
    ),
    always=Sql("r.customer_id IS NOT NULL"),
    unless_asked=_COMPLETED,
)
_LINE_ITEMS = Related(
    "customers_orderline l JOIN customers_order r ON r.id = l.order_id",
    "r.ordered_at",
    (
        _of_row("sku", "Product (SKU)", operators.TEXT, "NULLIF(l.sku, '')"),
        _of_row("product", "Product's name", operators.TEXT, "NULLIF(l.description, '')"),
        Column(
            "category",
            "Product's category",
            "",
            operators.TEXT,
            Sql("(SELECT NULLIF(p.category, '') FROM customers_product p WHERE p.sku = l.sku)"),
            "r",
            rests_on="products",
        ),
        _of_row("quantity", "Quantity", operators.NUMBER[:5], "l.quantity"),
        _of_row("price", "Unit price", operators.NUMBER[:5], "l.unit_price", unit="money"),
        _ORDER_STATE,
    ),
    always=Sql("r.customer_id IS NOT NULL"),
    unless_asked=_COMPLETED,
)
_SUBSCRIPTION_STATES = (("in_force", "In force"), ("ended", "Ended"))
_CURRENT_TERM = """NOT EXISTS (SELECT 1 FROM customers_subscriptionterm later
    WHERE later.subscription_id = r.subscription_id AND later.valid_from > r.valid_from AND later.valid_from <= %s)"""
#: Each subscription by the last of its terms that has begun: once, however often it was changed.
_SUBSCRIPTIONS = Related(
    "customers_subscriptionterm r JOIN customers_subscription s ON s.id = r.subscription_id",
    "r.valid_from",
    (
        _of_row("plan", "Plan", operators.TEXT, "NULLIF(r.plan, '')"),
        Column(
            "state",
            "State",
            "",
            operators.CHOICE,
            Sql("CASE WHEN r.valid_to <= %s THEN 'ended' ELSE 'in_force' END", (Bound.NOW,)),
            "r",
            choices=_SUBSCRIPTION_STATES,
            turns=("r.valid_to",),
        ),
        _of_row("mrr", "Monthly recurring revenue", operators.NUMBER[:5], "r.mrr", unit="money"),
        _of_row("currency", "Currency", operators.TEXT[:3], "r.currency"),
        _of_row("quantity", "Quantity", operators.NUMBER[:5], "r.quantity"),
        _of_row("interval", "Interval", operators.CHOICE, 'r."interval"', choices=tuple(Interval.choices)),
        _of_row("discount", "Discount", operators.NUMBER[:5], "r.discount", unit="percent"),
        _of_row("since", "Present terms since", operators.DATE, "r.valid_from", unit="instant"),
        _of_row("renews_at", "Renewal", operators.DATE, "s.renews_at", unit="instant"),
        _of_row("ends_at", "End", operators.DATE, "r.valid_to", unit="instant"),
        _of_row("cancelled_at", "Cancelled", operators.DATE, "s.cancelled_at", unit="instant"),
        _of_row("cancel_reason", "Reason for leaving", operators.TEXT, "NULLIF(s.cancel_reason, '')"),
    ),
    always=Sql(_CURRENT_TERM, (Bound.NOW,)),
)


def _count(key: str, label: str, group: str, related: Related) -> Tally:
    return Tally(key, label, group, operators.TIMES, related)


def _total(key: str, label: str, group: str, related: Related, sql: str, unit: str = "") -> Tally:
    return Tally(key, label, group, operators.TOTAL, related, sql, unit)


def _event(kind: Kind) -> Tally:
    """What a machine that checks mail opens and clicks counts for nothing, unless somebody asks for it."""
    person = Sql("NOT r.payload ? 'machine'")
    related = Related(
        "customers_event r",
        "r.occurred_at",
        (
            _of_row("source", "Source", operators.TEXT, "NULLIF(r.source, '')"),
            _of_row("ref", "About (reference)", operators.TEXT, "NULLIF(r.ref, '')"),
        ),
        always=Sql("r.kind = %s", (kind.name,)),
        unless_asked=(("payload.machine", person),) if kind.name in ("message.opened", "message.clicked") else (),
        payload="r.payload",
    )
    return _count(f"{EVENT}{kind.name}", kind.label, "Events", related)


TALLIES: tuple[Tally, ...] = (
    _count("order_count", "Orders in a period", "Orders in a period", _ORDERS),
    _total("order_total", "Value of orders in a period", "Orders in a period", _ORDERS, "r.net", "money"),
    _total("product_quantity", "Products bought", "Orders in a period", _LINE_ITEMS, "l.quantity"),
    _total(
        "product_total",
        "Spent on products",
        "Orders in a period",
        _LINE_ITEMS,
        "l.quantity * l.unit_price",
        "money",
    ),
    _count("subscription_count", "Subscriptions", "Subscription", _SUBSCRIPTIONS),
    # A segment on entering segments could chase itself.
    *(_event(kind) for kind in EVENT_KINDS.values() if not kind.name.startswith("segment.")),
)
