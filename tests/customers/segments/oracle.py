"""Rules judged in plain Python from JSON, a customer's facts and records, as the words of each operator say."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from customers.models import Consent, Customer, CustomerFacts, ValueScale
from tests.customers.segments import belongings

DAY = timedelta(days=1)
NUMERIC = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


def holds(rule: dict[str, Any], who: Customer, now: datetime, zone: ZoneInfo) -> bool:
    ((word, inner), *rest) = rule.items()
    if not rest and word == "all":
        return all(holds(part, who, now, zone) for part in inner)
    if not rest and word == "any":
        return any(holds(part, who, now, zone) for part in inner)
    if not rest and word == "not":
        return not holds(inner, who, now, zone)
    if rule["field"].startswith("events.") or rule["field"] in ROWS:
        return tallied(rule, who, now, zone)
    return compare(rule["op"], found(rule["field"], who), rule["value"], now, days_of(rule, who, zone))


def days_of(rule: dict[str, Any], who: Customer, zone: ZoneInfo) -> ZoneInfo:
    """Whose days a condition goes by; a zone that there is not counts as none."""
    own = rule.get("days_of") == "customer" and who.time_zone in available_timezones()
    return ZoneInfo(who.time_zone) if own else zone


Row = dict[str, Any]
#: By product code, as people.populated has them.
CATEGORIES = {"A1": "Tea"}


def order_rows(who: Customer) -> list[Row]:
    return [
        {
            "at": order.ordered_at,
            "sum": order.amount - order.refunded,
            "amount": order.amount - order.refunded,
            "sku": [line.sku for line in order.lines.all()],
            "product": [line.description for line in order.lines.all()],
            "category": [CATEGORIES.get(line.sku) for line in order.lines.all()],
            "state": order.state,
            "source": order.source,
            "currency": order.currency,
        }
        for order in who.orders.prefetch_related("lines")
    ]


def line_rows(who: Customer, by: str) -> list[Row]:
    return [
        {
            "at": order.ordered_at,
            "sum": line.quantity if by == "quantity" else line.quantity * line.unit_price,
            "sku": line.sku,
            "product": line.description,
            "category": CATEGORIES.get(line.sku),
            "quantity": line.quantity,
            "price": line.unit_price,
            "state": order.state,
            "each": line.sku,
        }
        for order in who.orders.prefetch_related("lines")
        for line in order.lines.all()
    ]


def subscription_rows(who: Customer, now: datetime) -> list[Row]:
    rows = []
    for one in who.subscriptions.prefetch_related("terms"):
        begun = sorted((term for term in one.terms.all() if term.valid_from <= now), key=lambda term: term.valid_from)
        for term in begun[-1:]:
            row = {**vars(term), "renews_at": one.renews_at, "cancelled_at": one.cancelled_at}
            row |= {"at": term.valid_from, "since": term.valid_from, "ends_at": term.valid_to}
            row["state"] = "ended" if term.valid_to and term.valid_to <= now else "in_force"
            rows.append({**row, "cancel_reason": one.cancel_reason})
    return rows


ROWS: dict[str, Callable[[Customer, datetime], list[Row]]] = {
    "order_count": lambda who, _now: order_rows(who),
    "order_total": lambda who, _now: order_rows(who),
    "product_quantity": lambda who, _now: line_rows(who, "quantity"),
    "product_total": lambda who, _now: line_rows(who, "total"),
    "product_kinds": lambda who, _now: line_rows(who, "quantity"),
    "subscription_count": subscription_rows,
    **belongings.ROWS,
}


def event_rows(who: Customer, kind: str) -> list[Row]:
    return [{**vars(event), "at": event.occurred_at} for event in who.events.filter(kind=kind)]


def tallied(rule: dict[str, Any], who: Customer, now: datetime, zone: ZoneInfo) -> bool:
    field, value, where = rule["field"], rule["value"], rule.get("where", [])
    kind = field.removeprefix("events.")
    rows = ROWS[field](who, now) if field in ROWS else event_rows(who, kind)
    asked = {one["field"] for one in where}
    if field.startswith(("order", "product")) and "state" not in asked:
        rows = [row for row in rows if row["state"] == "completed"]
    if field == "message_count" and "state" not in asked:
        rows = [row for row in rows if row["state"] == "sent"]
    if kind in ("message.opened", "message.clicked") and "payload.machine" not in asked:
        rows = [row for row in rows if "machine" not in row["payload"]]
    days = value.get("days")
    rows = [row for row in rows if row["at"] <= now and (days is None or now - row["at"] < days * DAY)]
    rows = [row for row in rows if all(meets(one, row, now, days_of(one, who, zone)) for one in where)]
    if field == "product_kinds":
        rows = list({row["each"]: row for row in rows if row["each"]}.values())
    if field.startswith("offer") and "state" not in asked:
        rows = [row for row in rows if row["state"] == "granted"]
    counts = "times" in value
    amount = Decimal(len(rows)) if counts else sum((row["sum"] for row in rows), Decimal(0))
    wanted = Decimal(str(value["times"] if counts else value["total"]))
    return {"at_least": amount >= wanted, "at_most": amount <= wanted, "exactly": amount == wanted}[rule["op"]]


#: What is asked of days, also of those that a text says.
OF_DAYS = {"more_than_days_ago", "within_days", "in_next_days", "more_than_days_ahead", "on_last_days", "on_next_days"}
OF_DAYS |= {"before", "on_or_after", "anniversary_within", "anniversary_this_week", "anniversary_this_month"}
OF_DAYS |= {f"is_{name}" for name in ("today", "yesterday", "tomorrow", "this_year")}
OF_DAYS |= {f"is_{which}_{what}" for which in ("this", "last", "next") for what in ("week", "month")}


def said_day(text: str, zone: ZoneInfo) -> date | None:
    """The day that a text says, an instant lying on a day of the zone."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
        if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:", text, re.ASCII):
            return datetime.fromisoformat(text).astimezone(zone).date()
    except ValueError:
        pass
    return None


