"""Two customers side by side: what each has, and which of it stays when they are made one."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict

from customers.custom.definitions import defined
from customers.custom.values import text
from customers.duplicates.merging import FIELDS, Wanted
from customers.models import Customer, CustomField
from retention.common.languages import called
from retention.workspace.templatetags.shell import words

MINE, THEIRS, BOTH = "mine", "theirs", "both"
TAGS = "tags"
#: What need not be shown where both sides say so.
NOTHING = {"", "No"}


@dataclass(frozen=True)
class Choice:
    """A field of both, each in words. `name` is what the form calls it; `taken` the side that is chosen."""

    name: str
    label: str
    mine: str
    theirs: str
    taken: str

    @property
    def same(self) -> bool:
        return self.mine == self.theirs


class MergeForm(forms.Form):
    """Beside the choices: why, which form it is, and the state of both that was looked at."""

    why = forms.CharField(
        max_length=300,
        required=False,
        label="Why they are the same",
        help_text="Kept with the merge and on the timeline.",
    )
    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    opened = forms.CharField(widget=forms.HiddenInput, max_length=200)

    def clean_opened(self) -> list[datetime]:
        try:
            mine, theirs = (datetime.fromisoformat(each) for each in self.cleaned_data["opened"].split())
        except ValueError as error:
            raise forms.ValidationError("Open the two again and repeat the choice.") from error
        return [mine, theirs]


def told_apart(survivor: Customer, loser: Customer) -> tuple[str, str]:
    """What a page calls the two: by their names, and with their ids where these are the same."""
    mine, theirs = str(survivor), str(loser)
    if mine.casefold() == theirs.casefold() != "":
        return f"{mine} ({survivor.external_id})", f"{theirs} ({loser.external_id})"
    return mine, theirs


def opened(survivor: Customer, loser: Customer) -> str:
    return f"{survivor.updated_at.isoformat()} {loser.updated_at.isoformat()}"


def choices(survivor: Customer, loser: Customer, said: Mapping[str, Any], currency: str) -> list[Choice]:
    """Every field that one of the two has, with what was said of it, else what there is."""
    both = told([survivor, loser], currency)
    rows = [Choice(name, label, a, b, _taken(said.get(name), a, b)) for name, label, (a, b) in both if {a, b} - NOTHING]
    if survivor.tags or loser.tags:
        taken = said.get(TAGS) if said.get(TAGS) in (MINE, THEIRS, BOTH) else BOTH
        rows.append(Choice(TAGS, "Tags", ", ".join(survivor.tags), ", ".join(loser.tags), str(taken)))
    return rows


def _taken(said: Any, mine: str, theirs: str) -> str:
    if said in (MINE, THEIRS):
        return str(said)
    return MINE if mine or not theirs else THEIRS


def told(customers: Sequence[Customer], currency: str) -> Iterator[tuple[str, str, list[str]]]:
    """Each field but tags: its name in forms, its label, and what each customer has, in words. One query.

    First the customers' own fields, then custom ones in their order, then what files brought along under other names.
    """
    for name in FIELDS:
        label = str(Customer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        yield name, label.capitalize(), [_words(each, name) for each in customers]
    fields = {field.key: field for field in defined()}
    loose = sorted({key for each in customers for key in each.attributes} - fields.keys())
    for key in [*fields, *loose]:
        label = fields[key].label if key in fields else words(key)
        yield f"custom.{key}", label, [_told(fields.get(key), each.attributes.get(key), currency) for each in customers]


def _words(customer: Customer, name: str) -> str:
    value = customer.get_kind_display() if name == "kind" else getattr(customer, name)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if name == "language":
        return called(value)
    return str(value) if value else ""


def _told(field: CustomField | None, value: Any, currency: str) -> str:
    if value is None:
        return ""
    return text(field, value, currency) if field else str(value)


def again(form: MergeForm, survivor: Customer, loser: Customer) -> MergeForm:
    """The same form with what was typed, from the state that the two are in now."""
    typed = QueryDict(mutable=True)
    typed.update(form.data)
    typed["opened"] = opened(survivor, loser)
    return MergeForm(typed)


def usual(survivor: Customer, loser: Customer, said: Mapping[str, str], currency: str) -> Wanted:
    """By the sides that are said, else what the page proposes: what the survivor has, or the loser; all tags."""
    return _chosen(survivor, loser, choices(survivor, loser, said, currency))


def wanted(survivor: Customer, loser: Customer, form: MergeForm, rows: list[Choice]) -> Wanted:
    """What a valid form asks for, by the choices that stand in the page."""
    said = form.cleaned_data
    opened = dict(zip((survivor.pk, loser.pk), said["opened"], strict=True))
    return replace(_chosen(survivor, loser, rows), why=said["why"], opened=opened, once=said["once"])


def _chosen(survivor: Customer, loser: Customer, rows: list[Choice]) -> Wanted:
    taken = {row.name: row.taken for row in rows if not row.same or row.name == TAGS}
    theirs = {name for name, side in taken.items() if side == THEIRS}
    tags = {MINE: survivor.tags, THEIRS: loser.tags}.get(taken.get(TAGS, BOTH), [*survivor.tags, *loser.tags])
    return Wanted(
        survivor.pk,
        loser.pk,
        tags=tuple(dict.fromkeys(tags)),
        theirs=frozenset(theirs.intersection(FIELDS)),
        custom=frozenset(name.removeprefix("custom.") for name in theirs if name.startswith("custom.")),
    )
