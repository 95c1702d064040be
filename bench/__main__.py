"""`python -m bench [NAME …]`: run all races and write docs/benchmarks.md, or run those of the modules named.

Those of `pages` take longer than all others and are run by name alone; they write docs/benchmarks-pages.md.
"""

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

MODULES = ("import_orders", "import_customers", "segment_refresh", "fifty_segments", "searching", "delivery")
DOCS = settings.BASE_DIR / "docs"
WORDS = """# Benchmarks

Each line is one race: what the product does, against the bare work below it, measured by turns in one run,
{rounds} times each. The ratio is that of the medians. `make bench` writes this page; the races are in `bench/`.

Measured on {cores} cores, Python {python}, PostgreSQL {postgres}.

{table}
"""

OF_PAGES = """# Benchmarks of pages

Each line is one page: how soon 95 of 100 answers were there, as wrk saw it with one visitor, against a bare Django view
that is signed in, runs one indexed query and renders as many rows; and of a large company against a small one. All
were measured by turns in one run, {rounds} times each, served by gunicorn as the product is; the ratio is that of the
medians. `make bench-pages` writes this page; `bench/population.sql` says what the companies have, `bench/bare/`
has the views.

Measured on {cores} cores, Python {python}, PostgreSQL {postgres}.

{table}
"""


def main(names: list[str]) -> None:
    outcomes = []
    for name in names or MODULES:
        for outcome in _outcomes(name):
            outcomes.append(outcome)
            print(outcome.row(), flush=True)
    if not names:
        (DOCS / "benchmarks.md").write_text(_page(WORDS, outcomes))
    if names == ["pages"]:
        (DOCS / "benchmarks-pages.md").write_text(_page(OF_PAGES, outcomes))


def _outcomes(name: str) -> Iterator[Outcome]:
    """A module has races to be run in an empty database, or measures by itself."""
    module = import_module(f"bench.{name}")
    if hasattr(module, "outcomes"):
        yield from module.outcomes()
        return
    races: Callable[[], Iterator[Race]] = module.races
    with database():
        for race in races():
            yield run(race)


def _page(words: str, outcomes: list[Outcome]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    return words.format(
        rounds=ROUNDS,
        cores=os.cpu_count(),
        python=platform.python_version(),
        postgres=postgres,
        table="\n".join([HEAD, *(outcome.row() for outcome in outcomes)]),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
