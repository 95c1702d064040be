"""Importing Online Retail against COPY of the same rows."""

import csv
import gzip
import io
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from bench.copying import bare_table, bring_in, first_time, made_by, once_more
from bench.harness import Race
from customers.ingest.imports import take_in
from customers.ingest.naming import named

SHARED = Path(os.environ.get("RETENTION_SHARED", settings.BASE_DIR.parent / "shared"))
FILE = SHARED / "data" / "online_retail" / "online_retail.csv.gz"
ROWS = 541_909


def races() -> Iterator[Race]:
    """An import into empty tables, and the same file again."""
    with FILE.open("rb") as file:
        taken = take_in(file, FILE.name, named("online_retail"))
    yield first_time(f"import of {ROWS:,} order lines", taken, made_by(taken), ROWS)
    made_by(taken)
    header, lines = _lines()
    with bare_table(header):
        yield once_more("the same file again, nothing changed", lambda: bring_in(taken), lines, ROWS)


def _lines() -> tuple[list[str], bytes]:
    """The file's header, and its rows as COPY takes them."""
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return header, text.getvalue().encode()
