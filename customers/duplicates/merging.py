"""Making two customers one: what both had is the survivor's, and the loser's ids lead to them.

All in one transaction. Whoever folds or imports is waited for; then segments and both customers are held, in the
order of ids, as everybody holds them. After that hardly anybody is waited for: whoever writes to one of the two at that
moment goes first, and the merge is refused with a word to try again.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from customers.duplicates import moving, tallies
from customers.duplicates.moving import CannotMerge, Pair, change, set_aside
from customers.events.recording import Happening, record
from customers.facts import dirty, folding
from customers.ingest import merging as ingest
from customers.models import Customer, FormerId, Merge, Segment
from retention.common import clock
from retention.workspace.models import User

#: The fields that somebody chooses between, in the order of the page. The survivor keeps their own id.
FIELDS = (
    *("kind", "name", "email", "phone", "country", "language", "time_zone"),
    *("owner", "team", "is_key_account", "persona", "source"),
)
COLUMNS = {"owner": "owner_id", "team": "team_id"}
BUSY = "Customers are being written to at this very moment, by an import perhaps. Nothing was changed; try again soon."


class ChangedMeanwhile(CannotMerge):
    """Somebody saved one of the two after the page was opened."""


@dataclass(frozen=True)
class Wanted:
    """What somebody decided: who goes into whom, and what stays.

    `theirs` names the fields, `custom` the keys of attributes, whose value is taken from the loser; `tags` are those
    that stay. `opened` are both customers' `updated_at` as the person saw them, by id. `once` tells the form.
    """

    survivor_id: int
    loser_id: int
    tags: tuple[str, ...]
    theirs: frozenset[str] = frozenset()
    custom: frozenset[str] = frozenset()
    why: str = ""
    opened: Mapping[int, datetime] = field(default_factory=dict)
    once: uuid.UUID = field(default_factory=uuid.uuid4)


def merge(wanted: Wanted, by: User) -> Merge:
    """Make the two one. Sent again it is the merge that was made.

    Raises CannotMerge with the reason, and Customer.DoesNotExist for one who is not there.
    """
    try:
        with transaction.atomic():
            hold_turn()
            return _already(wanted) or _merge(wanted, by)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise CannotMerge(BUSY) from error
        raise


def hold_turn() -> None:
    """Wait, a little, for whoever imports, folds or refreshes, and keep them waiting until the transaction ends."""
    _wait_at_most("5s")
    ingest.take_turn()
    folding.take_turn()
    list(Segment.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def hold(customer_ids: list[int]) -> dict[int, Customer]:
    """The customers' rows, locked in the order of ids. From here on nobody is waited for."""
    rows = Customer.objects.select_for_update(of=("self",)).filter(pk__in=customer_ids).order_by("pk")
    held = {row.pk: row for row in rows}
    _wait_at_most("700ms")  # less than PostgreSQL waits before it looks for a deadlock
    return held


def _wait_at_most(time: str) -> None:
    """For any lock, until the transaction ends; what takes longer raises OperationalError (LockNotAvailable)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [time])


def _already(wanted: Wanted) -> Merge | None:
    """The merge that this form, or another one for the same two, has made."""
    made = Merge.objects.filter(once=wanted.once).first()
    same = Merge.objects.filter(loser_id=wanted.loser_id, survivor_id=wanted.survivor_id, undone_at=None)
    return made or same.first()


def _merge(wanted: Wanted, by: User) -> Merge:
    held = hold([wanted.survivor_id, wanted.loser_id])
    if wanted.survivor_id == wanted.loser_id:
        raise CannotMerge("A customer cannot be merged with themselves.")
    survivor, loser = _there(held, wanted.survivor_id), _there(held, wanted.loser_id)
    if any(held[pk].updated_at != opened for pk, opened in wanted.opened.items() if pk in held):
        raise ChangedMeanwhile("Somebody changed one of the two meanwhile. Look at them again.")
    made = _write_down(wanted, survivor, loser, by)
    addresses, phones = ({each.pk: getattr(each, name) for each in (survivor, loser)} for name in ("email", "phone"))
    pair = Pair(made.pk, loser.pk, survivor.pk, made.at, addresses, phones=phones)
    before = tallies.of(pair.ids)
    _take_over(pair, wanted, survivor, loser)
    moving.carry_all(pair)
    _let_go(pair, loser)
    tallies.follow(before, tallies.of(pair.ids))
    moving.settle_all(pair.ids)
    dirty.mark([survivor.pk])
    record([_told(made, by)])
    made.left = {"said": pair.said, "latest": moving.latest()}
    made.save(update_fields=["left"])
    return made


def _there(held: Mapping[int, Customer], pk: int) -> Customer:
    if pk not in held:
        raise Customer.DoesNotExist(pk)
    return held[pk]


def _write_down(wanted: Wanted, survivor: Customer, loser: Customer, by: User) -> Merge:
    made = Merge.objects.create(
        survivor_id=survivor.pk,
        loser_id=loser.pk,
        survivor_name=str(survivor)[:300],
        loser_name=str(loser)[:300],
        loser_external_id=loser.external_id,
        why=wanted.why,
        once=wanted.once,
        by=by,
        at=clock.now(),
    )
    own_transaction(made.pk)
    return made


def own_transaction(merge_id: int) -> None:
    """Let the guards of the database know that it is this transaction that moves the rows (migration 0020)."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_merge SET xact = pg_current_xact_id()::text::bigint WHERE id = %s", [merge_id])


def _take_over(pair: Pair, wanted: Wanted, survivor: Customer, loser: Customer) -> None:
    """Give the survivor what was chosen of the loser's."""
    chosen: dict[str, Any] = {}
    for name in FIELDS:
        if name in wanted.theirs:
            column = COLUMNS.get(name, name)
            chosen[column] = getattr(loser, column)
    attributes = survivor.attributes | {key: loser.attributes.get(key) for key in wanted.custom}
    chosen["attributes"] = Jsonb({key: value for key, value in attributes.items() if value is not None})
    chosen["tags"] = list(wanted.tags)
    chosen["joined_at"] = min(filter(None, [survivor.joined_at, loser.joined_at]), default=None)
    chosen["updated_at"] = pair.at
    pair.address = loser.email if "email" in wanted.theirs else survivor.email
    pair.phone = loser.phone if "phone" in wanted.theirs else survivor.phone
    change(pair, Customer, {name: f"%({name})s" for name in chosen}, "t.id = %(survivor)s", **chosen)


def _let_go(pair: Pair, loser: Customer) -> None:
    """Take the loser's row away. A table that nobody carried would keep it: then the database refuses, here and now."""
    set_aside(pair, Customer, "t.id = %(loser)s")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    FormerId.objects.create(pk=loser.pk, external_id=loser.external_id, customer_id=pair.survivor_id)


def _told(made: Merge, by: User) -> Happening:
    payload = {"merge": made.pk, "name": made.loser_name, "external_id": made.loser_external_id, "by": str(by)}
    payload |= {"why": made.why} if made.why else {}
    return Happening(
        made.survivor_id, "customer.merged", made.at, "web", f"merge:{made.pk}", payload, f"merge:{made.pk}"
    )
