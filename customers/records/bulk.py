"""What can be done to many customers at once: those picked, or all that match."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, CharField, F, Func, JSONField, Q, QuerySet, Value
from django.db.models.fields.json import KeyTransform
from django.http import QueryDict

from customers.custom import values
from customers.custom.asking import form_field
from customers.custom.definitions import defined
from customers.models import Customer, CustomField, Team
from customers.records.columns import CUSTOM
from customers.records.filters import Filters, matching
from customers.records.forms import TAG_LENGTH
from customers.together.actions import NOBODY, Action, Choices, Refused, name_of, to_one, to_text
from customers.together.changing import KINDS, Kind, run_in_parts
from customers.work.forms import names, workers
from retention.common.sent import whole
from retention.workspace.jobs import Progress, job
from retention.workspace.models import User

ABOUT = "customers"
#: So many rows are looked at for the tags to offer, and so many tags offered.
LOOKED_AT, OFFERED = 10_000, 50
FORGETS = "Leave it empty to forget what is known."
Type = CustomField.Type


def _tags(function: str, tag: str) -> dict[str, Any]:
    text = Value(tag, output_field=CharField(max_length=TAG_LENGTH))
    return {"tags": Func(F("tags"), text, function=function, output_field=ArrayField(CharField(max_length=TAG_LENGTH)))}


def _is_tag(tag: str) -> None:
    if not tag or len(tag) > TAG_LENGTH or "," in tag:
        raise Refused(f"Give a tag of 1 to {TAG_LENGTH} characters, without a comma.")


def _is_short(text: str) -> None:
    if len(text) > TAG_LENGTH:
        raise Refused(f"Give at most {TAG_LENGTH} characters.")


def _is_owner(value: str) -> None:
    if value and not workers().filter(pk=whole(value) or 0).exists():
        raise Refused("Choose one of the people who look after customers.")


def _is_team(value: str) -> None:
    if value and not Team.objects.filter(pk=whole(value) or 0).exists():
        raise Refused("Choose one of the teams.")


def _owners() -> Choices:
    return [(NOBODY, "Nobody"), *((str(pk), name) for pk, name in names().items())]


def _teams() -> Choices:
    return [(NOBODY, "No team"), *((str(team.pk), str(team)) for team in Team.objects.all())]


def tags_of(rows: QuerySet[Customer]) -> list[str]:
    """The tags of rows, as far as there are not too many; of very many rows those of the latest."""
    some = Customer.objects.filter(pk__in=rows.order_by("-pk").values("pk")[:LOOKED_AT])
    tags = some.annotate(tag=Func(F("tags"), function="unnest", output_field=CharField()))
    return list(tags.values_list("tag", flat=True).distinct().order_by("tag")[:OFFERED])


class TagField(forms.CharField):
    """A tag. Those given are offered while one types."""

    def __init__(self, offered: list[str], *, label: str = "Tag", **options: Any) -> None:
        super().__init__(label=label, max_length=TAG_LENGTH, **options)
        self.offered = offered
        self.widget.attrs["list"] = "offered-values"


def _any_tag(_: QuerySet[Customer]) -> forms.Field:
    return TagField(tags_of(Customer.objects.all()))


def _tag_of(rows: QuerySet[Customer]) -> forms.Field:
    """One to choose, where all that they have can be listed."""
    tags = tags_of(rows)
    if not tags:
        return TagField(tags, help_text="None of them has a tag.")
    if len(tags) < OFFERED and not rows.order_by("-pk")[LOOKED_AT : LOOKED_AT + 1]:
        return forms.ChoiceField(label="Tag", choices=[("", "Choose…"), *((tag, tag) for tag in tags)])
    return TagField(tags, help_text=f"They have: {', '.join(tags)} …")


def _persona() -> forms.Field:
    return forms.CharField(label="Persona", max_length=TAG_LENGTH, required=False, help_text=FORGETS)


def _key(wanted: bool, words: str) -> Action:
    return Action(
        lambda _: Q(is_key_account=not wanted),
        lambda _: {"is_key_account": wanted},
        lambda _: words,
        before="is_key_account",
        back="is_key_account = (l.before #>> '{}')::boolean",
        still="r.is_key_account = %(value)s",
        written=lambda _: {"value": wanted},
        label=words,
    )


ACTIONS = {
    "tag": Action(
        lambda tag: ~Q(tags__contains=[tag]),
        lambda tag: _tags("array_append", tag),
        lambda tag: f"Add the tag “{tag}”",
        before="tags",
        back="tags = array_remove(r.tags, %(value)s)",
        still="%(value)s = ANY(r.tags)",
        check=_is_tag,
        label="Add a tag",
        ask=_any_tag,
    ),
    "untag": Action(
        lambda tag: Q(tags__contains=[tag]),
        lambda tag: _tags("array_remove", tag),
        lambda tag: f"Remove the tag “{tag}”",
        before="tags",
        back="tags = array_append(r.tags, %(value)s)",
        still="%(value)s <> ALL(r.tags)",
        check=_is_tag,
        label="Remove a tag",
        ask=_tag_of,
    ),
    "owner": to_one("owner_id", User, _is_owner, lambda owner: f"Assign to {name_of(owner)}", "Owner", _owners),
    "team": to_one(
        "team_id",
        Team,
        _is_team,
        lambda team: f"Give to the team {Team.objects.get(pk=pk)}" if (pk := whole(team)) else "Take from their team",
        "Team",
        _teams,
    ),
    "persona": to_text(
        "persona",
        lambda persona: f"Set the persona “{persona}”" if persona else "Forget the persona",
        _is_short,
        "Persona",
        _persona,
    ),
    "key": _key(True, "Make key accounts"),
    "unkey": _key(False, "Make no key accounts"),
}


class _Differs(Func):
    template = "(%(expressions)s)"
    arg_joiner = " IS DISTINCT FROM "
    output_field: Any = BooleanField()


class _Without(Func):
    template = "(%(expressions)s::text)"
    arg_joiner = " - "
    output_field: Any = JSONField()


def _custom(field: CustomField) -> Action:
    """Give a custom field a value, written as one text; several of a list on lines; none forgets it."""
    key = field.key
    stands = KeyTransform(key, "attributes")

    def differs(text: str) -> Q:
        value = _value(field, text)
        return Q(attributes__has_key=key) if value is None else Q(_Differs(stands, Value(value, JSONField())))

    def write(text: str) -> dict[str, Any]:
        value = _value(field, text)
        if value is None:
            return {"attributes": _Without(F("attributes"), Value(key))}
        place = Value([key], ArrayField(CharField()))
        return {"attributes": Func(F("attributes"), place, Value(value, JSONField()), function="jsonb_set")}

    def written(text: str) -> dict[str, Any]:
        value = _value(field, text)
        told = {"key": key, "type": field.type, "choices": field.choices}
        return told | {"value": None if value is None else json.dumps(value)}

    return Action(
        differs,
        write,
        lambda text: f"Set {field.label} to “{', '.join(text.splitlines())}”" if text else f"Forget {field.label}",
        before=stands,
        back="attributes = CASE WHEN l.before IS NULL OR l.before = 'null' THEN r.attributes - %(key)s::text"
        " ELSE jsonb_set(r.attributes, ARRAY[%(key)s], l.before) END",
        # What is a choice no more does not come back.
        still="r.attributes -> %(key)s IS NOT DISTINCT FROM %(value)s::jsonb AND (l.before IS NULL"
        " OR l.before = 'null' OR customers_fits(%(type)s, %(choices)s, l.before))",
        check=lambda text: _fits(field, text),
        written=written,
        label=field.label,
        ask=lambda _: _asking(field),
    )


def _value(field: CustomField, text: str) -> Any:
    """The JSON of a value. Raises ValidationError where it is none of the field's."""
    said: Any = text.splitlines() if field.type == Type.CHOICES else text
    return values.stored(field, form_field(field).clean(said))


