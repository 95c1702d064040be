"""Importing customers of ten columns against COPY of the same rows; again with few of them changed; beside as many.

New ones take a minute and a half by the hundred thousand. A file that comes again is larger, for what a job takes
beside its rows would be most of it.
"""

import csv
import gzip
import io
import os
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import cycle

from bench.copying import bare_table, bring_in, empty, first_time, made_by, once_more, put_back
from bench.harness import Race
from customers.ingest.imports import take_in
from customers.ingest.mapping import Mapping, Source
from customers.models import Import

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "50000"))
AGAIN = 4 * CUSTOMERS  # in a file that comes again
COLUMNS = ("customer_id", "name", "email", "phone", "country", "language", "persona", "tags", "joined_at", "consent")
HOW = Mapping("customers", fields={name: Source(name) for name in COLUMNS})


def races() -> Iterator[Race]:
    """Into empty tables; beside as many; and a file again with few of its rows changed."""
    first, beside = _taken(range(CUSTOMERS)), _taken(range(CUSTOMERS, 2 * CUSTOMERS))
    copies = made_by(first)
    yield first_time(f"import of {CUSTOMERS:,} customers, 10 columns", first, copies, CUSTOMERS)
    yield Race(
        f"import of {CUSTOMERS:,} customers beside as many",
        "the same import into empty tables",
        ours=lambda: bring_in(beside),
        floor=lambda: bring_in(beside),
        goal=1.25,
        units=CUSTOMERS,
        prepare=partial(put_back, copies),
        prepare_floor=empty,
    )
    whole = _taken(range(AGAIN))
    made_by(whole)
    lines = _text(range(AGAIN))
    with bare_table(COLUMNS):
        for said, every in (("one row", AGAIN), ("1 % of its rows", 100)):
            files = cycle([_taken(range(AGAIN), every), whole])
            what = f"{AGAIN:,} customers again, {said} changed"
            yield once_more(what, partial(_bring_next, files), lines, AGAIN)


def _bring_next(files: Iterator[Import]) -> None:
    bring_in(next(files))


def _taken(numbers: Iterable[int], every: int = 0) -> Import:
    """A file of these customers, of whom every so many-th has another name than usual."""
    header = ",".join(COLUMNS) + "\n"
    content = io.BytesIO(gzip.compress(header.encode() + _text(numbers, every), 1))
    return take_in(content, "customers.csv.gz", HOW)


def _text(numbers: Iterable[int], every: int = 0) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_row(number, every) for number in numbers)
    return text.getvalue().encode()


def _row(number: int, every: int) -> tuple[object, ...]:
    place = number * 2_654_435_761 % 2**32  # scattered, and the same in every run
    name = f"{_pick(FIRST, place)} {_pick(LAST, place >> 8)}"
    if every and number % every == every // 2:
        name += " the Second"
    email = f"{name.split()[0].lower()}.{number}@{_pick(HOSTS, place >> 4)}"
    day = f"20{10 + place % 15}-{1 + place % 12:02}-{1 + place % 28:02} 10:{place % 60:02}"
    phone = f"+49 30 {place % 10_000_000:07}"
    tags = _pick(("", "vip", "north, newsletter", "shop"), place >> 3)
    more = (_pick(COUNTRIES, place), _pick(("de", "en", "fr"), place), _pick(("", "Buyer", "Expert"), place >> 5))
    return (f"C{number:07}", name, email, phone, *more, tags, day, _pick(("yes", "no", ""), place >> 6))


def _pick(words: tuple[str, ...], place: int) -> str:
    return words[place % len(words)]


FIRST = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Frida", "Gus", "Hanna", "Ivo", "Jana", "Karl", "Lena", "Mo", "Nora")
LAST = ("Archer", "Brandt", "Cole", "Diaz", "Ekberg", "Fischer", "Grau", "Huber", "Ilic", "Jung", "Kowalski", "Lang")
HOSTS = ("example.test", "mail.test", "post.test", "web.test", "office.test")
COUNTRIES = ("Germany", "France", "United Kingdom", "Spain", "Italy", "Poland", "Austria", "Denmark")
