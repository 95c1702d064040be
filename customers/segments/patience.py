"""Questions that a page asks of everybody, with an end to the waiting."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

PATIENCE_MS = 2_000


class TooSlow(Exception):
    """The database was stopped when the patience was over."""


@contextmanager
def patiently(milliseconds: int | None = None) -> Iterator[CursorWrapper]:
    """A cursor whose statements are stopped after a while. Raises TooSlow."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            limit = PATIENCE_MS if milliseconds is None else milliseconds
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit)])
            yield cursor
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow from error
        raise
