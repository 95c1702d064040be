"""Finding rows by words in a bounded time, however common the words are.

A GIN index gives all rows that have a word before it gives the first, so that a beginning which half of the table has
takes as long as half of the table, and a LIMIT doesn't help. Two indexes do: a small one over a sample, every 64th row
by a hash of its id, beside the one over all rows. The sample answers first. Words that it has often are common
enough to be shown from it; words that it has seldom are few in the whole table too, and cheap to find there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, Exists, Expression, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.expressions import RawSQL

from retention.common.asking import Asking, Given, Kept, hear, written
from retention.common.text_search import SearchWords, all_of, asking_for, beginning, words_of

#: One row in so many is in the sample.
SHARE = 64
#: A word that so many rows of the sample have is common (one row in fifteen of a million).
COMMON = 1_024
#: A word that fewer rows of the sample have is rare: so few rows that looking at each costs less than asking the index
#: for a common word. That takes some 20 µs for a row against 0.05 µs for each row that has the common word.
RARE = 16
#: Looking at a row takes as long as to read so many rows of a word, or of words with that beginning, from the index.
READ = 100
#: So many common words are shown from the sample however few it has, if it has any and a list has the rest: to ask the
#: index for them all can take a second of a million rows.
SEVERAL = 3
#: Of words that so many rows of the sample have together, a list is walked (one row in sixty).
WALKED = 256
#: So many rows are looked at where the latest are to be chosen.
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


class _NotGiven(Func):
    template = "%(expressions)s::text IS NULL"
    output_field: Any = BooleanField()


class Among(Func):
    """pk = ANY(ARRAY(…)): the inner search is done first, by its own index, whatever order the rows are asked in."""

    template = "%(expressions)s))"
    arg_joiner = " = ANY(ARRAY("
    output_field: Any = BooleanField()


class OneOf(Func):
    """pk = ANY('{1,2}'::bigint[]): ids that are known already, as the text of an array."""

    template = "%(expressions)s::bigint[])"
    arg_joiner = " = ANY("
    output_field: Any = BooleanField()


def word_indexes(name: str, *columns: Any) -> list[GinIndex]:
    """The two indexes that a model needs to be found by the words of these columns."""
    words = SearchWords(*columns)
    return [GinIndex(words, name=name), GinIndex(words, name=f"{name}_sample", condition=Q(InSample("id")))]


@dataclass(frozen=True, eq=False)
class Pool:
    """Rows that are found by the words of some columns, of which their model has `word_indexes`.

    `latest`: of many the latest are wanted, and not whichever are found first. `listed`: what is shown of them leads
    to a list of all that have the words. `name`: what is shown of a row begins with it, and an index has the rows in
    its order; where enough names begin with what was typed, the words are not asked for.
    """

    rows: QuerySet[Any]
    columns: tuple[Any, ...]
    latest: bool = False
    listed: bool = False
    name: Expression | None = None

    @property
    def words(self) -> SearchWords:
        return SearchWords(*self.columns)

    def having(self, words: SearchQuery) -> QuerySet[Any]:
        found: QuerySet[Any] = self.rows.order_by().alias(found=self.words).filter(found=words)
        return found

    def looked_up(self, words: SearchQuery) -> Q:
        """The same without the index, for rows that were found by other words."""
        return Q(MatchesAll(_Unindexed(*self.columns), words))


@dataclass(frozen=True)
class Sample:
    """What the sample says. `pks`: rows with all of the words; `often`: in how many rows of the sample each word is."""

    pks: list[int]
    often: dict[str, int]

    @property
    def all_common(self) -> bool:
        """Then to ask the whole index takes long, of so many rows: each word's own are all read before any is given."""
        return min(self.often.values()) >= COMMON

    def seeking(self, wanted: float = math.inf) -> list[str]:
        """The words to ask the whole index for; the others are looked up in the rows that these find.

        Of many words some are common, and are not asked for where the others find few rows, or soon find as many as
        are `wanted`. The more of them there are, the longer it would take to ask. No word is asked for that has more
        rows than looking at those of the rarest costs.
        """
        rarest = min(self.often.values())
        rows = rarest * min(SHARE, wanted / (len(self.pks) + 1))
        rare = [word for word, times in self.often.items() if times < COMMON]
        asked = rare if rare and rows < RARE * SHARE * (len(self.often) - len(rare)) else self.often
        cheap = max(rarest, READ * (rows / SHARE + 1))
        return [word for word in asked if self.often[word] <= cheap]

    def worth_finding(self, common: int, least: int, most: int) -> int:
        """How many to find, at `least` and at `most`, where so many common words are not asked for: no more than are
        met before looking at the rows has taken as long as to ask for these would have.
        """
        met = RARE * SHARE * common * (len(self.pks) + 1) // max(1, min(self.often.values()))
        return max(least, min(most, met))


