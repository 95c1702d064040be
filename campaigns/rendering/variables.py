"""What a text may say about a customer: a plain dictionary of strings, numbers and lists, and its catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from customers.custom.definitions import defined
from customers.models import Customer, CustomField
from retention.common.money import rounded
from retention.workspace.models import Workspace

Values = dict[str, Any]


@dataclass(frozen=True)
class Variable:
    """One name a text may use, as the editor lists it."""

    name: str
    meaning: str


_LISTED = 'with | join: ", " after its name, commas stand between'
CATALOGUE = (
    Variable("customer.name", "Name"),
    Variable("customer.first_name", "First word of a person's name; empty for a company"),
    Variable("customer.email", "E-mail address"),
    Variable("customer.country", "Country"),
    Variable("customer.language", "Language"),
    Variable("customer.id", "Id in your other systems"),
    Variable("customer.tags", f"List of tags; {_LISTED}"),
    Variable("customer.stage", "Lifecycle stage"),
    Variable("customer.health", "Health from 0 to 100; empty where too little is known"),
    Variable("customer.health_band", "good, watch or poor; empty where too little is known"),
    Variable("customer.attributes.…", "What files brought along under other names"),
    Variable("orders.count", "Number of orders"),
    Variable("orders.revenue", "Net revenue so far"),
    Variable("orders.last_on", "Day of the last order, as 2026-01-31"),
    Variable("orders.days_since_last", "Days since the last order"),
    Variable("subscription.mrr", "Monthly recurring revenue"),
    Variable("subscription.renews_on", "Day of the next renewal, as 2026-01-31"),
    Variable("survey.url", "Link to this e-mail's survey"),
    Variable("survey.score_urls", "List of eleven links, one for each score from 0 to 10"),
    Variable("company.name", "Your company's name"),
    Variable("company.currency", "Your currency"),
    Variable("unsubscribe_url", "Link to unsubscribe (also printed below every e-mail)"),
)


def catalogue() -> list[Variable]:
    """What a text may use, with the custom fields there are. One query."""
    own = [Variable(f"customer.custom.{field.key}", _meaning(field)) for field in defined()]
    return [*CATALOGUE, *own]


def _meaning(field: CustomField) -> str:
    several = f", a list; {_LISTED}"
    shape = {"date": ", as 2026-01-31", "yes_no": ", true or false", "choices": several}.get(field.type, "")
    return f"{field.label}{shape}; empty where it is not known"


#: What a text sees of a custom field that is not known: neither yes nor no, an empty list, else an empty text.
_UNKNOWN: Values = {CustomField.Type.YES_NO: None, CustomField.Type.CHOICES: []}
_FIELDS = (
    "id",
    "kind",
    "name",
    "email",
    "country",
    "language",
    "external_id",
    "tags",
    "attributes",
    "facts__stage",
    "facts__health",
    "facts__health_band",
    "facts__orders",
    "facts__revenue",
    "facts__last_order_at",
    "facts__mrr",
    "facts__renews_at",
)


def about(customer_ids: Iterable[int], workspace: Workspace, now: datetime) -> dict[int, Values]:
    """The variables of each customer, in two queries. Survey and unsubscribe links are added for a message."""
    custom = {field.key: _UNKNOWN.get(field.type, "") for field in defined()}
    rows = Customer.objects.filter(id__in=customer_ids).values(*_FIELDS)
    company = {"name": workspace.name, "currency": workspace.currency}
    return {row["id"]: {**_values(row, custom, workspace, now), "company": company} for row in rows}


def _values(row: Values, custom: Values, workspace: Workspace, now: datetime) -> Values:
    last, zone = row["facts__last_order_at"], workspace.zone
    name = row["name"]
    return {
        "customer": {
            "id": row["external_id"],
            "name": name,
            "first_name": name.split(" ", 1)[0] if row["kind"] == Customer.Kind.PERSON else "",
            "email": row["email"],
            "country": row["country"],
            "language": row["language"],
            "tags": row["tags"],
            "stage": row["facts__stage"] or "",
            "health": "" if row["facts__health"] is None else row["facts__health"],
            "health_band": row["facts__health_band"] or "",
            "attributes": {key: value for key, value in row["attributes"].items() if _plain(value)},
            "custom": {key: row["attributes"].get(key, unknown) for key, unknown in custom.items()},
        },
        "orders": {
            "count": row["facts__orders"] or 0,
            "revenue": _amount(row["facts__revenue"], workspace.currency),
            "last_on": _day(last, zone),
            "days_since_last": (now.astimezone(zone).date() - last.astimezone(zone).date()).days if last else "",
        },
        "subscription": {
            "mrr": _amount(row["facts__mrr"], workspace.currency),
            "renews_on": _day(row["facts__renews_at"], zone),
        },
    }


def _plain(value: Any) -> bool:
    """Whether a text may see it: strings, numbers and lists of these."""
    if isinstance(value, list):
        return all(_plain(each) for each in value)
    return isinstance(value, str | int | float | bool)


def _amount(amount: Decimal | None, currency: str) -> float:
    return float(rounded(amount, currency)) if amount else 0.0


def _day(instant: datetime | None, zone: tzinfo) -> str:
    return instant.astimezone(zone).date().isoformat() if instant else ""
