"""Finding rows by words in a bounded time, however common the words are.

A GIN index gives all rows that have a word before it gives the first, so that a beginning which half of the table has
takes as long as half of the table, and a LIMIT doesn't help. Two indexes do: a small one over a sample, every 64th row
by a hash of its id, beside the one over all rows. The sample answers first. Words that it has often are common
enough to be shown from it; words that it has seldom are few in the whole table too, and cheap to find there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.db.models.expressions import RawSQL

from retention.common.text_search import SearchWords, beginning

#: One row in so many is in the sample.
SHARE = 64
#: A word that so many rows of the sample have is common (one row in fifteen of a million).
COMMON = 1_024
#: A word that fewer rows of the sample have is rare: so few rows that looking at each costs less than asking the index
#: for a common word. That takes some 20 µs for a row against 0.05 µs for each row that has the common word.
RARE = 16
#: Of words that so many rows of the sample have together, a list is walked (one row in sixty).
WALKED = 256
#: So many rows are looked at before the latest are chosen.
LOOKED_AT = 5_000


class InSample(Func):
    template = f"mod(hashint8(%(expressions)s), {SHARE}) = 0"
    output_field: Any = BooleanField()


class _Unindexed(SearchWords):
    """The same words, of rows that were found by others already."""

    template = f"({SearchWords.template} || '')"


class MatchesAll(Func):
    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field: Any = BooleanField()


class Among(Func):
    """pk = ANY(ARRAY(…)): the inner search is done first, by its own index, whatever order the rows are asked in."""

    template = "%(expressions)s))"
    arg_joiner = " = ANY(ARRAY("
    output_field: Any = BooleanField()


def word_indexes(name: str, *columns: Any) -> list[GinIndex]:
    """The two indexes that a model needs to be found by the words of these columns."""
    words = SearchWords(*columns)
    return [GinIndex(words, name=name), GinIndex(words, name=f"{name}_sample", condition=Q(InSample("id")))]


@dataclass(frozen=True)
class Sample:
    """What the sample says. `pks`: rows with all of the words; `often`: in how many rows of the sample each word is."""

    pks: list[int]
    often: dict[str, int]

    @property
    def all_common(self) -> bool:
        """Then to ask the whole index takes long, of so many rows: each word's own are all read before any is given."""
        return min(self.often.values()) >= COMMON

    @property
    def seeking(self) -> tuple[str, ...]:
        """The words to ask the whole index for: where some are rare, the common ones are looked up in those rows."""
        rarest = min(self.often.values())
        return tuple(word for word, times in self.often.items() if rarest >= RARE or times < COMMON)


def telling(typed: Sequence[str]) -> list[str]:
    """The words without those that another begins with: whatever has that one has them."""
    return [word for word in typed if not any(other != word and other.startswith(word) for other in typed)]


def sampled(rows: QuerySet[Any], words: SearchWords, typed: Sequence[str], most: int) -> Sample:
    """Ask the sample about words, of which there is at least one. One query; `most` is how many pks are wanted.

    How often each word is there is looked at only where fewer rows than that have all of them.
    """
    those = rows.order_by().filter(InSample(F("pk")))
    asked = [(those.alias(found=words).filter(found=beginning(*typed)), most)]
    if len(typed) > 1:
        asked += [(those.alias(found=words).filter(found=beginning(word)), COMMON) for word in typed]
    hits, values = _hits([each for each, _ in asked])
    several = f"(SELECT count(*) FROM (SELECT FROM hit0 LIMIT {int(most)}) AS c)"  # noqa: S608
    count = f"CASE WHEN {several} < {int(most)} THEN (SELECT count(*) FROM (SELECT FROM hit%d LIMIT {COMMON}) AS c) END"  # noqa: S608
    counts = [count % number for number in range(1, len(asked))]
    wanted = ", ".join([f"ARRAY(SELECT id FROM hit0 LIMIT {int(most)})", *counts])  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {hits} SELECT {wanted}", values)
        pks, *often = cursor.fetchone()
    times = [COMMON if each is None else each for each in often] or [len(pks)]
    return Sample(pks, dict(zip(typed, times, strict=True)))


def _hits(asked: Sequence[QuerySet[Any]]) -> tuple[str, list[Any]]:
    """Each as a common table expression: planned as if all of its rows were wanted, so that none is a long walk."""
    parts: list[str] = []
    values: list[Any] = []
    for number, each in enumerate(asked):
        sql, params = each.values("pk").query.sql_with_params()
        parts.append(f"hit{number}(id) AS MATERIALIZED ({sql})")
        values += params
    return ", ".join(parts), values


def few(rows: QuerySet[Any], words: SearchWords, typed: Sequence[str], most: int, enough: int = 0) -> RawSQL:
    """At most `most` pks of rows that have all words, the latest first; of common words, some of the sample.

    `enough`: so many will do where every word is common, and no fewer than that where there are more. For
    `Among(F("pk"), …)`. One query, which asks the sample.
    """
    typed = telling(typed)
    sample = sampled(rows, words, typed, most)
    if len(sample.pks) >= (enough or most if sample.all_common else most):
        return RawSQL("SELECT unnest(%s::bigint[])", [sample.pks])
    hits, values = _hits([_having(rows, words, typed, sample.seeking)])
    latest = f"SELECT id FROM (SELECT id FROM hit0 LIMIT {LOOKED_AT}) AS looked_at ORDER BY id DESC LIMIT %s"  # noqa: S608
    return RawSQL(f"WITH {hits} {latest}", [*values, most])  # noqa: S611


def _having(rows: QuerySet[Any], words: SearchWords, typed: Sequence[str], seeking: Sequence[str]) -> QuerySet[Any]:
    found: QuerySet[Any] = rows.order_by().alias(found=words).filter(found=beginning(*seeking))
    if rest := [word for word in typed if word not in seeking]:
        found = found.alias(rest=_Unindexed(*words.get_source_expressions())).filter(rest=beginning(*rest))
    return found


def every(rows: QuerySet[Any], words: SearchWords, typed: Sequence[str]) -> Q:
    """A filter for all rows that have all of the words. One query, which asks the sample.

    Rows with common words are met soon by whoever walks a list in its order. Few rows are found first and put in order
    then; left to itself the planner takes a rare word for a common one and walks the whole list for it.
    """
    typed = telling(typed)
    sample = sampled(rows, words, typed, WALKED)
    if len(sample.pks) >= WALKED:
        return Q(MatchesAll(words, beginning(*typed)))
    hits, values = _hits([_having(rows, words, typed, sample.seeking)])
    return Q(Among(F("pk"), RawSQL(f"WITH {hits} SELECT id FROM hit0", values)))  # noqa: S608, S611
