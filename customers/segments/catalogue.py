"""The fields a rule can ask about: what each is called, where it is found, and which operators it takes.

Nothing else can be asked. To add a field of a customer, add a line to `COLUMNS`, and where its table is not in
`fields.TABLES` yet, a line there. Related rows that are counted are in `related` and `related_work`.
"""

import re
from collections.abc import Sequence

from customers.models import Consent, Customer, HealthBand, Stage
from customers.segments import for_dates, for_values, related, related_work, value
from customers.segments.counting import YES_NO
from customers.segments.fields import ATTRIBUTE, TABLES, Choices, Column, Field, OtherSegment, Tally, inside
from customers.segments.for_values import OPTIONAL_CHOICE
from customers.segments.operators import MEMBERSHIP, Comparison, Sql


def _column(
    key: str,
    label: str,
    group: str,
    kind: Sequence[Comparison],
    sql: str = "",
    *,
    unit: str = "",
    choices: Choices = (),
) -> Column:
    sql = sql or f"f.{key}"
    table = _table(sql)
    return Column(
        key, label, group, kind, Sql(sql), table, unit, choices, rests_on="value scale" if table == "v" else ""
    )


def _table(sql: str) -> str:
    """The alias of `TABLES` that a field's SQL stands on beside the facts."""
    return next((alias for alias in TABLES if alias != "f" and re.search(rf"\b{alias}\.", sql)), "f")


def _text(key: str, label: str) -> Column:
    return _column(key, label, "Profile", for_values.TEXT, f"NULLIF(c.{key}, '')")


def _text_of_main(key: str, label: str) -> Column:
    """Of whoever is the main contact."""
    return _column(f"main_contact.{key}", label, "People", for_values.TEXT, f"NULLIF(mc.{key}, '')")


def _number(key: str, label: str, group: str, unit: str = "", sql: str = "") -> Column:
    return _column(key, label, group, for_values.NUMBER, sql, unit=unit)


def _instant(key: str, label: str, group: str, sql: str = "") -> Column:
    return _column(key, label, group, for_dates.DATE, sql, unit="instant")


_USAGE_CHANGE = """CASE WHEN f.usage_prior_30d > 0
    THEN 100.0 * (f.usage_30d - f.usage_prior_30d) / f.usage_prior_30d END"""
_MAIN_CONSENT = """CASE WHEN mc.id IS NOT NULL THEN COALESCE((SELECT agreed.state FROM customers_contactconsent agreed
    WHERE agreed.contact_id = mc.id AND agreed.channel = 'email'), 'never') END"""
_SMS = """COALESCE((SELECT said.state FROM customers_consent said
    WHERE said.customer_id = f.customer_id AND said.channel = 'sms'), 'never')"""
_CONSENTS = (*((str(value), str(label)) for value, label in Consent.State.choices), ("never", "Never asked"))

_VALUE_GROUPS = tuple((group.key, group.label) for group in value.GROUPS)
#: METRICS, Surveys.
_NPS_KINDS = (("promoter", "A promoter (9–10)"), ("passive", "A passive (7–8)"), ("detractor", "A detractor (0–6)"))
_NPS = """CASE WHEN f.nps_score >= 9 THEN 'promoter' WHEN f.nps_score >= 7 THEN 'passive'
    WHEN f.nps_score >= 0 THEN 'detractor' END"""

