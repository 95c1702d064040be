"""The programs that make up the product. The container image runs the same ones, each in a container."""

import sys
from pathlib import Path

BIN = Path(sys.executable).parent
PREPARE = [sys.executable, "-m", "retention.supervisor.prepare"]
WEB = ["gunicorn", "--config", "python:retention.gunicorn", "retention.wsgi"]
WORKER = ["celery", "--quiet", "--app", "retention", "worker", "--loglevel", "INFO", "--without-gossip"]
BEAT = ["celery", "--quiet", "--app", "retention", "beat", "--loglevel", "WARNING", "--pidfile="]


def installed(command: list[str]) -> list[str]:
    """The command with its program's path."""
    return [str(BIN / command[0]), *command[1:]]
