"""Refused rows: kept with their original text, and given back as a CSV file to mend."""

from collections.abc import Iterator

from django.db import connection

from customers.ingest.reader import Reader
from customers.models import Import, RejectedRow
from retention.common.spreadsheet import harmless, written

BLOCK = 10_000
REASON_LIMIT = 300


def forget(run: Import) -> None:
    """Drop what an earlier run of this import refused."""
    RejectedRow.objects.filter(run=run).delete()


def keep(run: Import, reader: Reader) -> None:
    """Keep the staged refusals with their original text, which a second reading of the file finds."""
    records = iter(reader)
    for block in _refusals():
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for line, reason in block:
                next(record for record in records if record.line == line)
                copy.write_row((run.pk, line, reason[:REASON_LIMIT], reader.record_text()))


_COPY = "COPY customers_rejectedrow (run_id, line, reason, original) FROM STDIN"


def _refusals() -> Iterator[list[tuple[int, str]]]:
    """Line and reason of the staged refusals in order of their lines, in blocks."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT line, refusal FROM import_refusals WHERE line > %s ORDER BY line LIMIT %s",
                [last, BLOCK],
            )
            block = cursor.fetchall()
        if not block:
            return
        yield block
        last = block[-1][0]


def as_csv(run: Import) -> Iterator[str]:
    """The refused rows as lines of a CSV file: line, reason, original text."""
    rows = run.rejected.order_by("line").values_list("line", "reason", "original").iterator()
    told = ((line, harmless(reason), harmless(original)) for line, reason, original in rows)
    return written(("Line", "Reason", "Original"), told)
