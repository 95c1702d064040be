"""Runs one job in a process of its own: `worker.py DATABASE JOB [piecemeal]`.

With `piecemeal` it has a bug planted: the merge is no transaction, each statement stays by itself.
"""

import os
import sys
import uuid
from contextlib import nullcontext
from unittest import mock

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.db import connection  # noqa: E402

from customers.ingest import running  # noqa: E402
from customers.ingest.undo import running as undoing  # noqa: E402, F401 - registers its kind of job
from retention.workspace import jobs  # noqa: E402


def main(database: str, job: str, *bugs: str) -> None:
    connection.settings_dict["NAME"] = database
    planted = mock.patch.object(running, "transaction", mock.Mock(atomic=nullcontext)) if bugs else nullcontext()
    with planted:
        jobs.run(uuid.UUID(job))


if __name__ == "__main__":
    main(*sys.argv[1:])