def meets(one: dict[str, Any], row: Row, now: datetime, zone: ZoneInfo) -> bool:
    inside, key = one["field"].startswith("payload."), one["field"].removeprefix("payload.")
    x = attribute(row["payload"].get(key)) if inside else row[key]
    values = x if isinstance(x, list) else [x]
    return any(compare(one["op"], None if each == "" else each, one["value"], now, zone) for each in values)


def said(who: Customer, channel: str) -> str:
    return next(iter(Consent.objects.filter(customer=who, channel=channel).values_list("state", flat=True)), "never")


def found(field: str, who: Customer) -> Any:
    facts: CustomerFacts = who.facts
    special: dict[str, Callable[[], Any]] = {
        "key_account": lambda: "yes" if who.is_key_account else "no",
        "team": lambda: who.team.name if who.team else None,
        "has_email": lambda: "yes" if who.email else "no",
        "owner": lambda: None if who.owner_id is None else str(who.owner_id),
        "consent.email": lambda: said(who, "email"),
        "consent.sms": lambda: said(who, "sms"),
        "nps_kind": lambda: nps_kind(facts.nps_score),
        "value_group": lambda: value_group(facts),
        "value_recency": lambda: scores(facts)[0],
        "value_frequency": lambda: scores(facts)[1],
        "value_money": lambda: scores(facts)[2],
        "usage_change": lambda: usage_change(facts),
    }
    if field.startswith("main_contact."):
        return belongings.of_main_contact(who, field.removeprefix("main_contact."))
    if field in special:
        return special[field]()
    if field.startswith("custom."):
        return custom(field.removeprefix("custom.own_"), who.attributes.get(field.removeprefix("custom.")))
    if field.startswith("attributes."):
        return attribute(who.attributes.get(field.removeprefix("attributes.")))
    value = getattr(who if hasattr(who, field) and field != "orders" else facts, field)
    return None if value == "" else value


def nps_kind(score: int | None) -> str | None:
    if score is None:
        return None
    return "promoter" if score > 8 else "passive" if score > 6 else "detractor"


def scores(facts: CustomerFacts) -> tuple[int | None, int | None, int | None]:
    """In fifths on the scale that was taken last."""
    scale = ValueScale.objects.first()
    if facts.last_order_at is None or scale is None:
        return None, None, None
    return (
        1 + sum(facts.last_order_at.timestamp() >= edge for edge in scale.recency),
        1 + sum(facts.orders >= edge for edge in scale.frequency),
        1 + sum(float(facts.revenue) >= edge for edge in scale.money),
    )


def value_group(facts: CustomerFacts) -> str | None:
    """By the usual map, written as patterns of the two scores."""
    recency, frequency, _ = scores(facts)
    found = [name for pattern, name in GROUPS.items() if re.fullmatch(pattern, f"{recency}{frequency}")]
    return found[0] if found else None


GROUPS = {
    "[12][12]": "hibernating",
    "[12][34]": "at_risk",
    "[12]5": "cannot_lose",
    "3[12]": "about_to_sleep",
    "33": "need_attention",
    "[34][45]": "loyal",
    "41": "promising",
    "51": "new",
    "[45][23]": "potential_loyalists",
    "5[45]": "champions",
}


def usage_change(facts: CustomerFacts) -> Decimal | None:
    before = facts.usage_prior_30d
    return None if before == 0 else Decimal(100) * (facts.usage_30d - before) / before


