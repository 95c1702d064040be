"""`python -m retention.supervisor`: the whole product, until Ctrl-C."""

import fcntl
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from retention.workspace.roles import Role

from .child import say
from .programs import BEAT, PREPARE, WEB, WORKER, installed
from .supervisor import Stopped, Supervisor

START_WITHIN = 120.0


class CannotStart(Exception):
    """The text says why, and what to do."""


def lock(folder: Path) -> BinaryIO:
    """A file that stays locked while it is open, so that no two products run on one data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "supervisor.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise CannotStart(f"It already runs on the data in {folder}. Stop it, or name another DATA_DIR.") from None
    return file


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(f"Port {port} cannot be used ({error.strerror}). Name another: PORT=8001") from None


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def announce(port: int, demo: bool) -> None:
    """Tell the address once the web server answers there."""
    deadline = time.monotonic() + START_WITHIN
    while not answers(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    say(f"\nRetention is at http://localhost:{port}")
    if demo:
        say("Demo sign-ins, one click each on that page: " + ", ".join(Role.labels).lower())
    say("Ctrl-C stops it.\n")


def prepare(supervisor: Supervisor) -> None:
    say("making the database ready", "setup")
    if supervisor.finish("setup", PREPARE):
        raise CannotStart("The database could not be made ready: see the lines above. DEMO=0 starts without the demo.")


def run() -> int:
    with ExitStack() as held:
        held.enter_context(lock(settings.DATA_DIR))
        check_port(settings.PORT)
        supervisor = Supervisor()
        prepare(supervisor)
        threading.Thread(target=announce, args=(settings.PORT, settings.DEMO), daemon=True).start()
        return supervisor.keep([("web", installed(WEB)), ("worker", installed(WORKER)), ("beat", installed(BEAT))])


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
    try:
        return run()
    except (CannotStart, ImproperlyConfigured) as error:
        say(str(error))
        return 1
    except Stopped:
        return 130


if __name__ == "__main__":
    sys.exit(main())
