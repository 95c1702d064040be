"""Changing a playbook. Runs keep the steps they began with."""

from django.db import transaction
from django.db.models import Max

from customers.models import Playbook, PlaybookStep
from retention.common import clock


class NotPossible(Exception):
    """The text says why, for the person who asked."""


def add_step(step: PlaybookStep) -> None:
    """Put a new step at the end."""
    with transaction.atomic():
        playbook = _held(step.playbook_id)
        last = playbook.steps.aggregate(last=Max("position"))["last"] or 0
        step.position = last + 1
        step.save()


@transaction.atomic
def move(step: PlaybookStep, *, up: bool) -> None:
    """Change places with the step before or after it. At an end nothing moves."""
    row = list(_held(step.playbook_id).steps.select_for_update())
    here = next((place for place, each in enumerate(row) if each.pk == step.pk), None)
    if here is None:
        return
    there = min(max(here + (-1 if up else 1), 0), len(row) - 1)
    row[here], row[there] = row[there], row[here]
    _number(row)


@transaction.atomic
def remove_step(step: PlaybookStep) -> None:
    """Raises NotPossible where it is the last of a playbook that is on."""
    playbook = _held(step.playbook_id)
    row = list(playbook.steps.exclude(pk=step.pk))
    if not row and playbook.on_since:
        raise NotPossible("A playbook that is on needs a step: switch it off first.")
    playbook.steps.filter(pk=step.pk).delete()
    _number(row)


@transaction.atomic
def switch(playbook_id: int, *, on: bool) -> Playbook:
    """Have its rule start it from now on, or no longer. Raises NotPossible."""
    playbook = _held(playbook_id)
    if on and playbook.rule == Playbook.Rule.HAND:
        raise NotPossible("It starts only by hand: give it a rule first.")
    if on and not playbook.steps.exists():
        raise NotPossible("It has no steps yet: add one first.")
    if on != bool(playbook.on_since):
        playbook.on_since, playbook.looked_at = clock.now() if on else None, None
        playbook.save(update_fields=["on_since", "looked_at"])
    return playbook


@transaction.atomic
def remove(playbook_id: int) -> None:
    """Raises NotPossible where it has run: what was done stays known."""
    playbook = _held(playbook_id)
    if playbook.runs.exists():
        raise NotPossible("It has run, and its runs are a part of its customers' history: switch it off instead.")
    playbook.delete()


def _held(pk: int) -> Playbook:
    return Playbook.objects.select_for_update().get(pk=pk)


def _number(row: list[PlaybookStep]) -> None:
    for place, step in enumerate(row, 1):
        step.position = place
    PlaybookStep.objects.bulk_update(row, ["position"])
