"""`python -m bench.memory [MB]`: the peak of memory while a file is brought in that is larger than the limit.

The file is gzip: MB of order lines, and in their middle one line of ten times as many. It comes into an empty database
by a process of its own, whose peak and whose server process's are printed; the latter counts shared memory too.
"""

import gzip
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
django.setup()

from django.db import connection  # noqa: E402

from bench.copying import bring_in  # noqa: E402
from bench.harness import database  # noqa: E402
from customers.ingest.guess import guess  # noqa: E402
from customers.ingest.imports import take_in  # noqa: E402
from customers.models import OrderLine, RejectedRow  # noqa: E402

LIMIT = 300  # MB
MB = 2**20
LINES = 20_000  # at a time


def main(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder, database():
        path = Path(folder) / "lines.csv.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.writelines(_content(size))
        name = str(connection.settings_dict["NAME"])
        run = [sys.executable, "-m", "bench.memory", name, str(path)]
        told = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        rows, refused = OrderLine.objects.count(), RejectedRow.objects.count()
    print(f"{size * 11:,} MB, {rows:,} order lines, {refused} refused. {told.strip()} At most {LIMIT} MB are allowed.")


def _content(size: int) -> Iterator[bytes]:
    yield b"order_id,customer_id,ordered_at,sku,description,quantity,unit_price\n"
    blocks = size * MB // len(_block(10**6)) + 1
    for number in range(blocks):
        if number == blocks // 2:
            yield from (b"x" * MB for _ in range(10 * size))
            yield b"\n"
        yield _block(number * LINES)


def _block(first: int) -> bytes:
    row = b"A%d,C%d,2024-05-01 10:00,SKU%d,A description of usual length,%d,1.50\n"
    lines = range(first, first + LINES)
    return b"".join(row % (line // 20, line // 20 % 50_000, line % 5_000, line % 9 + 1) for line in lines)


def _bring_in(name: str, path: Path) -> None:
    connection.settings_dict["NAME"] = name
    with path.open("rb") as file:
        bring_in(take_in(file, path.name, guess(path, "order_lines")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (server,) = cursor.fetchone()
    print(f"Peaks: {_peak('self')} MB, and {_peak(server)} MB of its server process.")


def _peak(process: object) -> int:
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(peak) // 1024


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _bring_in(sys.argv[1], Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
