"""Structured logs: one JSON object a line where machines read them, plain lines where people do.

Logs are kept longer and seen by more people than customers' records, so nothing personal goes into them: fields with
telling names are dropped; e-mail addresses, rows that the database quotes and the keys in public links are masked
wherever they turn up, in messages and tracebacks too.
"""

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: A field with one of these words in its name never reaches the log.
PERSONAL = frozenset(
    {"email", "mail", "name", "phone", "address", "recipient", "subject", "body", "comment", "answer"}
    | {"password", "token", "secret", "cookie", "authorization", "payload", "original"}
)
#: Fields that logging itself adds, and libraries' own words for things.
IMPERSONAL = frozenset({"event", "level", "logger", "timestamp", "exception", "task_name", "logger_name", "func_name"})
ADDRESS = re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
MASK = "[address]"
#: What PostgreSQL tells of the row at fault: the row itself.
DETAIL = re.compile(r"^(DETAIL|CONTEXT): .*(\n(?!\n|\S).*)*", re.MULTILINE)
#: A signed link, a link to set a password and a key of the API are keys: whoever reads one can use it.
KEY = re.compile(r"[\w-]{6,}:[\w-]{4,}:[\w-]{20,}|(?<=/key/)[^/\s]+|ret_[\w-]{20,}")


def masked(value: Any) -> Any:
    """The value without e-mail addresses, rows and keys, as text unless it is a number."""
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {key: masked(item) for key, item in value.items() if not personal(str(key))}
        case list() | tuple() | set() | frozenset():
            return [masked(item) for item in value]
        case _:
            return ADDRESS.sub(MASK, KEY.sub("[key]", DETAIL.sub(r"\1: [row]", str(value))))


def personal(field: str) -> bool:
    return field not in IMPERSONAL and not PERSONAL.isdisjoint(re.split(r"[_\W]+", field.lower()))


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: the last before the line is written, after tracebacks have become text."""
    kept: EventDict = masked({key: value for key, value in event.items() if not key.startswith("_")})
    return kept


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_config(style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. `style` is "json" or "console"."""
    renderer: Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    last = [
        structlog.processors.format_exc_info,
        without_personal_data,
        renderer,
    ]
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "processors": last, "foreign_pre_chain": SHARED}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            # Django's own handlers mail the administrators and write to the console in DEBUG only.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # Each nudge would be a line.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "gunicorn.error": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
