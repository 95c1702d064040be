"""Finding rows by the beginnings of their words, with an index: in any order and case, with or without accents.

The embedded PostgreSQL brings no extension (neither unaccent nor pg_trgm), and another database may allow none. What
is here needs none: a row's words are a `tsvector`, folded by plain immutable functions, in a GIN index.
"""

import re
import unicodedata
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Expression, Func, TextField

#: What stands between words in names, addresses and ids.
BREAKS = re.compile(r"[\W_]+")
#: No more words than these are looked for.
MOST_WORDS = 8
#: What PostgreSQL's parser would make numbers, addresses, tags and paths of; here it only stands between words.
_BETWEEN = "@._-+/<"
#: Letters that no decomposition takes apart, and what is read in their place.
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"}
_PLAIN = str.maketrans(_LETTERS)
_MARKS = re.compile("[\u0300-\u036f]+")


def _folding() -> str:
    """SQL that takes the accents off a text, as `folded` does. ASCII, as most text is, costs one comparison."""
    text = "lower({0})"
    for letter, plain in _LETTERS.items():
        text = f"replace({text}, '{letter}', '{plain}')"
    stripped = f"regexp_replace(normalize({text}, NFKD), '[\\u0300-\\u036f]+', '', 'g')"
    return f"CASE WHEN octet_length({{0}}) = length({{0}}) THEN {{0}} ELSE {stripped} END"


class SearchWords(Func):
    """The words of some text columns. Use the same columns in the index and in the filter."""

    template = (
        "to_tsvector('simple'::regconfig, translate("
        + _folding().replace("{0}", "%(expressions)s")
        + f", '{_BETWEEN}', '{' ' * len(_BETWEEN)}'))"
    )
    arg_joiner = " || ' ' || "
    output_field: Any = SearchVectorField()


class JsonValues(Func):
    """The values of a JSON object as text, without its keys."""

    template = "replace(jsonb_path_query_array(%(expressions)s, '$.*')::text, '\\n', ' ')"
    output_field: Any = TextField()


def folded(text: str) -> str:
    """Lower case, without accents."""
    plain = text.lower()
    return plain if plain.isascii() else _MARKS.sub("", unicodedata.normalize("NFKD", plain.translate(_PLAIN)))


def words_of(typed: str) -> list[str]:
    """The words somebody typed, folded, each once."""
    return list(dict.fromkeys(word for word in BREAKS.split(folded(typed)) if word))[:MOST_WORDS]


def all_of(*words: str) -> str:
    """For each of the words, a word that begins with it, as `asking_for` takes it."""
    return " & ".join(f"{word}:*" for word in words)


def asking_for(words: str | Expression) -> SearchQuery:
    return SearchQuery(words, config="simple", search_type="raw")


def beginning(*words: str) -> SearchQuery:
    """Asks for rows that have, for each of the words, a word that begins with it."""
    return asking_for(all_of(*words))


def beginnings(typed: str) -> SearchQuery | None:
    """The same for what somebody typed. None where no word was."""
    words = words_of(typed)
    return beginning(*words) if words else None


def beyond(text: str) -> str:
    """Comes after all that begins with the text, in the "C" collation: an index finds what lies between the two."""
    return f"{text}\U0010ffff"
