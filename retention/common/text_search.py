"""Finding rows by the beginnings of their words, with an index, in any order and case."""

import re
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func

#: What stands between words in names, addresses and ids.
BREAKS = re.compile(r"[\W_]+")


class SearchWords(Func):
    """The words of some text columns. Use the same columns in the index and in the filter."""

    template = "to_tsvector('simple'::regconfig, translate(%(expressions)s, '@._-+/', '      '))"
    arg_joiner = " || ' ' || "
    output_field: Any = SearchVectorField()


def beginnings(typed: str) -> SearchQuery | None:
    """Asks for rows that have, for each typed word, a word that begins with it. None where no word was typed."""
    words = [word for word in BREAKS.split(typed.lower()) if word][:8]
    if not words:
        return None
    return SearchQuery(" & ".join(f"{word}:*" for word in words), config="simple", search_type="raw")
