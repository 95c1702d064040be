"""What an installation for production must get right: `manage.py check --deploy` says it along with Django's checks."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connection
from django.http.request import validate_host

#: The first that can say of a text whether it is a date (`pg_input_is_valid`).
OLDEST_POSTGRESQL = 16


def addresses() -> Iterator[CheckMessage]:
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if "*" in settings.ALLOWED_HOSTS:
        yield checks.Warning(
            "ALLOWED_HOSTS lets any host name through.", hint="Name the product's own.", id="retention.any_host"
        )
    elif not validate_host(host, settings.ALLOWED_HOSTS):
        yield checks.Error(
            f"Every link sent would fail: PUBLIC_URL is at {host or 'no host'}, which ALLOWED_HOSTS does not name.",
            hint="Add the host to ALLOWED_HOSTS.",
            id="retention.public_url",
        )
    if not settings.PUBLIC_URL.startswith("https://"):
        yield checks.Warning(
            "PUBLIC_URL is not https: passwords and customers' links travel in the open.",
            hint="Put a proxy with a certificate in front, set PUBLIC_URL=https://… and BEHIND_PROXY=1.",
            id="retention.https",
        )


def services() -> Iterator[CheckMessage]:
    if not settings.DATABASE_URL:
        yield checks.Warning("The embedded PostgreSQL is in use.", hint="Set DATABASE_URL.", id="retention.database")
    if not settings.REDIS_URL:
        yield checks.Warning(
            "The embedded broker is in use, which serves one machine only.",
            hint="Set REDIS_URL.",
            id="retention.broker",
        )
    if not settings.EMAIL_URL:
        yield checks.Warning(
            "No mail leaves: it lands in the outbox folder.", hint="Set EMAIL_URL.", id="retention.mail"
        )
    elif settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith("@localhost"):
        yield checks.Warning("Mail comes from localhost.", hint="Set DEFAULT_FROM_EMAIL.", id="retention.sender")


def leftovers() -> Iterator[CheckMessage]:
    if settings.SECRET_KEY_MADE_UP:
        yield checks.Warning(
            "This data folder made up its secret key; another machine would have another.",
            hint="Set SECRET_KEY.",
            id="retention.secret_key",
        )
    if settings.DEMO:
        yield checks.Error("The demo is on: anyone may sign in.", hint="Set DEMO=0.", id="retention.demo")
    if settings.RETENTION_NOW:
        yield checks.Warning(
            "The product lives at another time.", hint="Leave RETENTION_NOW out.", id="retention.clock"
        )


@checks.register("retention", deploy=True)
def production(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    return list(chain(addresses(), services(), leftovers()))


@checks.register(checks.Tags.database)
def database(app_configs: object, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """What `migrate` asks before it begins."""
    if not databases:
        return []
    version = connection.get_database_version()[0]
    if version >= OLDEST_POSTGRESQL:
        return []
    return [
        checks.Error(
            f"This is PostgreSQL {version}; the product needs {OLDEST_POSTGRESQL} or later.",
            hint="Let DATABASE_URL name a newer server. Nothing was changed.",
            id="retention.old_database",
        )
    ]
