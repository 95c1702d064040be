"""What the container image and the compose file promise, as far as it shows without Docker."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test.utils import override_settings

from bin import compose
from retention.embedded_postgres import keeper
from retention.supervisor import programs
from tests.platform.conftest import environment

PRODUCTION = {
    "SECRET_KEY_MADE_UP": False,
    "PUBLIC_URL": "https://retention.example.com",
    "ALLOWED_HOSTS": ["retention.example.com"],
    "DATABASE_URL": "postgresql://db/retention",
    "REDIS_URL": "redis://redis",
    "EMAIL_URL": "smtp://mail",
    "DEFAULT_FROM_EMAIL": "Retention <retention@example.com>",
    "DEMO": False,
    "RETENTION_NOW": None,
}


def complaints() -> set[str]:
    found = run_checks(tags=["retention"], include_deployment_checks=True)
    return {str(message.id) for message in found}


def test_it_works() -> None:
    with override_settings(**PRODUCTION):
        assert complaints() == set()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"SECRET_KEY_MADE_UP": True}, "secret_key"),
        ({"PUBLIC_URL": "http://retention.example.com"}, "https"),
        ({"ALLOWED_HOSTS": ["*"]}, "any_host"),
        ({"ALLOWED_HOSTS": ["elsewhere.example.com"]}, "public_url"),
        ({"DATABASE_URL": ""}, "database"),
        ({"REDIS_URL": ""}, "broker"),
        ({"EMAIL_URL": ""}, "mail"),
        ({"DEFAULT_FROM_EMAIL": "Retention <retention@localhost>"}, "sender"),
        ({"DEMO": True}, "demo"),
        ({"RETENTION_NOW": "2011-12-10"}, "clock"),
    ],
)
def test_each_mistake_is_named(wrong: dict[str, Any], complaint: str) -> None:
    with override_settings(**{**PRODUCTION, **wrong}):
        assert complaints() == {f"retention.{complaint}"}


@pytest.mark.django_db
def test_a_database_too_old_is_refused_before_anything_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_checks(tags=["database"], databases=["default"]) == []
    monkeypatch.setattr(connection, "pg_version", 150018)
    with pytest.raises(SystemCheckError, match="This is PostgreSQL 15; the product needs 16 or later"):
        call_command("migrate", skip_checks=False)


def test_the_settings_of_the_compose_file_are_fit_for_production() -> None:
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    given = environment(**compose.environment("web", compose.example()))
    subprocess.run(check, check=True, env=given, cwd=settings.BASE_DIR)


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("web", programs.WEB),
        ("worker", programs.WORKER),
        ("beat", programs.BEAT),
        ("migrate", ["python", "manage.py", "migrate", "--no-input"]),
    ],
)
def test_containers_run_what_make_run_runs(service: str, command: list[str]) -> None:
    assert compose.services()[service]["command"] == command


def test_the_image_starts_the_web_server() -> None:
    dockerfile = (settings.BASE_DIR / "Dockerfile").read_text()
    (command,) = re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)
    assert re.findall(r'"([^"]*)"', command) == programs.WEB
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE):
        assert all((settings.BASE_DIR / source).exists() for source in sources.split())


def test_both_databases_sort_alike() -> None:
    """The compose file's PostgreSQL is made with the embedded one's locale and checksums."""
    given = set(compose.services()["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split())
    assert given == {option for option in keeper.INITDB if not option.startswith(("--auth", "--no-"))}


def test_the_workers_health_check(redis_url: str, tmp_path: Path) -> None:
    """The command in the compose file finds a worker that works, and misses one that does not."""
    path = f"{programs.BIN}:{os.environ['PATH']}"
    given = environment(REDIS_URL=redis_url, DATA_DIR=str(tmp_path), HOSTNAME="here", PATH=path)
    ping = compose.filled_in(compose.services()["worker"]["healthcheck"]["test"][1], {})

    def healthy() -> bool:
        return subprocess.run(ping, check=False, shell=True, env=given, cwd=settings.BASE_DIR).returncode == 0

    assert not healthy()
    command = [sys.executable, "-m", *programs.WORKER, "--hostname", "celery@here", "--concurrency", "1"]
    worker = subprocess.Popen(command, env=given, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr
        assert any("ready." in line for line in worker.stderr)
        assert healthy()
    finally:
        worker.kill()
        worker.communicate()


def test_variables_are_filled_in_as_compose_does() -> None:
    values = {"SET": "value", "EMPTY": ""}
    assert (
        compose.filled_in("${SET} ${SET:-other} ${EMPTY:-other} ${UNSET:-} $$HOME", values)
        == "value value other  $HOME"
    )
    with pytest.raises(KeyError, match="Name one"):
        compose.filled_in("${UNSET:?Name one}", values)
