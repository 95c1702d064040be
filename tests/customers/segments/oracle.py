"""Rules judged in plain Python from JSON, a customer's facts and records, as the words of each operator say."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from customers.models import Consent, Customer, CustomerFacts

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
    if rule["field"].startswith("events."):
        return happened(rule, who, now)
    return compare(rule["op"], found(rule["field"], who), rule["value"], now, zone)


def happened(rule: dict[str, Any], who: Customer, now: datetime) -> bool:
    kind, wanted = rule["field"].removeprefix("events."), rule["value"]
    ages = [now - event.occurred_at for event in who.events.filter(kind=kind)]
    times: int = sum(timedelta() <= age < wanted["days"] * DAY for age in ages)
    enough, at_most = times >= int(wanted["times"]), times <= int(wanted["times"])
    return enough if rule["op"] == "at_least" else at_most


def found(field: str, who: Customer) -> Any:
    facts: CustomerFacts = who.facts
    special: dict[str, Callable[[], Any]] = {
        "has_email": lambda: "yes" if who.email else "no",
        "owner": lambda: None if who.owner_id is None else str(who.owner_id),
        "consent.email": lambda: next(
            iter(Consent.objects.filter(customer=who).values_list("state", flat=True)), "never"
        ),
        "usage_change": lambda: usage_change(facts),
    }
    if field in special:
        return special[field]()
    if field.startswith("custom."):
        return custom(field.removeprefix("custom.own_"), who.attributes.get(field.removeprefix("custom.")))
    if field.startswith("attributes."):
        return attribute(who.attributes.get(field.removeprefix("attributes.")))
    value = getattr(who if hasattr(who, field) and field != "orders" else facts, field)
    return None if value == "" else value


def consent(who: Customer) -> str:
    given = Consent.objects.filter(customer=who).first()
    return given.state if given else "never"


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
    if op in ("at_least", "at_most", "more_than", "less_than", "equals"):
        return compare_numbers(op, x, Decimal(str(value)))
    if isinstance(x, date) and not isinstance(x, datetime):
        return compare_days(op, x, value, now.astimezone(zone).date())
    return (compare_text if isinstance(x, str) else compare_instants)(op, x, value, now, zone)


def compare_days(op: str, x: date, value: Any, today: date) -> bool:
    if op in ("before", "on_or_after"):
        return (x < date.fromisoformat(value)) == (op == "before")
    tests: dict[str, bool] = {
        "more_than_days_ago": (today - x).days > value,
        "within_days": 0 <= (today - x).days <= value,
        "in_next_days": 0 <= (x - today).days <= value,
    }
    return tests[op]


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
    if op == "is_any_of":
        return x in [text.lower() for text in value]
    typed = str(value).lower()
    return {"is": x == typed, "contains": typed in x, "starts_with": x.startswith(typed)}[op]


def compare_instants(op: str, x: datetime, value: Any, now: datetime, zone: ZoneInfo) -> bool:
    if op in ("before", "on_or_after"):
        return (x < datetime.combine(date.fromisoformat(value), time(), zone)) == (op == "before")
    reach: timedelta = value * DAY
    return {
        "more_than_days_ago": x < now - reach,
        "within_days": now - reach <= x <= now,
        "in_next_days": now <= x <= now + reach,
    }[op]
