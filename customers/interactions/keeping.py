"""Logging an interaction, changing and removing it, with what follows: a task for the next step, and for colleagues.

Tasks are asked for once by their origin, so that saving again opens no second one.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import PurePath
from typing import Any, TypeAlias

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.interactions.sniffing import MOST, FileRefused, named_as
from customers.models import Attachment, Customer, Interaction, InteractionBefore
from customers.work.tasks import open_task
from customers.work.working_days import end_of_work
from retention.common import acting, clock
from retention.workspace.models import User
from retention.workspace.roles import Can

FIELDS = ("kind", "happened_at", "contact", "text", "outcome", "sentiment", "next_step", "next_on")
_MENTION = re.compile(r"(?<![\w@])@([\w.+-]+)")
#: A file, and what it holds.
File: TypeAlias = "tuple[UploadedFile[Any], str]"


class ChangedMeanwhile(Exception):
    """It was saved elsewhere after it was opened here. `stands` is the interaction as it is now."""

    def __init__(self, stands: Interaction) -> None:
        self.stands = stands


class NotTheirs(Exception):
    """Only its author changes an interaction; see `is_theirs`."""


def is_theirs(made: Interaction, by: User) -> bool:
    """Whether it is this person's to change, and to see once it is removed: what they wrote.

    What nobody here wrote, since it came from a file or its author left, is in the hands of all who edit customers.
    """
    return by.can(Can.EDIT_CUSTOMERS) if made.author_id is None else made.author_id == by.pk


def handle(user: User) -> str:
    """What a colleague is called in a text: the part of their address before the @."""
    return user.email.partition("@")[0].lower()


def mentioned_in(text: str, colleagues: Iterable[User]) -> list[User]:
    """Whom a text calls: each colleague whose handle stands in it after an @."""
    called = _called(text)
    return [user for user in colleagues if handle(user) in called]


def nobodys(text: str, mentioned: Iterable[User]) -> list[str]:
    """What stands after an @ and calls none of those mentioned."""
    return sorted(_called(text) - {handle(user) for user in mentioned})


def _called(text: str) -> set[str]:
    return {name.rstrip(".").lower() for name in _MENTION.findall(text)}


@transaction.atomic
def log(customer: Customer, values: Mapping[str, Any], by: User, files: Sequence[File], zone: tzinfo) -> Interaction:
    """Keep a new interaction with its files, and open the tasks that follow from it."""
    now = clock.now()
    told = {name: values[name] for name in FIELDS}
    told |= {"author": by, "api_key": acting.program.get()}
    made = Interaction.objects.create(customer=customer, created_at=now, updated_at=now, **told)
    _attach(made, files)
    _follow(made, values["mentioned"], by, zone)
    _tell(made, "interaction.logged", by, made.happened_at)
    return made


@transaction.atomic
def change(
    made: Interaction, values: Mapping[str, Any], by: User, files: Sequence[File], opened: datetime | None, zone: tzinfo
) -> None:
    """Store changed parts and keep what stood before, if nobody has saved it since `opened`.

    Raises NotTheirs, ChangedMeanwhile, FileRefused for too many files, and Interaction.DoesNotExist for a removed one.
    """
    stands = Interaction.objects.select_for_update().get(pk=made.pk, removed_at=None)
    if not is_theirs(stands, by):
        raise NotTheirs
    if stands.updated_at != opened:
        raise ChangedMeanwhile(stands)
    now = clock.now()
    if said := _said_before(stands, values):
        InteractionBefore.objects.create(
            interaction=stands, said=said, changed_by=by, api_key=acting.program.get(), changed_at=now
        )
    for name in FIELDS:
        setattr(stands, name, values[name])
    stands.updated_at = now
    stands.save()
    dirty.mark([stands.customer_id])  # a change is no event, and yet facts and segments ask about talks
    _attach(stands, files)
    _follow(stands, values["mentioned"], by, zone)


@transaction.atomic
def attach(made: Interaction, name: str, file: "UploadedFile[Any]", kind: str, by: User) -> Attachment:
    """One more file, which is another state of the interaction. Raises NotTheirs, FileRefused for too many files."""
    stands = Interaction.objects.select_for_update().get(pk=made.pk, removed_at=None)
    if not is_theirs(stands, by):
        raise NotTheirs
    _refuse_more(stands, 1)
    stands.updated_at = clock.now()
    stands.save(update_fields=["updated_at"])
    return _keep(stands, name, file, kind)


@transaction.atomic
def remove(made: Interaction, by: User) -> None:
    """Take it away; its author can bring it back. Raises NotTheirs."""
    if _mark(made, by, clock.now()):
        _tell(made, "interaction.removed", by, clock.now())


@transaction.atomic
def restore(made: Interaction, by: User) -> None:
    """Undo a removal. Raises NotTheirs."""
    _mark(made, by, None)


def _mark(made: Interaction, by: User, removed_at: datetime | None) -> bool:
    """Whether that changed anything."""
    stands = Interaction.objects.select_for_update().get(pk=made.pk)
    if not is_theirs(stands, by):
        raise NotTheirs
    if bool(stands.removed_at) == bool(removed_at):
        return False
    Interaction.objects.filter(pk=made.pk).update(removed_at=removed_at, updated_at=clock.now())
    dirty.mark([stands.customer_id])
    return True


def _tell(made: Interaction, kind: str, by: User, at: datetime) -> None:
    payload = {"interaction": made.pk, "what": made.get_kind_display().lower(), "by": str(by)}
    dedup = f"interaction:{made.pk}:{at.isoformat()}"
    record([Happening(made.customer_id, kind, at, "web", f"interaction:{made.pk}", payload, dedup)])


def _said_before(stands: Interaction, values: Mapping[str, Any]) -> dict[str, str]:
    """What stood in the parts that change, in words, by their names."""
    changed = [name for name in FIELDS if getattr(stands, name) != values[name]]
    return {str(Interaction._meta.get_field(name).verbose_name): _in_words(stands, name) for name in changed}  # type: ignore[union-attr]


def _in_words(stands: Interaction, name: str) -> str:
    value = getattr(stands, f"get_{name}_display", lambda: getattr(stands, name))()
    return "" if value is None else str(value)


def _attach(made: Interaction, files: Sequence[File]) -> None:
    _refuse_more(made, len(files))
    for file, kind in files:
        _keep(made, file.name or "", file, kind)


def _refuse_more(made: Interaction, files: int) -> None:
    if made.attachments.count() + files > MOST:
        raise FileRefused(f"At most {MOST} files go with one interaction.")


def _keep(made: Interaction, name: str, file: "UploadedFile[Any]", kind: str) -> Attachment:
    row = Attachment(interaction=made, name=named_as(plain_name(name), kind), kind=kind, size=file.size or 0)
    row.file.save(uuid.uuid4().hex, file, save=False)
    row.save()
    return row


def plain_name(name: str) -> str:
    """A file's own name without folders or signs that steer a terminal or turn the text round."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(sign for sign in last if sign.isprintable())[-195:] or "file"


def _follow(made: Interaction, mentioned: Iterable[User], by: User, zone: tzinfo) -> None:
    """The next step becomes a task of the author's; whoever is mentioned gets one that says where."""
    if made.next_step and made.next_on:
        due = end_of_work(made.next_on, zone)
        reason = f"Next step after the {made.get_kind_display().lower()}: {made.text[:200]}"
        open_task(made.customer_id, made.next_step, reason, due, by.pk, f"interaction:{made.pk}")
    today = end_of_work(clock.now().astimezone(zone).date(), zone)
    for user in mentioned:
        if user.pk != by.pk:
            title, reason = f"Answer {by}"[:200], made.text[:500]
            open_task(made.customer_id, title, reason, today, user.pk, f"mention:{made.pk}:{user.pk}")
    made.mentioned.set(mentioned)