def telling(typed: Sequence[str]) -> list[str]:
    """The words without those that another begins with: whatever has that one has them."""
    return [word for word in typed if not any(other != word and other.startswith(word) for other in typed)]


def sampled(pool: Pool, typed: Sequence[str], most: int) -> Asking[Sample]:
    """Ask the sample about words, of which there is at least one; `most` is how many pks are wanted.

    How often each word is there is looked at only where fewer rows than that have all of them.
    """
    given = {f"word{number}": all_of(word) for number, word in enumerate(typed)}
    question = _of_sample(pool, len(typed), most, COMMON).asked(words=all_of(*typed), **given)
    ((found,),) = yield [question]
    often = [COMMON if each is None else each for each in found["often"]] or [len(found["pks"])]
    return Sample(found["pks"], dict(zip(typed, often, strict=True)))


@cache
def _of_sample(pool: Pool, words: int, most: int, common: int) -> Kept:
    """Each word as a common table expression: planned as if all its rows were wanted, so that none is a long walk."""
    names = ["words", *(f"word{number}" for number in range(words))] if words > 1 else ["words"]
    parts: list[str] = []
    values: list[Any] = []
    for number, name in enumerate(names):
        sql, params = _in_sample(pool, Given(name))
        parts.append(f"hit{number}(id) AS MATERIALIZED ({sql})")
        values += params
    several = f"(SELECT count(*) FROM (SELECT FROM hit0 LIMIT {most:d}) AS c)"  # noqa: S608
    count = f"CASE WHEN {several} < {most:d} THEN (SELECT count(*) FROM (SELECT FROM hit%d LIMIT {common:d}) AS c) END"  # noqa: S608
    often = ", ".join(count % number for number in range(1, len(names)))
    pks = f"ARRAY(SELECT id FROM hit0 LIMIT {most:d}) AS pks, ARRAY[{often}]::bigint[] AS often"  # noqa: S608
    return written(f"WITH {', '.join(parts)} SELECT {pks}", values)


#: What `some` is given where there is nothing to look for.
NOTHING: dict[str, Any] = {"text": None, "word": None, "enough": 1, "pks": "{}", "hits": 0, "seek": None, "rest": None}


class _Unless(Func):
    """What to look for, but nothing where others have found as many rows as are wanted."""

    template = "CASE WHEN (SELECT count(*) FROM %(others)s) < %(expressions)s END"
    arg_joiner = " THEN "
    output_field: Any = TextField()


def few(pool: Pool, text: str, most: int, enough: int = 0) -> Asking[dict[str, Any]]:
    """What `some` is given for rows that have all words of a text: at most `most`; of the sample where that has enough.

    `enough`: so many will do, and no fewer than that where there are more, but for `SEVERAL` common words of a pool
    that is listed. Where the latest are wanted the sample will do with so many only if every word is common.
    One word is not weighed against others: the statement that `some` is part of asks the sample by itself.
    """
    typed = telling(words_of(text))
    hits = LOOKED_AT if pool.latest else most
    given = NOTHING | {"text": text.lower(), "hits": hits}
    if len(typed) == 1:
        word = all_of(*typed)
        return given | {"word": word, "enough": most if pool.latest else enough or most, "seek": word}
    theirs = telling(words_of(text.partition("@")[0])) if "@" in text else []
    if theirs:  # of an address: the rest of it is common, and asked for only where many have this part
        sample = yield from sampled(pool, theirs, RARE)
        if len(sample.pks) < RARE:
            return given | _sought(typed, sample.seeking())
    sample = yield from sampled(pool, typed, most)
    if enough and pool.listed and sample.all_common and len(typed) >= SEVERAL:
        most = 1
    elif enough and (sample.all_common or not pool.latest):
        most = enough
    if len(sample.pks) >= most:
        return given | {"pks": f"{{{','.join(map(str, sample.pks))}}}"}
    seek = sample.seeking(math.inf if pool.latest else most)
    given |= _sought(typed, seek)
    if given["rest"] and not pool.latest:
        given["hits"] = sample.worth_finding(len(typed) - len(seek), most, hits)
    return given


