"""Guessing a mapping from a file's header and its first rows, for a person to correct."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from customers.ingest import headers
from customers.ingest.field import Field, Reads, plain
from customers.ingest.fields import BY_ID, FIELDS, WITH_ORDERS, targets
from customers.ingest.mapping import Mapping, Source, StateRule, matches
from customers.ingest.presets import read_by, recognised
from customers.ingest.reader import DELIMITERS, Layout, Reader, opening_lines
from customers.models.imports import ImportKind

SAMPLE = 500  # rows that are looked at
# No header says these: a number, a date, an address.
DATUM = re.compile(r"^[-+]?[\d.,/:\- ]*\d[\d.,/:\- ]*$|@")
LOOKS_LIKE = {
    Reads.INSTANT: re.compile(r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|(19|20)\d{6}$)"),
    Reads.EMAIL: re.compile(r"^\S+@\S+\.\S+$"),
}
MOST_STATES = 12  # different words in a column that says how orders stand
WHOLE = re.compile(r"^\d+\.0$")
DECIMALS = re.compile(r"^[-+]?\d[\d.,' \u00a0]*([.,])\d{1,2}$")
COMPACT = re.compile(r"^\d{8}\b")
DAY_FIRST = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}")


def guess(path: Path, kind: str = "", encoding: str = "utf-8", filename: str = "") -> Mapping:
    """A mapping that may fit the file; of the given kind, or of the one its columns speak for. Raises FileRefused.

    `filename` is what the file was called where it comes from. A file that another system exports is read as its
    preset says.
    """
    return guess_fields(path, guess_layout(path, encoding), kind, filename)


def guess_fields(path: Path, layout: Layout, kind: str = "", filename: str = "") -> Mapping:
    """The same for a file that is known to be written so."""
    samples = _samples(path, layout)
    columns = tuple(samples)
    preset = recognised(columns, kind, filename or path.name)
    if preset and not preset.no_place:
        return _written(read_by(preset, columns, [name for name, said in samples.items() if said], layout), samples)
    kind = kind or _kind(columns)
    if preset:  # what has no place here is not taken for something else: whoever knows better chooses its columns
        return Mapping(kind=kind, layout=layout, fields={})
    among = targets(kind)
    fields = _by_name(among, columns)
    fields |= _by_value(among, fields, samples)
    states = () if kind not in WITH_ORDERS else _states(fields, samples)
    match = _match(kind, fields, samples)
    return _written(Mapping(kind=kind, layout=layout, fields=fields, states=states, match=match), samples)


def _match(kind: str, fields: dict[str, Source], samples: dict[str, list[str]]) -> str:
    """By what customers are told apart: where nothing has their ids, by what each row has of address and number."""
    most = max(map(len, samples.values()), default=0)
    others = [name for name in matches(kind, FIELDS[kind]) if name in fields and name != BY_ID]
    full = (name for name in others if most and len(samples[fields[name].column]) == most)
    return BY_ID if BY_ID in fields else next(full, BY_ID)


def _written(mapping: Mapping, samples: dict[str, list[str]]) -> Mapping:
    """The mapping with how the file writes its dates, numbers and ids."""
    fields, among = mapping.fields, targets(mapping.kind)
    return replace(
        mapping,
        dates=_dates(_values(fields, among, samples, Reads.INSTANT, Reads.DAY)),
        decimal=_decimal(_values(fields, among, samples, Reads.NUMBER)),
        whole_numbers=tuple(name for name in _reading(fields, among, Reads.ID) if _all(WHOLE, samples.get(name, ()))),
    )


def _samples(path: Path, layout: Layout) -> dict[str, list[str]]:
    """What the first rows say in each column, where they say anything. Raises FileRefused."""
    with Reader(path, layout) as reader:
        rows = [record.values for record in islice(reader, SAMPLE) if not record.refusal]
        return {
            name: [row[place].strip() for row in rows if row[place].strip()]
            for place, name in enumerate(reader.columns)
        }


def guess_layout(path: Path, encoding: str) -> Layout:
    """The delimiter that cuts the first lines into the most columns, and whether the first of them is a header.

    Spaces count only where nothing else cuts: they stand in names and texts too. Where broken lines leave none that
    cuts them alike, the first line decides.
    """
    lines = opening_lines(path, encoding)
    widths = {name: _width(lines, delimiter) for name, delimiter in DELIMITERS.items() if delimiter}
    delimiter = max(widths, key=lambda name: widths[name])
    if widths[delimiter] < 2:
        first_line = {name: _width(lines[:1], DELIMITERS[name]) for name in widths}
        delimiter = "whitespace" if _width(lines, "") >= 2 else max(first_line, key=lambda name: first_line[name])
    first = next(iter(_split(lines[:1], DELIMITERS[delimiter])), [])
    if first and not any(DATUM.search(cell) for cell in first):
        return Layout(delimiter, encoding)
    return Layout(delimiter, encoding, tuple(f"Column {place}" for place in range(1, len(first) + 1)))


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter)) if delimiter else [line.split() for line in lines]
    except csv.Error:
        return []


def _width(lines: Sequence[str], delimiter: str) -> int:
    """How many columns the delimiter makes of most of the lines; 0 where they do not agree."""
    widths = [len(row) for row in _split(lines, delimiter) if row]
    usual = max(set(widths), key=widths.count, default=0)
    return usual if widths.count(usual) * 10 >= len(widths) * 9 else 0


def _kind(columns: Iterable[str]) -> str:
    """What the columns speak for: an id of its own and what only such a thing has; else customers."""
    matched = {kind: _by_name(FIELDS[kind], columns).keys() for kind in FIELDS}
    if {"order_id", "unit_price"} <= matched[ImportKind.ORDER_LINES]:
        return ImportKind.ORDER_LINES
    if "order_id" in matched[ImportKind.ORDERS]:
        return ImportKind.ORDERS
    if {"customer_id", "contact_email"} <= matched[ImportKind.CONTACTS] and _speaks_of_contacts(columns):
        return ImportKind.CONTACTS
    for kind, own in _SPEAK_FOR.items():
        if own <= matched[kind]:
            return kind
    return ImportKind.CUSTOMERS


_SPEAK_FOR: dict[str, set[str]] = {
    ImportKind.SUBSCRIPTIONS: {"subscription_id", "plan", "amount"},
    ImportKind.CASES: {"case_id", "subject", "opened_at"},
    ImportKind.PRODUCTS: {"sku", "name", "price"},
    ImportKind.EVENTS: {"what", "occurred_at"},
    ImportKind.TASKS: {"task_id", "title", "due_at"},
    ImportKind.INTERACTIONS: {"interaction_id", "kind", "happened_at", "text"},
}


def _speaks_of_contacts(columns: Iterable[str]) -> bool:
    """Customers have ids and addresses too; what only people at a customer have tells the two apart."""
    return any(plain(name) in ("contactemail", "contactname", "maincontact", "primarycontact") for name in columns)


def _by_name(among: Iterable[Field], columns: Iterable[str]) -> dict[str, Source]:
    """Each field from the column that bears the best known of its names; no column serves twice."""
    free = {plain(name): name for name in reversed(list(columns))}
    found = {}
    for field in among:
        name = next((name for name in field.names if name in free), None)
        if name is not None:
            found[field.name] = Source(column=free.pop(name))
    if "name" not in found and {"firstname", "lastname"} <= free.keys():
        found["name"] = Source(text=f"{{{free['firstname']}}} {{{free['lastname']}}}")
    return found


def _by_value(among: Iterable[Field], found: dict[str, Source], samples: dict[str, list[str]]) -> dict[str, Source]:
    """Fields that no header named: the date that is needed, and an e-mail address, from columns that hold such."""
    free = set(samples) - {name for source in found.values() for name in source.columns()}
    more: dict[str, Source] = {}
    for field in among:
        shape = LOOKS_LIKE.get(field.reads)
        if shape and field.name not in found and (field.required or field.reads is Reads.EMAIL):
            name = next((name for name in samples if name in free and _most(shape, samples[name])), None)
            if name is not None:
                more[field.name] = Source(column=name)
    return more


def _all(shape: re.Pattern[str], values: Sequence[str]) -> bool:
    return bool(values) and all(map(shape.match, values))


def _most(shape: re.Pattern[str], values: Sequence[str]) -> bool:
    """Whether what is in a column is nearly always of the shape: a few slips do not make it another column."""
    return bool(values) and 5 * sum(map(bool, map(shape.match, values))) >= 4 * len(values)


def _reading(fields: dict[str, Source], among: Iterable[Field], *reads: Reads) -> list[str]:
    """The columns that fields of these readings come from."""
    return [fields[field.name].column for field in among if field.name in fields and field.reads in reads]


def _values(
    fields: dict[str, Source], among: Iterable[Field], samples: dict[str, list[str]], *reads: Reads
) -> list[str]:
    return [value for column in _reading(fields, among, *reads) for value in samples.get(column, ())]


def _decimal(values: Iterable[str]) -> str:
    """As most of the numbers that have decimals are written."""
    marks = [found[1] for found in map(DECIMALS.match, values) if found]
    return "comma" if 2 * marks.count(",") > len(marks) else "point"


def _dates(values: Sequence[str]) -> str:
    """As most of them are written; of days and months that both fit, the day comes first unless one cannot."""
    if 2 * sum(bool(COMPACT.match(value)) for value in values) > len(values):
        return "ymd"
    numbers = [(int(found[1]), int(found[2])) for found in map(DAY_FIRST.match, values) if found]
    if 2 * len(numbers) <= len(values):
        return "iso"
    months_second = sum(second <= 12 for _, second in numbers)
    return "mdy" if months_second < sum(first <= 12 for first, _ in numbers) else "dmy"


def states_in(path: Path, layout: Layout) -> dict[str, list[tuple[str, int]]]:
    """What the first rows say in columns that tell how orders stand, and how often. Raises FileRefused."""
    return _told_states(_samples(path, layout))


def _told_states(samples: dict[str, list[str]]) -> dict[str, list[tuple[str, int]]]:
    found = {
        name: Counter(values).most_common()
        for name, values in samples.items()
        if values and plain(name) in headers.STATES
    }
    return {name: words for name, words in found.items() if len(words) <= MOST_STATES}


def _states(fields: dict[str, Source], samples: dict[str, list[str]]) -> tuple[StateRule, ...]:
    """What tells when an order was cancelled or refunded: a column of states, one of instants, or ids like C123."""
    rules = [
        StateRule(headers.STATE_WORDS[plain(word)], column, "is", word)
        for column, words in _told_states(samples).items()
        for word, _ in words
        if plain(word) in headers.STATE_WORDS
    ]
    return tuple(rules) or _other_states(fields, samples)


def _other_states(fields: dict[str, Source], samples: dict[str, list[str]]) -> tuple[StateRule, ...]:
    for column in samples:
        if plain(column) in ("cancelledat", "canceledat"):
            return (StateRule("cancelled", column, "is not empty"),)
    column = fields["order_id"].column if "order_id" in fields else ""
    ids = samples.get(column, [])
    notes = sum(bool(re.match(r"^C\d+$", name)) for name in ids)
    return (StateRule("cancelled", column, "starts with", "C"),) if 0 < notes < len(ids) / 2 else ()
