"""What the builder offers to choose from: fields by group, people, segments, and values that customers have."""

from collections import defaultdict
from typing import Any

from django.db import connection

from customers.models import Segment
from customers.segments import catalogue, drafts
from customers.segments.custom import CustomColumns
from customers.segments.fields import ATTRIBUTE
from retention.workspace.models import User

_SAMPLE, _MOST = 2_000, 50
_SUGGESTED = f"""
    WITH recent AS (SELECT country, language, source, tags, attributes
                    FROM customers_customer ORDER BY id DESC LIMIT {_SAMPLE}),
    events AS (SELECT kind, payload FROM customers_event ORDER BY id DESC LIMIT {_SAMPLE}),
    lines AS (SELECT sku FROM customers_orderline ORDER BY id DESC LIMIT {_SAMPLE}),
    plans AS (SELECT plan FROM customers_subscriptionterm ORDER BY id DESC LIMIT {_SAMPLE}),
    found AS (SELECT 'country' AS field, country AS value FROM recent
              UNION ALL SELECT 'language', language FROM recent
              UNION ALL SELECT 'source', source FROM recent
              UNION ALL SELECT 'tags', unnest(tags) FROM recent
              UNION ALL SELECT 'key', jsonb_object_keys(attributes) FROM recent
              UNION ALL SELECT 'payload', said.key FROM events, jsonb_each_text(payload) said
              UNION ALL SELECT 'events.' || kind || '-' || said.key, said.value
                        FROM events, jsonb_each_text(payload) said WHERE said.key IN ('name', 'score', 'survey')
              UNION ALL SELECT unnest(ARRAY['order_count-sku', 'order_total-sku', 'product_quantity-sku',
                                            'product_total-sku']), sku FROM lines
              UNION ALL SELECT 'subscription_count-plan', plan FROM plans)
    SELECT field, value FROM (
        SELECT field, value, row_number() OVER (PARTITION BY field ORDER BY count(*) DESC, value) AS place
        FROM found WHERE value <> '' GROUP BY field, value) ranked
    WHERE place <= {_MOST} ORDER BY field, value
"""  # noqa: S608 - constants of this module


def choices(own_id: int | None) -> dict[str, Any]:
    """For the builder's rows, in three queries."""
    others = Segment.objects.exclude(pk=own_id) if own_id else Segment.objects.all()
    return {
        "groups": _fields_by_group(),
        "people": [(str(user.pk), str(user)) for user in User.objects.filter(is_active=True).order_by("email")],
        "segments": [(str(pk), name) for pk, name in others.order_by("name").values_list("pk", "name")],
        "matches": drafts.MATCHES.items(),
    }


def suggestions() -> dict[str, list[str]]:
    """Values seen lately, by the name of the builder's list of them; `key` and `payload` for keys. One query."""
    found: dict[str, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_SUGGESTED)
        for field, value in cursor.fetchall():
            found[field].append(value)
    return dict(found)


def _fields_by_group() -> dict[str, list[tuple[str, str]]]:
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for field in catalogue.FIELDS.values():
        groups[field.group].append((field.key, field.label))
    for column in CustomColumns().columns.values():
        groups[column.group].append((column.key, column.label))
    groups["Other attributes"].append((ATTRIBUTE, "Other attribute …"))
    return dict(groups)
