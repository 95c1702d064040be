"""`python -m bench [NAME …]`: run all races, or those of the modules named, and write docs/benchmarks.md."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from bench.harness import HEAD, ROUNDS, Outcome, Race, database, run  # noqa: E402

MODULES = ("import_orders", "segment_refresh", "fifty_segments", "delivery")
PAGE = settings.BASE_DIR / "docs" / "benchmarks.md"
WORDS = """# Benchmarks

Each line is one race: what the product does, against the bare work below it, measured by turns in one run,
{rounds} times each. The ratio is that of the medians. `make bench` writes this page; the races are in `bench/`.

Measured on {cores} cores, Python {python}, PostgreSQL {postgres}.

{table}
"""


def main(names: list[str]) -> None:
    outcomes = []
    for name in names or MODULES:
        races: Callable[[], Iterator[Race]] = import_module(f"bench.{name}").races
        with database():
            for race in races():
                outcomes.append(run(race))
                print(outcomes[-1].row(), flush=True)
    if not names:
        PAGE.write_text(_page(outcomes))


def _page(outcomes: list[Outcome]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    return WORDS.format(
        rounds=ROUNDS,
        cores=os.cpu_count(),
        python=platform.python_version(),
        postgres=postgres,
        table="\n".join([HEAD, *(outcome.row() for outcome in outcomes)]),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
