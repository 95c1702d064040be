"""A wrong setting stops the start, and says which it was."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from retention.common import environment as env
from retention.workspace import jobs
from tests.platform.conftest import environment


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THING", raising=False)


def test_it_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert env.number("THING", 7) == 7
    assert env.flag("THING", True) is True
    assert env.words("THING", ["a"]) == ["a"]
    monkeypatch.setenv("THING", " 1 ")
    assert env.number("THING", 7) == 1
    assert env.flag("THING", False) is True
    monkeypatch.setenv("THING", "a, b,")
    assert env.words("THING") == ["a", "b"]
    monkeypatch.setenv("THING", "redis://:secret@host/0")
    assert env.url("THING", ["redis", "rediss"]) == "redis://:secret@host/0"
    monkeypatch.setenv("THING", str(tmp_path / "new" / "folder"))
    assert env.folder("THING", tmp_path).is_dir()


def test_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "")
    assert env.flag("THING", True) is True
    assert env.url("THING", ["http"], "http://here") == "http://here"


@pytest.mark.parametrize(
    ("wrong", "read"),
    [
        ("maybe", lambda: env.flag("THING", True)),
        ("-1", lambda: env.number("THING", 1)),
        ("eight", lambda: env.number("THING", 1)),
        ("9", lambda: env.number("THING", 20, least=10)),
        ("xml", lambda: env.choice("THING", ["json", "console"], "json")),
        ("mysql://user:secret@host/db", lambda: env.url("THING", ["postgresql"])),
        ("localhost", lambda: env.url("THING", ["https", "http"])),
        ("https://", lambda: env.url("THING", ["https", "http"])),
        ("/proc/nothing", lambda: env.folder("THING", Path())),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, wrong: str, read: "type[object]") -> None:
    monkeypatch.setenv("THING", wrong)
    with pytest.raises(ImproperlyConfigured, match="THING") as raised:
        read()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("variable", ["PORT=http", "RETENTION_NOW=soon"])
def test_the_settings_are_read_so(variable: str) -> None:
    name, value = variable.split("=")
    read = [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"]
    given = environment(**{name: value, "DJANGO_SETTINGS_MODULE": "retention.settings"})
    done = subprocess.run(read, env=given, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"ImproperlyConfigured: {name}" in done.stderr


def test_a_job_is_kept_where_the_broker_is_away(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(jobs, "current_app", Celery(broker="redis://127.0.0.1:9/0", set_as_current=False))
    job = jobs.enqueue("import", "An import", {})
    jobs.nudge(job.id)
    assert jobs.due() == [job.id]


def test_every_setting_is_in_the_docs() -> None:
    read = "".join((settings.BASE_DIR / "retention" / name).read_text() for name in ("settings.py", "gunicorn.py"))
    names = set(re.findall(r"env\.\w+\(\s*[\"']([A-Z_]+)", read))
    assert len(names) > 15
    documented = set(re.findall(r"`([A-Z_]+)`", (settings.BASE_DIR / "docs" / "operations.md").read_text()))
    assert names <= documented
