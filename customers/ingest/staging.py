"""Staging: the file's records as they are, judged set-wise.

The tables are temporary: PostgreSQL drops them with the connection, so that a killed import leaves nothing behind.
`import_texts` holds what a block of the file says (line, refusal, head, c0 …), where what an order's lines repeat is
said once; `import_rows` what all of it means, with a typed column for each field of its kind, or why a row was refused;
`import_refusals` lists those; `import_orders`, `import_subscriptions`, `import_cases`, `import_interactions`,
`import_tasks` and `import_events` have the good rows' own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from operator import itemgetter
from time import monotonic

from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Identifier

from customers.ingest import former_ids, matching, policies, settling
from customers.ingest.expressions import Places, judged
from customers.ingest.field import CUSTOM, Reads
from customers.ingest.fields import OF_LINES, targets
from customers.ingest.mapping import Mapping
from customers.ingest.reader import Record, ahead
from customers.ingest.statements import number, run
from retention.common import clock

BLOCK = 1 << 20  # characters that are held at a time
PAUSE = 0.25  # seconds at least between two reports, each of which waits for the disk
BLANKS = " \t\r\n\u00a0"
AHEAD = timedelta(days=1)  # clocks and zones differ by no more
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

Report = Callable[[int], None]
Block = tuple[int, str]  # how many records, and they as COPY takes them


def stage(
    records: Iterable[Record],
    columns: Sequence[str],
    mapping: Mapping,
    zone: str,
    report: Report,
    apart: Sequence[str] = OF_LINES,
) -> int:
    """Copy records of a file with these columns into staging and judge them. Returns how many there are.

    Of rows that say the same but for the fields `apart` only the first has what they say, and the order's id.
    """
    clear()
    fields = targets(mapping.kind)
    places = _places(columns, mapping, apart)
    texts = SQL("").join(SQL(", {} text").format(Identifier(f"c{place}")) for place in places.all().values())
    run(_ZONES, asked=any(field.reads is Reads.ZONE and field.name in mapping.fields for field in fields))
    run(SQL("CREATE TEMP TABLE import_texts (line bigint, refusal text, leads bool, head bigint{})").format(texts))
    latest = clock.now() + AHEAD
    meaning = judged(mapping, fields, places, zone, latest, "import_texts")
    run(SQL("CREATE TEMP TABLE import_rows AS {} WITH NO DATA").format(meaning))
    heads, lines = ([columns.index(name) for name in part] for part in places)
    staged = _judge(_blocks(iter(records), heads, lines), meaning, report)
    run("DROP TABLE import_texts")
    if mapping.empties:
        policies.empty(mapping.kind, set(mapping.fields), custom_keys(mapping))
    former_ids.follow(mapping.kind)
    matching.match(mapping)
    settling.settle(mapping.kind, zone, staged)
    run(
        "CREATE TEMP TABLE import_refusals AS"
        " SELECT line, refusal FROM import_rows WHERE refusal IS NOT NULL ORDER BY line"
    )
    return staged


# The view reads a file for each zone whenever it is asked.
_ZONES = "CREATE TEMP TABLE import_zones AS SELECT name FROM pg_timezone_names WHERE %(asked)s"


def _places(columns: Sequence[str], mapping: Mapping, apart: Sequence[str]) -> Places:
    """Where the columns are staged that the mapping uses; those apart in which lines of an order differ."""
    used = [name for name in columns if name in mapping.columns()] or list(columns[:1])
    sources = [mapping.fields[name] for name in apart if name in mapping.fields]
    differing = {name for source in sources for name in source.columns()}
    heads = [name for name in used if name not in differing] or used
    places = {name: place for place, name in enumerate([*heads, *(name for name in used if name not in heads)])}
    return Places({name: places[name] for name in heads}, {name: places[name] for name in used if name not in heads})


def clear() -> None:
    """Drop what an earlier import left on this connection."""
    names = "texts zones rows matches refusals customers orders homes held changes consents people"
    names += " subscriptions cases interactions tasks events"
    tables = (Identifier(f"import_{name}") for name in names.split())
    run(SQL("DROP TABLE IF EXISTS {}").format(SQL(", ").join(tables)))


def custom_keys(mapping: Mapping) -> list[str]:
    """The keys of the custom fields that a mapping fills."""
    return [name.removeprefix(CUSTOM) for name in mapping.fields if name.startswith(CUSTOM)]


def refusals() -> int:
    return number("SELECT count(*) FROM import_refusals")


def _judge(blocks: Iterator[Block], meaning: Composable, report: Report) -> int:
    """Copy each block and take down what it means, while the next one is being read. Returns how many records."""
    staged = 0
    reported = -PAUSE
    # Put together once, not for each block.
    judge = SQL("INSERT INTO import_rows {}").format(meaning).as_string(connection.connection)
    for count, block in ahead(blocks):
        with transaction.atomic():
            with connection.cursor() as cursor, cursor.copy("COPY import_texts FROM STDIN (NULL '')") as copy:
                copy.write(block)
            run(judge)
            run("TRUNCATE import_texts")
        staged += count
        if monotonic() >= reported + PAUSE:
            report(staged)
            reported = monotonic()
    return staged


def _blocks(records: Iterator[Record], heads: list[int], lines: list[int]) -> Iterator[Block]:
    """The records as COPY takes them, with the values at these places; what heads repeat is said once in a block.

    Written here, it takes a third of the time of psycopg's own row by row.
    """
    pick_head, pick_line = _picking(heads), _picking(lines)
    as_before = "\t" * len(heads)
    nothing = "\t" * (len(heads) + len(lines)) + "\n"
    block: list[str] = []
    size = head = 0
    said: Sequence[str] = ()
    for line, values, refusal in records:
        if refusal:
            row = f"{line}\t{refusal.translate(ESCAPES)}\tt\t{line}{nothing}"
        elif lines and pick_head(values) == said:
            row = f"{line}\t\tf\t{head}{as_before}\t{_copied(pick_line(values))}\n"
        else:
            head, said = line, pick_head(values)
            row = f"{line}\t\tt\t{head}\t{_copied([*said, *pick_line(values)])}\n"
        block.append(row)
        size += len(row)
        if size >= BLOCK:
            yield len(block), "".join(block)
            block, size, said = [], 0, ()
    if block:
        yield len(block), "".join(block)


def _picking(places: list[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """The values at these places. itemgetter is several times faster, and gives no tuple for one place."""
    return itemgetter(*places) if len(places) > 1 else lambda values: [values[place] for place in places]


def _copied(values: Sequence[str]) -> str:
    """Values with a tab between, as COPY takes them, without blanks around them; an empty one is NULL."""
    text = "\t".join([value.strip(BLANKS) for value in values])
    if "\\" in text or "\n" in text or "\r" in text or text.count("\t") >= len(values):
        text = "\t".join([value.strip(BLANKS).translate(ESCAPES) for value in values])
    return text
