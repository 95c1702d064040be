"""Defining custom fields: making one, changing it, putting it away, putting them in order.

Whoever writes values holds a shared lock while the database compares them with the definitions (migration 0009); a
definition that could leave values behind that do not fit is written under the exclusive one. So no value slips in
between the look at what is there and the new definition.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Max, Model

from customers.facts import dirty
from customers.models import Contact, Customer, CustomField
from retention.common import clock

LOCK = 7_461_002  # as in migration 0009
WAIT = "5s"
MOST = 60
HOLDERS: dict[str, type[Model]] = {CustomField.About.CUSTOMER: Customer, CustomField.About.CONTACT: Contact}
Type = CustomField.Type


class Refused(Exception):
    """The definition cannot be kept; `field` is the part of it that the text is about, or "" for the whole."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True)
class Draft:
    """What a person may say of a field: all of it when it is made, later no longer its key and type."""

    label: str
    choices: Sequence[str] = ()
    help: str = ""
    required: bool = False


def defined(about: str = CustomField.About.CUSTOMER) -> list[CustomField]:
    """The fields in use, in their order. One query."""
    return list(CustomField.objects.filter(about=about, archived_at=None))


def every(about: str = CustomField.About.CUSTOMER) -> list[CustomField]:
    """The same with those put away, whose values are still there."""
    return list(CustomField.objects.filter(about=about))


@transaction.atomic
def define(about: str, key: str, type_: str, draft: Draft) -> CustomField:
    """Make a field. Values that files brought under the key before become its values. Raises Refused."""
    _hold()
    existing = CustomField.objects.filter(about=about)
    if existing.filter(key=key).exists():
        raise Refused("Another field has this key.", "key")
    if existing.count() >= MOST:
        raise Refused(f"There are {MOST} fields already; more would make no good record.")
    last = existing.aggregate(last=Max("position"))["last"]
    field = CustomField(about=about, key=key, type=type_, position=0 if last is None else last + 1)
    _adopt(field, list(draft.choices))
    _write(field, draft)
    return field


@transaction.atomic
def change(pk: int, draft: Draft) -> CustomField:
    """Give a field another label, help or list. Raises Refused where a choice is taken away that somebody has."""
    _hold()
    field = CustomField.objects.select_for_update().get(pk=pk)
    for choice in field.choices:
        if choice not in draft.choices:
            _refuse_in_use(field, choice)
    _write(field, draft)
    return field


def archive(pk: int) -> None:
    """Ask for it and show it no more. Values stay, and so do the segments that use it."""
    CustomField.objects.filter(pk=pk, archived_at=None).update(archived_at=clock.now())


def restore(pk: int) -> None:
    CustomField.objects.filter(pk=pk).update(archived_at=None)


@transaction.atomic
def move(pk: int, *, up: bool) -> None:
    """Change places with the field before or after it. At the end of the row nothing moves."""
    about = CustomField.objects.values_list("about", flat=True).get(pk=pk)
    row = list(CustomField.objects.select_for_update().filter(about=about, archived_at=None))
    here = next((place for place, field in enumerate(row) if field.pk == pk), None)
    if here is None:
        return
    there = min(max(here + (-1 if up else 1), 0), len(row) - 1)
    row[here], row[there] = row[there], row[here]
    for place, field in enumerate(row):
        field.position = place
    CustomField.objects.bulk_update(row, ["position"])


def _write(field: CustomField, draft: Draft) -> None:
    field.label, field.help, field.required = draft.label, draft.help, draft.required
    field.choices = list(draft.choices)
    field.updated_at = clock.now()
    field.save()


def _hold() -> None:
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute("SET LOCAL lock_timeout = 0")
        except OperationalError as busy:
            why = "Values are being written just now, as by an import. Try again when it has ended."
            raise Refused(why) from busy


def _refuse_in_use(field: CustomField, choice: str) -> None:
    value = [choice] if field.type == Type.CHOICES else choice
    if HOLDERS[field.about]._default_manager.filter(attributes__contains={field.key: value}).exists():
        raise Refused(f"“{choice}” stays on the list as long as somebody has it.", "choices")
    if field.about != CustomField.About.CUSTOMER:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ASKING, [json.dumps({"field": f"custom.{field.key}", "choice": choice})])
        if asking := cursor.fetchone():
            raise Refused(f"“{choice}” stays on the list as long as the segment “{asking[0]}” asks for it.", "choices")


_ASKING = """
    SELECT name FROM customers_segment WHERE jsonb_path_exists(
        rule, '$.** ? (@.field == $field && (@.value == $choice || @.value[*] == $choice))', %s)
    ORDER BY name LIMIT 1
"""


# A loose value as one of the type, or NULL where it cannot be read as such. `{0}` is its text.
_READ = {
    Type.NUMBER: r"CASE WHEN {0} ~ '^-?\d{{1,11}}(\.\d{{1,4}})?$' THEN to_jsonb({0}::numeric) END",
    Type.YES_NO: "CASE WHEN lower({0}) IN ('yes', 'true', 'y', '1') THEN 'true'::jsonb"
    " WHEN lower({0}) IN ('no', 'false', 'n', '0') THEN 'false'::jsonb END",
    Type.CHOICES: r"to_jsonb(array_remove(regexp_split_to_array({0}, '\s*[,;]\s*'), ''))",
}
_READ[Type.MONEY] = _READ[Type.NUMBER]


def _adopt(field: CustomField, choices: list[str]) -> None:
    """Turn what is there under the key into values of the field. Raises Refused where some of it is none."""
    table = HOLDERS[field.about]._meta.db_table
    read = _READ.get(Type(field.type), "to_jsonb({0})").format("btrim(attributes ->> %(key)s)")
    params: dict[str, Any] = {"key": field.key, "type": field.type, "choices": choices}
    held = "attributes ? %(key)s"
    blank = "coalesce(btrim(attributes ->> %(key)s), '') = ''"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT attributes ->> %(key)s, count(*) OVER () FROM {table} WHERE {held} AND NOT ({blank})"  # noqa: S608
            f" AND NOT coalesce(customers_fits(%(type)s, %(choices)s, {read}), FALSE) LIMIT 1",
            params,
        )
        if misfit := cursor.fetchone():
            raise Refused(_misfits(field, *misfit), "key")
        cursor.execute(
            f"UPDATE {table} SET updated_at = %(now)s, attributes = CASE WHEN {blank} THEN attributes - %(key)s"  # noqa: S608
            f" ELSE jsonb_set(attributes, ARRAY[%(key)s], {read}) END"
            f" WHERE {held} AND ({blank} OR attributes -> %(key)s IS DISTINCT FROM {read})",
            params | {"now": clock.now()},
        )
    if field.about == CustomField.About.CUSTOMER:
        dirty.mark_where(Customer.objects.filter(attributes__has_key=field.key))


def _misfits(field: CustomField, example: str, number: int) -> str:
    return (
        f"{number:,} of the {field.get_about_display().lower()} have something under this key that is no value of"
        f" this type, such as “{example[:60]}”. Choose another key or type."
    )
