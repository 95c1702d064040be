"""Undoing a merge: both customers are there again as they were, each with the rows that were theirs.

What came since then stays with whoever is still there, and so does what somebody has changed meanwhile. What was said
since then about marketing was said by the one they were: if it is stricter, it holds for both.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import IntegrityError, OperationalError, transaction
from psycopg.errors import LockNotAvailable

from customers.duplicates import consents, moving, tallies
from customers.duplicates.merging import BUSY, hold, hold_turn, own_transaction
from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.handover import handing
from customers.models import Customer, FormerId, Merge
from retention.common import clock
from retention.workspace.models import User


class CannotUndo(Exception):
    """Why the merge cannot be undone, in words."""


def undo(merge_id: int, by: User) -> Merge:
    """Have two customers again. A second time changes nothing.

    Raises CannotUndo with the reason, and Merge.DoesNotExist.
    """
    try:
        with transaction.atomic():
            hold_turn()
            made = Merge.objects.select_for_update(of=("self",)).get(pk=merge_id)
            if made.undone_at is None:
                _undo(made, by)
            return made
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise CannotUndo(BUSY) from error
        raise
    except IntegrityError as error:
        said = str(error).splitlines()[0]
        raise CannotUndo(f"What was there before does not fit what is there now: {said}.") from error


def obstacle(made: Merge) -> str:
    """Why it cannot be undone, or "" where it can."""
    former = FormerId.objects.filter(pk=made.loser_id).first()
    if former is None or former.customer_id != made.survivor_id:
        return _led_elsewhere(made)
    # Each keeps what it found, a part of which came by those before it: out of order that would come back as theirs.
    later = Merge.objects.filter(survivor_id=made.survivor_id, undone_at=None, pk__gt=made.pk).order_by("-pk").first()
    if later:
        return f"{later.loser_name} was merged into {made.survivor_name} since then. Undo that first."
    taken = Customer.objects.filter(external_id=made.loser_external_id).first()
    return f"{taken} has the id {made.loser_external_id} now. Give them another one first." if taken else ""


def in_the_way(made: Merge) -> Merge | None:
    """The later merge that has to be undone first, where there is one."""
    standing = Merge.objects.filter(undone_at=None, pk__gt=made.pk).order_by("-pk")
    return standing.filter(survivor_id=made.survivor_id).first() or standing.filter(loser_id=made.survivor_id).first()


def _led_elsewhere(made: Merge) -> str:
    """Why the old id does not lead to who stayed."""
    into = FormerId.objects.filter(pk=made.survivor_id).select_related("customer").first()
    if into:
        return f"{made.survivor_name} was merged into {into.customer} since then. Undo that first."
    if not Customer.objects.filter(pk=made.survivor_id).exists():
        return f"{made.survivor_name} is not there any more."
    return f"{made.loser_name} does not lead to {made.survivor_name} any more."


def _undo(made: Merge, by: User) -> None:
    hold([made.survivor_id])
    if why := obstacle(made):
        raise CannotUndo(why)
    ids = [made.loser_id, made.survivor_id]
    since, after = consents.take_since(made), made.left.get("latest", {})
    made.undone_at, made.undone_by = clock.now(), by
    made.save(update_fields=["undone_at", "undone_by"])
    own_transaction(made.pk)
    before = tallies.of(ids)
    FormerId.objects.filter(pk=made.loser_id).delete()
    missing = moving.put_back(made.pk)
    consents.say_to_both(since)
    tallies.follow(before, tallies.of(ids))
    moving.settle_all(ids)
    Customer.objects.filter(pk__in=ids).update(updated_at=made.undone_at)
    handing.catch_up(made.loser_id, made.at)
    dirty.mark(ids)
    come = ({"what": words, "count": number} for words, (number,) in moving.counts([made.survivor_id], after))
    made.stayed = [*come, *_not_back(missing)]
    made.save(update_fields=["stayed"])
    record(_told(made, by))


def _not_back(missing: dict[str, int]) -> Iterator[dict[str, Any]]:
    for label, count in missing.items():
        yield {"what": f"{apps.get_model(label)._meta.verbose_name_plural}, gone or replaced meanwhile", "count": count}


def _told(made: Merge, by: User) -> list[Happening]:
    payload = {"merge": made.pk, "name": made.loser_name, "external_id": made.loser_external_id}
    payload |= {"into": made.survivor_name, "by": str(by)}
    at = made.undone_at or made.at
    return [
        Happening(customer_id, "customer.unmerged", at, "web", f"merge:{made.pk}", payload, f"unmerge:{made.pk}")
        for customer_id in (made.loser_id, made.survivor_id)
    ]
