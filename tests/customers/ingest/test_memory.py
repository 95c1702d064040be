"""The memory of a process that imports does not grow with the file, nor with its rows, nor with its longest line."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from customers.models import Customer, RejectedRow

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT = 300  # MB
ROWS, WIDE = 3_000, 200  # wide rows of 900 kB each


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv.gz"
    piece = b"x" * 2**20
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"customer_id,name\n")
        file.writelines(b"C%d,%s\n" % (number, b"Ann " * 50) for number in range(ROWS))
        file.writelines(b"wide%d,%s\n" % (number, b"x" * 900_000) for number in range(WIDE))
        file.writelines(piece for _ in range(LIMIT // 2))
        file.write(b"\nlast,Ann\n")
    program = [sys.executable, "-m", "tests.customers.ingest.programs.importer"]
    database = str(connection.settings_dict["NAME"])
    done = subprocess.run([*program, database, path], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) <= LIMIT
    assert Customer.objects.count() == ROWS + 1
    assert [row.line for row in RejectedRow.objects.all()] == list(range(ROWS + 2, ROWS + WIDE + 3))
