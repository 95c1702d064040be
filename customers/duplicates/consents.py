"""What two have said about being written to, made one and divided again: never looser than either has said.

It is kept of two customers, and of two contacts who turn out to be one person.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.apps import apps

from customers.duplicates.moving import Pair, set_aside
from customers.models import Consent, ContactConsent, Merge

Said = TypeVar("Said", Consent, ContactConsent)
State = Consent.State
#: Whose it is, by the name of the field.
OWNER = {Consent: "customer_id", ContactConsent: "contact_id"}


def strictest(said: Sequence[Said]) -> Said | None:
    """What holds of several things said on one channel: who withdrew has withdrawn; else the first agreement."""
    return min(said, key=lambda each: each.state != State.WITHDRAWN, default=None)


def unite(pair: Pair, model: type[Said], keeper: int, other: int, still: Callable[[Said], bool]) -> None:
    """Give `keeper` what holds of both; `still` says whether an agreement counts for the one they are now.

    What each had said is set aside as it was, and what holds is a row of its own.
    """
    rows: list[Said] = list(model._default_manager.filter(**{f"{OWNER[model]}__in": [keeper, other]}))
    rows.sort(key=lambda each: getattr(each, OWNER[model]) != keeper)
    set_aside(pair, model, f"t.{OWNER[model]} = ANY(%(owners)s)", owners=[keeper, other])
    left = {}
    for channel in sorted({each.channel for each in rows}):
        holding = strictest([each for each in rows if each.channel == channel and still(each)])
        if holding:
            _give(holding, keeper)
            left[channel] = _mark(holding)
    pair.said.append({"model": model._meta.label, "keeper": keeper, "other": other, "said": left})


def _give(said: Consent | ContactConsent, to: int) -> None:
    told = {name: getattr(said, name) for name in ("channel", "state", "source", "proof", "changed_at")}
    type(said)._default_manager.create(**told, **{OWNER[type(said)]: to})


def _mark(said: Consent | ContactConsent) -> list[str]:
    return [said.state, said.changed_at.isoformat()]


Since = list[tuple[dict[str, Any], str, Consent | ContactConsent | None]]


def take_since(made: Merge) -> Since:
    """What was said since the merge, by whom and on which channel; None for an agreement that is gone. What holds
    now is taken away, so that what was said before can be put back."""
    found: Since = []
    for entry in made.left.get("said", []):
        model = apps.get_model(entry["model"])
        rows = model._default_manager.filter(**{OWNER[model]: entry["keeper"]})
        now = {each.channel: each for each in rows}
        for channel in sorted({*now, *entry["said"]}):
            each = now.get(channel)
            if (_mark(each) if each else None) != entry["said"].get(channel):
                found.append((entry, channel, each))
        rows.delete()
    return found


def say_to_both(since: Since) -> None:
    """A no since the merge was said by the one they were: it holds for both. A yes is that of whoever stayed."""
    for entry, channel, each in since:
        whom = [entry["keeper"], entry["other"]]
        if each is None:
            _forget(entry["model"], whom, channel, [State.GRANTED])
        elif each.state == State.WITHDRAWN:
            _replace(each, whom)
        else:
            _replace(each, whom[:1])


def _replace(said: Consent | ContactConsent, whom: Iterable[int]) -> None:
    for owner in whom:
        _forget(type(said)._meta.label, [owner], said.channel, State.values)
        _give(said, owner)


def _forget(label: str, owners: Sequence[int], channel: str, states: Iterable[str]) -> None:
    model = apps.get_model(label)
    held = {f"{OWNER[model]}__in": owners, "channel": channel, "state__in": list(states)}
    model._default_manager.filter(**held).delete()
