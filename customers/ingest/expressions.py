"""A mapping compiled to SQL: the query that turns staged texts into typed fields, with the reason where it cannot.

Names and texts that people wrote enter only as quoted literals; columns in staging are called c0, c1, …
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.sql import SQL, Composable, Identifier, Literal

from customers.ingest.field import Field, Reads
from customers.ingest.mapping import DATES, DECIMALS, FreeRule, Mapping, SkipRule, Source, StateRule
from customers.ingest.words import LISTS, LOCAL, NO, WORDS, YES, ZONED
from retention.common.currencies import CURRENCIES
from retention.common.languages import CODES

TO_ISO = {
    "dmy": (r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", r"\3-\2-\1"),
    "mdy": (r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", r"\3-\1-\2"),
    "ymd": (r"^(\d{4})(\d{2})(\d{2})", r"\1-\2-\3"),
}
# By decimal mark: what no plain number holds, the shape of one in groups of three, and translate()'s arguments.
NUMBERS = {
    "point": ("[^-+0-9.eE]", "^[-+]?\\d{1,3}([, '\u00a0]\\d{3})+(\\.\\d*)?$", ", '\u00a0", ""),
    "comma": ("[^-+0-9,eE]", "^[-+]?\\d{1,3}([. '\u00a0]\\d{3})+(,\\d*)?$", ",. '\u00a0", "."),
}
#: Of what may lie in the future nothing is refused for that.
HAPPENED = ("ordered_at", "joined_at", "consent_at", "happened_at", "occurred_at", "closed_at", "written_at")
EARLIEST, LATEST = "1900-01-01", "2200-01-01"


class Places(NamedTuple):
    """Which staged column holds which column of the file.

    What `heads` say is staged where it is said first, in rows that lead; those that follow and say the same have the
    line of that one as their `head`. `lines` are said anew in each row. Without `lines` all rows lead.
    """

    heads: dict[str, int]
    lines: dict[str, int]

    def all(self) -> dict[str, int]:
        return self.heads | self.lines


def judged(
    mapping: Mapping, targets: Sequence[Field], places: Places, zone: str, latest: datetime, staged: str
) -> Composable:
    """A query over the table `staged` (line, refusal, head, leads, c0 …).

    It gives line, refusal, each of `targets`, attributes, state. What a row that follows repeats is NULL in it, but for
    the order's id.

    Staged texts are without blanks around them, and NULL where nothing is left. Names of zones are in `import_zones`.
    The values of custom fields are in attributes too, typed. What is not mapped is NULL. Times without a zone are those
    of `zone`; nothing has happened after `latest`.
    """
    fields = [field for field in targets if not field.custom_key or field.name in mapping.fields]
    compiler = _Compiler(mapping, fields, places, zone, latest)
    return SQL(
        "SELECT line, coalesce(refusal, {refusal}) AS refusal, {values}, {together} AS attributes, {state} AS state"
        " FROM {typed}"
    ).format(
        refusal=compiler.refusal(),
        values=_list(SQL("{} AS {}").format(compiler.said(field), Identifier(field.name)) for field in fields),
        together=compiler.said_once(compiler.together(), compiler.attributes_columns()),
        state=compiler.said_once(SQL("state"), compiler.state_columns()),
        typed=compiler.rows(Identifier(staged)),
    )


class _Compiler:
    """The expressions of one mapping."""

    def __init__(self, mapping: Mapping, fields: Sequence[Field], places: Places, zone: str, latest: datetime) -> None:
        self._mapping = mapping
        self._fields = fields
        self._split = places
        self._places = places.all()
        self._zone = zone
        self._latest = latest

    def rows(self, staged: Composable) -> Composable:
        """Each row with its texts and values. What several rows say together is judged once."""
        if not self._split.lines:
            return SQL("({}) AS typed").format(self._layers(SQL("line, refusal"), staged, self._split.heads, of=False))
        lines = self._layers(SQL("line, refusal, head"), staged, self._split.lines, of=True)
        leading = SQL("{} WHERE leads").format(staged)
        heads = self._layers(SQL("head"), leading, self._split.heads | self._split.lines, of=False)
        return SQL("({}) AS lines JOIN ({}) AS heads USING (head)").format(lines, heads)

    def _layers(self, names: Composable, rows: Composable, places: dict[str, int], *, of: bool) -> Composable:
        """The texts and values of fields, either those `of` lines or the others."""
        fields = [field for field in self._fields if self._is_of_lines(self._columns(field)) is of]
        # OFFSET 0 keeps each layer apart, so that a text is put together once and not at each mention.
        return SQL(
            "SELECT *{typed} FROM (SELECT {names}{derived}{texts} FROM (SELECT {names}{tidied} FROM {rows} OFFSET 0)"
            " AS tidy OFFSET 0) AS texts OFFSET 0"
        ).format(
            typed=_also(SQL("{} AS {}").format(self.typed(field), _value(field)) for field in fields),
            names=names,
            derived=_also(self._derived(of)),
            texts=self.texts(fields),
            tidied=self.tidied(places),
            rows=rows,
        )

    def _columns(self, field: Field) -> set[str]:
        source = self._mapping.fields.get(field.name)
        return source.columns() if source else set()

    def _is_of_lines(self, columns: set[str]) -> bool:
        return not columns.isdisjoint(self._split.lines)

    def said(self, field: Field) -> Composable:
        """The field's value in each row that is to have it: the id of its order is what a line is found by."""
        return _value(field) if field.name == "order_id" else self.said_once(_value(field), self._columns(field))

    def said_once(self, value: Composable, columns: set[str]) -> Composable:
        """What these columns say, in rows that lead where they are not said anew in each."""
        if not self._split.lines or self._is_of_lines(columns):
            return value
        return SQL("CASE WHEN line = head THEN {} END").format(value)

    def attributes_columns(self) -> set[str]:
        return {name for source in self._mapping.attributes.values() for name in source.columns()}

    def state_columns(self) -> set[str]:
        return {rule.column for rule in self._mapping.states}

    def _derived(self, of: bool) -> Iterator[Composable]:
        """What a row says beside its fields: attributes, its state, and whether it is left out."""
        mapping = self._mapping
        if self._is_of_lines(self.attributes_columns()) is of:
            yield SQL("{} AS attributes").format(self.attributes())
        if self._is_of_lines(self.state_columns()) is of:
            yield SQL("{} AS state").format(self.state())
        if mapping.free and not of:
            yield SQL("{} AS is_free").format(self.free())
        if mapping.skips and self._is_of_lines({rule.column for rule in mapping.skips}) is of:
            yield SQL("{} AS left_out").format(self.left_out())

    def tidied(self, places: dict[str, int]) -> Composable:
        """Each staged column, whole numbers as such and of several ids the first."""
        result: Composable = SQL("")
        for name, place in places.items():
            plain = _column(place)
            if name in self._mapping.whole_numbers:
                plain = SQL("CASE WHEN {0} LIKE '%.0' THEN left({0}, -2) ELSE {0} END").format(plain)
            if name in self._mapping.first_of:
                plain = SQL("nullif(btrim(split_part({}, ';', 1)), '')").format(plain)
            result += SQL(", {} AS {}").format(plain, _column(place))
        return result

    def texts(self, fields: Iterable[Field]) -> Composable:
        """The text of each field that comes from columns, before it is read."""
        result: Composable = SQL("")
        for field in fields:
            source = self._mapping.fields.get(field.name)
            if source and source.columns():
                text = self._source(source, whole=field.reads in (Reads.ID, Reads.EMAIL))
                result += SQL(", {} AS {}").format(text, Identifier(f"{field.name}_text"))
                if self._is_turned(field):
                    pattern, iso = map(Literal, TO_ISO[self._mapping.dates])
                    turned = SQL("regexp_replace({}, {}, {})").format(text, pattern, iso)
                    result += SQL(", {} AS {}").format(turned, Identifier(f"{field.name}_iso"))
        return result

    def _is_turned(self, field: Field) -> bool:
        """Whether the field is a date that the file writes in another order than PostgreSQL reads."""
        return field.reads in (Reads.INSTANT, Reads.DAY) and self._mapping.dates in TO_ISO

    def text(self, field: Field) -> Composable:
        """The field's text where it is mentioned: a fixed one stands there itself, to be judged once for all rows.

        Not one that PostgreSQL would read while it plans, before it is known to be valid: concat() is for each row.
        """
        source = self._mapping.fields.get(field.name)
        if source and source.columns():
            return Identifier(f"{field.name}_text")
        if source is None:
            return SQL("NULL::text")
        is_read_at_once = field.reads in (Reads.NUMBER, Reads.PERCENT, Reads.OBJECT)
        return SQL("concat({})" if is_read_at_once else "{}::text").format(Literal(source.text))

    def _source(self, source: Source, whole: bool) -> Composable:
        """A column, or pieces put together: NULL where a column is empty (`whole`), or where all of them are."""
        pieces = [
            _column(self._places[piece]) if is_column else SQL("{}::text").format(Literal(piece))
            for piece, is_column in source.parts()
        ]
        if len(pieces) == 1:
            return pieces[0]
        if whole:
            return SQL("(") + SQL(" || ").join(pieces) + SQL(")")
        columns = _list(_column(self._places[name]) for name in sorted(source.columns()))
        together = SQL("nullif(btrim(concat({})), '')").format(_list(pieces))
        return SQL("CASE WHEN num_nonnulls({}) > 0 THEN {} END").format(columns, together)

    def attributes(self) -> Composable:
        pairs = [
            SQL("{}::text, {}").format(Literal(name), self._source(source, whole=False))
            for name, source in self._mapping.attributes.items()
        ]
        return SQL("jsonb_strip_nulls(jsonb_build_object({}))").format(_list(pairs)) if pairs else SQL("NULL::jsonb")

    def together(self) -> Composable:
        """The attributes with the values of custom fields; NULL where the mapping has neither."""
        pairs = [
            SQL("{}::text, to_jsonb({})").format(Literal(field.custom_key), _value(field))
            for field in self._fields
            if field.custom_key
        ]
        if not pairs:
            return SQL("attributes")
        return SQL("coalesce(attributes, '{{}}') || jsonb_strip_nulls(jsonb_build_object({}))").format(_list(pairs))

    def state(self) -> Composable:
        """The order's state as the first rule that holds says; NULL where the mapping has no rules."""
        if not self._mapping.states:
            return SQL("NULL::text")
        cases = SQL(" ").join(
            SQL("WHEN {} THEN {}").format(self._holds(rule), Literal(rule.state)) for rule in self._mapping.states
        )
        return SQL("CASE {} ELSE 'completed' END").format(cases)

    def left_out(self) -> Composable:
        """Why the row is none to bring in, as the first rule that holds says."""
        cases = SQL(" ").join(
            SQL("WHEN {} THEN {}").format(self._holds(rule), Literal(rule.reason)) for rule in self._mapping.skips
        )
        return SQL("CASE {} END").format(cases)

    def _holds(self, rule: StateRule | SkipRule | FreeRule) -> Composable:
        column = _column(self._places[rule.column])
        if rule.test == "starts with":
            return SQL("starts_with({}, {})").format(column, Literal(rule.value))
        if rule.test == "is":
            return SQL("lower({}) = lower({})").format(column, Literal(rule.value))
        return SQL("{} IS NOT NULL").format(column)

    def typed(self, field: Field) -> Composable:
        """The field's value, NULL where its text cannot be read as one."""
        source = self._mapping.fields.get(field.name)
        is_iso = source and source.columns() and self._is_turned(field)
        text = Identifier(f"{field.name}_iso") if is_iso else self.text(field)
        match field.reads:
            case Reads.ID:
                return SQL('CASE WHEN length({0}) <= {1} THEN {0} END COLLATE "C"').format(text, Literal(field.limit))
            case Reads.TEXT:
                return SQL("CASE WHEN length({0}) <= {1} THEN {0} END").format(text, Literal(field.limit))
            case Reads.NUMBER if field.custom_key:
                return SQL("round({}, 4)").format(self._number(text))
            case Reads.NUMBER:
                return self._number(text)
            case Reads.CHOICE | Reads.CHOICES:
                return SQL(LISTS[field.reads]).format(text, choices=Literal(list(field.choices)))
            case Reads.INSTANT:
                return self._instant(text)
            case Reads.PERCENT:
                share = SQL("CASE WHEN {0} BETWEEN 0 AND 100 THEN round({0}, 2) END").format(self._number(text))
                is_free = field.name == "discount" and self._mapping.free
                return SQL("CASE WHEN is_free THEN 100 ELSE {} END").format(share) if is_free else share
            case Reads.WHOLE:
                return SQL("CASE WHEN {0} ~ '^[0-9]+$' AND length({0}) <= {1} THEN {0}::bigint END").format(
                    text, Literal(field.limit)
                )
            case _:
                return SQL(WORDS[field.reads]).format(
                    text,
                    yes=Literal(YES),
                    no=Literal(NO),
                    currencies=Literal(sorted(CURRENCIES)),
                    languages=Literal(json.dumps(CODES)),
                    limit=Literal(field.limit),
                )

    def free(self) -> Composable:
        """Whether nothing is paid, as one of the rules says."""
        return SQL(" OR ").join(SQL("coalesce({}, FALSE)").format(self._holds(rule)) for rule in self._mapping.free)

    def _number(self, text: Composable) -> Composable:
        foreign, grouped, marks, instead = NUMBERS[self._mapping.decimal]
        plain = SQL("translate({}, {}, {})").format(text, Literal(marks), Literal(instead))
        return SQL(
            "CASE WHEN {text} !~ {foreign} THEN"
            " CASE WHEN pg_input_is_valid({usual}, 'numeric') THEN {usual}::numeric END"
            " WHEN {text} ~ {grouped} THEN {plain}::numeric END"
        ).format(
            text=text,
            foreign=Literal(foreign),
            grouped=Literal(grouped),
            plain=plain,
            usual=plain if instead else text,
        )

    def _instant(self, text: Composable) -> Composable:
        return SQL(
            "CASE WHEN " + LOCAL + " THEN CASE WHEN pg_input_is_valid({0}, 'timestamp')"
            " THEN {0}::timestamp AT TIME ZONE {1} END"
            " WHEN " + ZONED + " THEN CASE WHEN pg_input_is_valid({0}, 'timestamptz') THEN {0}::timestamptz END END"
        ).format(text, Literal(self._zone))

    def refusal(self) -> Composable:
        """Why the row cannot be taken: the first field that is needed and empty, or that cannot be read."""
        cases: list[Composable] = [SQL("WHEN left_out IS NOT NULL THEN left_out")] if self._mapping.skips else []
        for field in self._fields:
            if field.name in self._mapping.fields:
                cases += [*self._absent(field), self._misread(field), *self._to_come(field)]
        return SQL("CASE {} END").format(SQL(" ").join(cases))

    def _absent(self, field: Field) -> Iterator[Composable]:
        # The lines of an order may leave its date to another of its lines.
        left_to_others = self._mapping.kind == "order_lines" and field.reads is Reads.INSTANT
        if field.required and self._mapping.needs(field) and not left_to_others:
            reason = Literal(f"{field.label}: there is none.")
            yield SQL("WHEN {} IS NULL THEN {}").format(self.text(field), reason)

    def _to_come(self, field: Field) -> Iterator[Composable]:
        if field.name in HAPPENED:
            yield SQL("WHEN {value} > {latest} THEN concat({label}, left({text}, 80), '” lies in the future.')").format(
                value=_value(field),
                latest=Literal(self._latest),
                label=Literal(f"{field.label}: “"),
                text=self.text(field),
            )

    def _misread(self, field: Field) -> Composable:
        mapping = self._mapping
        expected = field.reads.value.format(
            limit=field.limit,
            number=DECIMALS[mapping.decimal],
            date=DATES[mapping.dates],
            choices=", ".join(field.choices)[:150],
        )
        return SQL("WHEN {text} IS NOT NULL AND ({wrong}) THEN concat({label}, left({text}, 80), {wanted})").format(
            text=self.text(field),
            wrong=_wrong(field),
            label=Literal(f"{field.label}: “"),
            wanted=Literal(f"” is not {expected}."),
        )


def _wrong(field: Field) -> Composable:
    """Whether the value read is none, or none that can be kept."""
    value = _value(field)
    if field.reads is Reads.NUMBER:
        return SQL("{0} IS NULL OR abs({0}) > {1}").format(value, Literal(10**field.limit - 1))
    if field.reads in (Reads.INSTANT, Reads.DAY):
        return SQL("{0} IS NULL OR {0} NOT BETWEEN {1} AND {2}").format(value, Literal(EARLIEST), Literal(LATEST))
    return SQL("{} IS NULL").format(value)


def _column(place: int) -> Composable:
    return Identifier(f"c{place}")


def _value(field: Field) -> Composable:
    return Identifier(f"{field.name}_value")


def _list(parts: Iterable[Composable]) -> Composable:
    return SQL(", ").join(parts)


def _also(parts: Iterable[Composable]) -> Composable:
    """More of a list that has begun."""
    return SQL("").join(SQL(", ") + part for part in parts)
