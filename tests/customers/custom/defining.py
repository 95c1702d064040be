"""Custom fields for tests, made as an administrator makes them."""

from customers.custom.definitions import Draft, define
from customers.models import CustomField


def a_field(
    key: str, kind: str = "text", *choices: str, required: bool = False, about: str = "customer"
) -> CustomField:
    """A field labelled by its key: account_tier is "Account tier"."""
    return define(about, key, kind, Draft(key.replace("_", " ").capitalize(), choices, required=required))


def one_of_each() -> list[CustomField]:
    """tier is one of gold, silver; areas several of north, south; the others are named for their types."""
    listed = {"tier": ("choice", ("gold", "silver")), "areas": ("choices", ("north", "south"))}
    plain = {
        "contract": "text", "story": "long_text", "seats": "number", "budget": "money", "trained": "date",
        "reference": "yes_no", "site": "link",
    }  # fmt: skip
    return [
        *(a_field(key, kind) for key, kind in plain.items()),
        *(a_field(key, kind, *choices) for key, (kind, choices) in listed.items()),
    ]