def _sought(typed: Sequence[str], seek: Sequence[str]) -> dict[str, Any]:
    """To ask the whole index for some of the words, and to look the others up in the rows that have these."""
    rest = [word for word in typed if word not in seek]
    return {"seek": all_of(*seek), "rest": all_of(*rest) if rest else None}


def some(pool: Pool, most: int, called: str = "") -> Q:
    """A filter for those of the pool that `few` has chosen, its names beginning as they are `called`."""
    text, word, enough, pks, hits, seek, rest = (Given(f"{called}{name}") for name in NOTHING)
    named, of_named = _named(pool, text, most)
    sample, of_sample = _in_sample(pool, _Unless(Value(most), word, others="named"))
    having = pool.having(asking_for(_Unless(enough, _Unless(Value(most), seek, others="named"), others="own")))
    hit, of_hit = _sql(having.filter(_NotGiven(rest) | pool.looked_up(asking_for(rest))))
    latest = f"SELECT id FROM (SELECT id FROM hit LIMIT %s) AS looked_at ORDER BY id DESC LIMIT {most:d}"  # noqa: S608
    statement = f"""
        WITH named(id) AS MATERIALIZED ({named}),
             sample(id) AS MATERIALIZED ({sample}), own(id) AS MATERIALIZED (SELECT id FROM sample LIMIT {most:d}),
             hit(id) AS MATERIALIZED ({hit})
        SELECT id FROM named UNION ALL SELECT id FROM own WHERE (SELECT count(*) FROM own) >= %s
        UNION ALL SELECT unnest(%s::bigint[]) UNION ALL ({latest})
    """  # noqa: S608
    return Q(Among(F("pk"), RawSQL(statement, [*of_named, *of_sample, *of_hit, enough, pks, hits])))  # noqa: S611


def _named(pool: Pool, text: Given, most: int) -> tuple[str, Sequence[Any]]:
    """Those whose names begin with a text, by an index of the names in their order."""
    if pool.name is None:
        return "SELECT 0 WHERE false", ()
    after = pool.rows.annotate(called=pool.name).filter(called__gte=text).order_by("called", "pk")
    sql, params = after.values_list("pk", "called")[:most].query.sql_with_params()
    return f"SELECT id FROM ({sql}) AS after(id, called) WHERE starts_with(called, %s)", [*params, text]  # noqa: S608


def _in_sample(pool: Pool, words: Expression) -> tuple[str, Sequence[Any]]:
    return _sql(pool.having(asking_for(words)).filter(InSample(F("pk"))))


def _sql(rows: QuerySet[Any]) -> tuple[str, Sequence[Any]]:
    sql: tuple[str, Sequence[Any]] = rows.values("pk").query.sql_with_params()
    return sql


def every(pool: Pool, typed: Sequence[str]) -> Q:
    """A filter for all rows of the pool that have all of the words. One query, which asks the sample.

    Rows with common words are met soon by whoever walks a list in its order. Few rows are found first and put in order
    then; left to itself the planner takes a rare word for a common one and walks the whole list for it.
    """
    found = _found(pool, typed)
    if found is None:
        return _met(pool, typed)
    sql, params = found.query.sql_with_params()
    return Q(Among(F("pk"), RawSQL(f"WITH hit(id) AS MATERIALIZED ({sql}) SELECT id FROM hit", params)))  # noqa: S608, S611


def beside(pool: Pool, typed: Sequence[str], by: str = "pk") -> Q:
    """As `every`, to stand in an "or" beside others: for rows whose row of the pool, by its id in a column, has them.

    Two queries at most. Few are read before: a list that is walked for somebody else's common words looks each row up
    in them, by a hash table only if they are written out.
    """
    found = _found(pool, typed)
    if found is not None:
        return Q(OneOf(F(by), Value(f"{{{','.join(map(str, found))}}}")))
    met = _met(pool, typed)
    return met if by == "pk" else Q(Exists(pool.rows.filter(met, pk=OuterRef(by))))


def _met(pool: Pool, typed: Sequence[str]) -> Q:
    return Q(MatchesAll(pool.words, beginning(*telling(typed))))


def _found(pool: Pool, typed: Sequence[str]) -> QuerySet[Any] | None:
    """The ids of those that have the words, as the index finds them; None where so many have them that it shouldn't."""
    typed = telling(typed)
    (sample,) = hear([sampled(pool, typed, WALKED)])
    if len(sample.pks) >= WALKED:
        return None
    seek = sample.seeking()
    found = pool.having(beginning(*seek))
    if rest := [word for word in typed if word not in seek]:
        found = found.filter(pool.looked_up(beginning(*rest)))
    return found.values_list("pk", flat=True)