def attribute(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def custom(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind in ("number", "money"):
        return Decimal(str(value))
    if kind == "yes_no":
        return "yes" if value else "no"
    return date.fromisoformat(value) if kind == "date" else value


def compare(op: str, x: Any, value: Any, now: datetime, zone: ZoneInfo) -> bool:
    if op in ("is_known", "is_unknown"):
        return (x is None) == (op == "is_unknown")
    if op in ("has", "has_not"):
        return (value in (x or ())) == (op == "has")
    if op == "has_any_of":
        return bool(set(value) & set(x or ()))
    if op == "is_not":
        return x is None or x.lower() != value.lower()
    if x is None:
        return False
    if isinstance(x, str) and op in OF_DAYS:
        day = said_day(x, zone)
        return day is not None and compare_days(op, day, value, now.astimezone(zone).date())
    if op in ("at_least", "at_most", "more_than", "less_than", "equals"):
        return compare_numbers(op, x, Decimal(str(value)))
    if isinstance(x, date) and not isinstance(x, datetime):
        return compare_days(op, x, value, now.astimezone(zone).date())
    return (compare_text if isinstance(x, str) else compare_instants)(op, x, value, now, zone)


def compare_days(op: str, x: date, value: Any, today: date) -> bool:
    if op in ("before", "on_or_after"):
        return (x < date.fromisoformat(value)) == (op == "before")
    if op in ("more_than_days_ago", "within_days", "in_next_days", "more_than_days_ahead"):
        ago = (today - x).days
        tests: dict[str, bool] = {
            "more_than_days_ago": ago > value,
            "within_days": 0 <= ago <= value,
            "in_next_days": 0 <= -ago <= value,
            "more_than_days_ahead": -ago > value,
        }
        return tests[op]
    return by_calendar(op, x, value, today)


def by_calendar(op: str, day: date, value: Any, today: date) -> bool:
    """What is asked of days, whether they are given or an instant's."""
    if op in ("on_last_days", "on_next_days"):
        ahead = (day - today).days if op == "on_next_days" else (today - day).days
        return ahead in range(value)
    if op == "anniversary_within":
        return comes_round(day, [today + number * DAY for number in range(min(value, 366) + 1)])
    if op.startswith("anniversary_this"):
        days = [today + number * DAY for number in range(-31, 32)]
        return comes_round(day, [each for each in days if in_period(op.removeprefix("anniversary_"), each, today)])
    return in_period(op.removeprefix("is_"), day, today)


def compare_numbers(op: str, x: Any, value: Decimal) -> bool:
    if isinstance(x, str) and not NUMERIC.fullmatch(x):
        return False
    number = Decimal(str(x))
    tests: dict[str, bool] = {
        "at_least": number >= value,
        "at_most": number <= value,
        "more_than": number > value,
        "less_than": number < value,
        "equals": number == value,
    }
    return tests[op]


def compare_text(op: str, x: str, value: Any, _now: datetime, _zone: ZoneInfo) -> bool:
    x = x.lower()
    if op in ("is_yes", "is_no"):
        return x in (("true", "yes") if op == "is_yes" else ("false", "no"))
    if op == "is_any_of":
        return x in [text.lower() for text in value]
    typed = str(value).lower()
    return {"is": x == typed, "contains": typed in x, "starts_with": x.startswith(typed)}[op]


def compare_instants(op: str, x: datetime, value: Any, now: datetime, zone: ZoneInfo) -> bool:
    if op in ("before", "on_or_after"):
        return (x < datetime.combine(date.fromisoformat(value), time(), zone)) == (op == "before")
    if op not in ("more_than_days_ago", "within_days", "in_next_days", "more_than_days_ahead"):
        return by_calendar(op, x.astimezone(zone).date(), value, now.astimezone(zone).date())
    reach: timedelta = value * DAY
    return {
        "more_than_days_ago": x < now - reach,
        "within_days": now - reach <= x <= now,
        "in_next_days": now <= x <= now + reach,
        "more_than_days_ahead": x > now + reach,
    }[op]


def in_period(period: str, day: date, today: date) -> bool:
    months = 12 * (day.year - today.year) + day.month - today.month
    monday, mondays = today - today.weekday() * DAY, day - day.weekday() * DAY
    return {
        "today": day == today,
        "yesterday": day == today - DAY,
        "tomorrow": day == today + DAY,
        "this_week": mondays == monday,
        "last_week": mondays == monday - 7 * DAY,
        "next_week": mondays == monday + 7 * DAY,
        "this_month": months == 0,
        "last_month": months == -1,
        "next_month": months == 1,
        "this_year": day.year == today.year,
    }[period]


def comes_round(day: date, ahead: list[date]) -> bool:
    """Its day of the year is one of those ahead, and it lies before them all."""
    if day >= ahead[0]:
        return False
    return any((each.month, each.day) == (day.month, day.day) for each in ahead) or (
        (day.month, day.day) == (2, 29)
        and any((each.month, each.day) == (2, 28) and (each + DAY).day == 1 for each in ahead)
    )