def _asking(field: CustomField) -> forms.Field:
    control = form_field(field)
    if not field.required:
        control.help_text = f"{field.help} {FORGETS}".strip()
    return control


def _fits(field: CustomField, text: str) -> None:
    try:
        _value(field, text)
    except ValidationError as error:
        raise Refused(f"{field.label}: {' '.join(error.messages)}") from error


def find(name: str) -> Action | None:
    """The action of that name: one of `ACTIONS`, or “custom.” with the key of a custom field."""
    if not name.startswith(CUSTOM):
        return ACTIONS.get(name)
    field = next((field for field in defined() if CUSTOM + field.key == name), None)
    return _custom(field) if field else None


def offered(fields: Iterable[CustomField]) -> dict[str, dict[str, str]]:
    """What can be done, by name, in its groups; `fields` are the custom fields that are asked for."""
    own = {CUSTOM + field.key: field.label for field in fields}
    return {"Change": {name: action.label for name, action in ACTIONS.items()}} | ({"Your fields": own} if own else {})


KINDS[ABOUT] = Kind(
    model=Customer,
    find=find,
    noun="customer",
    list_view="customers:list",
    page_view="customers:detail",
    customer="id",
    ref="'change'",
    payload="jsonb_build_object('by', %(by)s::text, 'said', %(said)s::text)",
    told=lambda _: ("customer.changed", "customer.changed"),
)


@job("customers.bulk")
def run(progress: Progress) -> dict[str, Any]:
    """Spec: `query` (the list's query string), `action`, `value`. Changes, part by part, who matched when it began."""
    asked = Filters.read(QueryDict(progress.job.spec["query"]))
    ids = list(matching(asked).order_by("pk").values_list("pk", flat=True))
    return run_in_parts(progress, ABOUT, ids)
