"""`manage.py import KIND FILE`: what the pages under /data/ do, from the command line."""

import json
import time
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from customers.ingest import naming
from customers.ingest.guess import guess
from customers.ingest.imports import NothingToUndo, StillRunning, run_here, take_in, undo_here
from customers.ingest.mapping import Mapping, MappingRefused, check
from customers.ingest.policies import POLICIES
from customers.ingest.presets import recognised
from customers.ingest.reader import FileRefused, Reader
from customers.models import Import
from customers.models.imports import ImportKind
from retention.workspace.models import Job, Workspace


class Command(BaseCommand):
    help = (
        "Bring in customers and what they have from a CSV file, plain or gzip. The same file twice changes nothing."
        " Ends with 1 where the import failed. Refused rows are kept, and shown under Data."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=ImportKind.values, nargs="?")
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument(
            "--mapping", help="name of a saved mapping or an example, or a JSON file; else it is guessed"
        )
        parser.add_argument("--policy", choices=POLICIES, help="what the file may do; both where nothing is said")
        parser.add_argument(
            "--match", metavar="FIELD", help="what tells customers apart: customer_id, email, phone or custom_…"
        )
        parser.add_argument("--empties", action="store_true", help="let an empty cell empty its field")
        parser.add_argument("--dry-run", action="store_true", help="try everything and take it back")
        parser.add_argument("--undo", type=int, metavar="ID", help="take the import of this number back")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["undo"] is not None:
            self._undo(options)
            return
        if not options["kind"] or not options["file"]:
            raise CommandError("Say what the file holds and where it is: import customers customers.csv")
        taken = _take_in(options["kind"], options["file"], options)
        job = run_here(taken, dry_run=options["dry_run"], tell=Meter(self.stderr))
        if job.state != Job.State.DONE:
            raise CommandError(job.error or "The import was stopped. Nothing was brought in.")
        summary = {"import": taken.pk, "dry_run": taken.dry_run, **job.summary}
        self.stdout.write(json.dumps(summary, indent=2) if options["json"] else _in_words(summary))

    def _undo(self, options: dict[str, Any]) -> None:
        taken = Import.objects.filter(pk=options["undo"]).first()
        if taken is None:
            raise CommandError(f"There is no import {options['undo']}. Their numbers are in the addresses under Data.")
        try:
            job = undo_here(taken, dry_run=options["dry_run"], tell=Meter(self.stderr))
        except StillRunning as error:
            raise CommandError("The import is running. Nothing was taken back.") from error
        except NothingToUndo as error:
            raise CommandError("There is nothing to take back: nothing that it changed still stands.") from error
        if job.state != Job.State.DONE:
            raise CommandError(job.error or "It was stopped. Nothing was taken back.")
        summary = {"import": taken.pk, **job.summary}
        self.stdout.write(json.dumps(summary, indent=2) if options["json"] else _undone_in_words(summary))


def _undone_in_words(summary: dict[str, Any]) -> str:
    lines = [
        f"{what.capitalize()}: {counts['removed']:,} removed, {counts['changed']:,} put back, {counts['kept']:,} stay"
        for what, counts in summary["tables"].items()
    ]
    lines += [f"{count:,} stay: {reason}" for reason, count in summary["reasons"].items()]
    return "\n".join([*lines, "This was a trial: nothing was taken back."] if summary["dry_run"] else lines)


def _take_in(kind: str, file: Path, options: dict[str, Any]) -> Import:
    """The file, kept with its mapping once that fits. Raises CommandError."""
    try:
        chosen = _chosen(options["mapping"]) if options["mapping"] else guess(file, kind)
        if not options["mapping"]:
            _refuse_without_place(file, chosen)
        if chosen.kind != kind:
            raise CommandError(f"The mapping {options['mapping'] or ''} reads {chosen.kind}, not {kind}.")
        chosen = replace(
            chosen,
            policy=options["policy"] or chosen.policy,
            match=options["match"] or chosen.match,
            empties=options["empties"] or chosen.empties,
        )
        with Reader(file, chosen.layout) as reader:
            check(chosen, reader.columns)
        with file.open("rb") as opened:
            return take_in(opened, file.name, chosen)
    except (FileRefused, MappingRefused, OSError) as error:
        raise CommandError(f"{error} Nothing was brought in.") from error


def _refuse_without_place(file: Path, chosen: Mapping) -> None:
    with Reader(file, chosen.layout) as reader:
        preset = recognised(reader.columns, filename=file.name)
    if preset and preset.no_place:
        raise CommandError(f"{preset.label}. {preset.no_place} Nothing was brought in.")


def _chosen(mapping: str) -> Mapping:
    path = Path(mapping)
    return naming.in_file(path) if path.is_file() else naming.named(mapping)


class Meter:
    """Writes at most one line a second: what is being done, how far, how fast."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._begun = time.monotonic()
        self._next = 0.0
        self._stage = ""

    def __call__(self, done: int, total: int | None, stage: str) -> None:
        now = time.monotonic()
        if stage == self._stage and now < self._next:
            return
        self._stage, self._next = stage, now + 1
        rate = done / max(now - self._begun, 0.001)
        self._out.write(f"{stage}: {done:,} of {total or done:,} rows, {rate:,.0f} a second")


def _in_words(summary: dict[str, Any]) -> str:
    lines = [f"{summary['rows']:,} rows read, {summary['rejected']:,} refused, {summary['left_out']:,} left out"]
    for noun in (*ImportKind.values, "lines"):
        if tally := summary.get(noun):
            counts = ", ".join(f"{tally[what]:,} {what}" for what in ("created", "updated", "unchanged", "removed"))
            lines.append(f"{noun.capitalize()}: {counts}")
    lines += [
        f"{what.capitalize()} {'would change' if summary['dry_run'] else 'changed'} in {field}: {count:,}"
        for what, fields in summary["fields"].items()
        for field, count in fields.items()
    ]
    lines += [f"Orders come to {total} {currency}" for currency, total in summary.get("amounts", {}).items()]
    own = Workspace.current().currency
    lines += [
        f"The workspace counts in {own}: money in {currency} is left out of its sums."
        for currency in summary.get("amounts", {})
        if currency != own
    ]
    if summary["dry_run"]:
        lines.append("This was a trial: nothing was brought in.")
    return "\n".join(lines)
