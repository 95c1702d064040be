"""Related rows that rules can count or add up: orders, what was bought, subscriptions, events of each kind.

To add one, write down its rows (`Related`), what may be asked of each, and a `count` or `total` of it in `TALLIES`.
Those of account managers' work are in `related_work`; rooms above add theirs to the catalogue.
"""

from customers.events.kinds import CATALOGUE as EVENT_KINDS
from customers.events.kinds import Kind
from customers.models import Interval, Order
from customers.segments import for_values
from customers.segments.counting import count, instant, of_row, text, total
from customers.segments.fields import EVENT, Column, Related, Tally
from customers.segments.operators import Bound, Sql

_LINES = "EXISTS (SELECT 1 FROM customers_orderline l WHERE l.order_id = r.id AND {test})"
_CATEGORY_OF_LINES = """EXISTS (SELECT 1 FROM customers_orderline l JOIN customers_product p ON p.sku = l.sku
    WHERE l.order_id = r.id AND {test})"""
_ORDER_STATE = of_row("state", "State", for_values.CHOICE, "r.state", choices=tuple(Order.State.choices))
_COMPLETED = (("state", Sql("r.state = 'completed'")),)
_ORDERS = Related(
    "customers_order r",
    "r.ordered_at",
    (
        Column("sku", "Product (SKU)", "", for_values.ANY_TEXT, Sql("l.sku"), "r", within=_LINES),
        Column("product", "Product's name", "", for_values.ANY_TEXT, Sql("l.description"), "r", within=_LINES),
        Column(
            "category",
            "Product's category",
            "",
            for_values.ANY_TEXT,
            Sql("NULLIF(p.category, '')"),
            "r",
            within=_CATEGORY_OF_LINES,
            rests_on="products",
        ),
        of_row("amount", "Amount", for_values.NUMBER[:5], "r.net", unit="money"),
        _ORDER_STATE,
        text("source", "Source", "r.source"),
        of_row("currency", "Currency", for_values.TEXT[:3], "r.currency"),
        instant("at", "Ordered", "r.ordered_at"),
    ),
    always=Sql("r.customer_id IS NOT NULL"),
    unless_asked=_COMPLETED,
)
_LINE_ITEMS = Related(
    "customers_orderline l JOIN customers_order r ON r.id = l.order_id",
    "r.ordered_at",
    (
        text("sku", "Product (SKU)", "l.sku"),
        text("product", "Product's name", "l.description"),
        Column(
            "category",
            "Product's category",
            "",
            for_values.TEXT,
            Sql("(SELECT NULLIF(p.category, '') FROM customers_product p WHERE p.sku = l.sku)"),
            "r",
            rests_on="products",
        ),
        of_row("quantity", "Quantity", for_values.NUMBER[:5], "l.quantity"),
        of_row("price", "Unit price", for_values.NUMBER[:5], "l.unit_price", unit="money"),
        _ORDER_STATE,
        instant("at", "Ordered", "r.ordered_at"),
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
        text("plan", "Plan", "r.plan"),
        Column(
            "state",
            "State",
            "",
            for_values.CHOICE,
            Sql("CASE WHEN r.valid_to <= %s THEN 'ended' ELSE 'in_force' END", (Bound.NOW,)),
            "r",
            choices=_SUBSCRIPTION_STATES,
            turns=("r.valid_to",),
        ),
        of_row("mrr", "Monthly recurring revenue", for_values.NUMBER[:5], "r.mrr", unit="money"),
        of_row("currency", "Currency", for_values.TEXT[:3], "r.currency"),
        of_row("quantity", "Quantity", for_values.NUMBER[:5], "r.quantity"),
        of_row("interval", "Interval", for_values.CHOICE, 'r."interval"', choices=tuple(Interval.choices)),
        of_row("discount", "Discount", for_values.NUMBER[:5], "r.discount", unit="percent"),
        instant("since", "Present terms since", "r.valid_from"),
        instant("renews_at", "Renewal", "s.renews_at"),
        instant("ends_at", "End", "r.valid_to"),
        instant("cancelled_at", "Cancelled", "s.cancelled_at"),
        text("cancel_reason", "Reason for leaving", "s.cancel_reason"),
    ),
    always=Sql(_CURRENT_TERM, (Bound.NOW,)),
)


def _event(kind: Kind) -> Tally:
    """What a machine that checks mail opens and clicks counts for nothing, unless somebody asks for it."""
    person = Sql("NOT r.payload ? 'machine'")
    related = Related(
        "customers_event r",
        "r.occurred_at",
        (
            text("source", "Source", "r.source"),
            text("ref", "About (reference)", "r.ref"),
            instant("at", "Happened", "r.occurred_at"),
        ),
        always=Sql("r.kind = %s", (kind.name,)),
        unless_asked=(("payload.machine", person),) if kind.name in ("message.opened", "message.clicked") else (),
        payload="r.payload",
    )
    return count(f"{EVENT}{kind.name}", kind.label, "Events", related)


TALLIES: tuple[Tally, ...] = (
    count("order_count", "Orders in a period", "Orders in a period", _ORDERS),
    total("order_total", "Value of orders in a period", "Orders in a period", _ORDERS, "r.net", "money"),
    total("product_quantity", "Products bought", "Orders in a period", _LINE_ITEMS, "l.quantity"),
    total(
        "product_total",
        "Spent on products",
        "Orders in a period",
        _LINE_ITEMS,
        "l.quantity * l.unit_price",
        "money",
    ),
    count(
        "product_kinds", "Different products bought", "Orders in a period", _LINE_ITEMS, "DISTINCT NULLIF(l.sku, '')"
    ),
    count("subscription_count", "Subscriptions", "Subscription", _SUBSCRIPTIONS),
    # A segment on entering segments could chase itself.
    *(_event(kind) for kind in EVENT_KINDS.values() if not kind.name.startswith("segment.")),
)
