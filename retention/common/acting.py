"""Which program the running request is of, by the name of its key: for what is written down of who did something."""

from contextvars import ContextVar

#: Empty for a person, and outside of requests.
program: ContextVar[str] = ContextVar("program", default="")