COLUMNS: tuple[Column, ...] = (
    _text("name", "Name"),
    _text("external_id", "Customer id"),
    _column("kind", "Kind", "Profile", for_values.CHOICE, "c.kind", choices=tuple(Customer.Kind.choices)),
    _column(
        "has_email",
        "Has an e-mail address",
        "Profile",
        for_values.CHOICE[:1],
        "CASE WHEN c.email = '' THEN 'no' ELSE 'yes' END",
        choices=YES_NO,
    ),
    _text("email", "E-mail address"),
    _text("phone", "Phone number"),
    _text("country", "Country"),
    _text("language", "Language"),
    _text("time_zone", "Time zone"),
    _text("source", "Source"),
    _text("persona", "Persona"),
    _column(
        "key_account",
        "Key account",
        "Profile",
        for_values.CHOICE[:1],
        "CASE WHEN c.is_key_account THEN 'yes' ELSE 'no' END",
        choices=YES_NO,
    ),
    _column(
        "team",
        "Team",
        "Profile",
        for_values.TEXT,
        "(SELECT team.name FROM customers_team team WHERE team.id = c.team_id)",
    ),
    _text_of_main("name", "Main contact's name"),
    _text_of_main("role", "Main contact's role"),
    _text_of_main("email", "Main contact's e-mail address"),
    _text_of_main("language", "Main contact's language"),
    _text_of_main("time_zone", "Main contact's time zone"),
    _column(
        "main_contact.birthday",
        "Main contact's birthday",
        "People",
        for_dates.DAY_OF_CALENDAR,
        "mc.birthday",
        unit="day",
    ),
    _column(
        "main_contact.consent",
        "Main contact's consent to e-mail",
        "People",
        OPTIONAL_CHOICE,
        _MAIN_CONSENT,
        choices=_CONSENTS,
    ),
    _column("tags", "Tags", "Profile", for_values.TAGS, "c.tags"),
    _column("owner", "Account manager", "Profile", OPTIONAL_CHOICE, "c.owner_id::text", unit="person"),
    _instant("joined_at", "Joined", "Profile", "c.joined_at"),
    _column(
        "consent.email",
        "Consent to e-mail",
        "Profile",
        for_values.CHOICE,
        "COALESCE(k.state, 'never')",
        choices=_CONSENTS,
    ),
    _column("consent.sms", "Consent to text messages", "Profile", for_values.CHOICE, _SMS, choices=_CONSENTS),
    _column("stage", "Lifecycle stage", "Lifecycle", for_values.CHOICE, choices=tuple(Stage.choices)),
    _instant("stage_since", "In this stage since", "Lifecycle"),
    _number("health", "Health", "Health"),
    _column(
        "health_band",
        "Health is",
        "Health",
        OPTIONAL_CHOICE,
        "NULLIF(f.health_band, '')",
        choices=tuple(HealthBand.choices),
    ),
    _instant("health_dropped_at", "Health dropped", "Health"),
    _column("value_group", "Value group (RFM)", "Value", OPTIONAL_CHOICE, value.GROUP, choices=_VALUE_GROUPS),
    _number("value_recency", "Recency, in fifths", "Value", sql=value.RECENCY),
    _number("value_frequency", "Frequency, in fifths", "Value", sql=value.FREQUENCY),
    _number("value_money", "Money spent, in fifths", "Value", sql=value.MONEY),
    _number("orders", "Number of orders", "Orders"),
    _number("revenue", "Revenue", "Orders", "money"),
    _number("orders_365d", "Orders in the last 365 days", "Orders"),
    _number("revenue_365d", "Revenue in the last 365 days", "Orders", "money"),
    _instant("first_order_at", "First order", "Orders"),
    _instant("last_order_at", "Last order", "Orders"),
    _number("order_gap_days", "Days between orders", "Orders", "days"),
    _number("mrr", "Monthly recurring revenue", "Subscription", "money"),
    _instant("subscribed_at", "First subscribed", "Subscription"),
    _instant("renews_at", "Renewal", "Subscription"),
    _instant("churned_at", "Subscription ended", "Subscription"),
    _number("usage_30d", "Usage in the last 30 days", "Usage"),
    _number("usage_change", "Usage change on the 30 days before", "Usage", "percent", _USAGE_CHANGE),
    _instant("last_usage_at", "Last usage", "Usage"),
    _column("nps_kind", "Latest NPS answer is from", "Listening", OPTIONAL_CHOICE, _NPS, choices=_NPS_KINDS),
    _number("nps_score", "Latest NPS answer", "Listening"),
    _instant("nps_at", "NPS answer given", "Listening"),
    _number("open_tasks", "Open tasks", "Listening"),
    _number("open_cases", "Open cases", "Listening"),
    _number("csat_score", "Latest rating of a case", "Listening"),
    _instant("csat_at", "Rating of a case given", "Listening"),
    _instant("last_message_at", "Last message", "Messages"),
    _instant("last_open_at", "Last message opened", "Messages"),
    _instant("last_click_at", "Last click", "Messages"),
    _instant("last_talk_at", "Last call, meeting, e-mail or chat", "Listening"),
)
SEGMENT = OtherSegment("segment", "Segment", "Other segments", MEMBERSHIP)

FIELDS: dict[str, Field] = {field.key: field for field in (*COLUMNS, *related.TALLIES, *related_work.TALLIES, SEGMENT)}


def add(*fields: Tally) -> None:
    """Offer rows of a room above, from its module `segment_fields`. Raises ValueError where a key is taken.

    Whoever writes such rows records an event or marks the customer, so that segments follow.
    """
    for given in fields:
        if FIELDS.setdefault(given.key, given) != given:
            raise ValueError(f"two fields of segments are called {given.key}")


def tallies() -> list[Tally]:
    """All fields that count or add up rows."""
    return [field for field in FIELDS.values() if isinstance(field, Tally)]


def field(key: object) -> Field | None:
    """The field of that name; a custom attribute's is made as it is asked for, its key a parameter."""
    if not isinstance(key, str):
        return None
    if key.startswith(ATTRIBUTE):
        return inside("c.attributes", ATTRIBUTE, key.removeprefix(ATTRIBUTE), "c")
    return FIELDS.get(key)
