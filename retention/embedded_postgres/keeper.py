"""Runs one PostgreSQL server for as long as any process holds a shared lock on its folder.

Started as a program of its own, by path and with nothing but the standard library, so that it is small and outlives
whoever started it:

    python keeper.py BINARIES FOLDER SETTING=VALUE...

Its standard input is the locked `keeper.lock`: being open there, it stays locked until the keeper ends.
"""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The role and the database that a new cluster has.
NAME = "retention"
INITDB = (
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
)
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Servant:
    """Who runs the server."""

    uid: int
    prefix: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def identity(self) -> dict[str, Any]:
        """What `subprocess` needs to become this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": pwd.getpwuid(self.uid).pw_gid, "extra_groups": []}


def may_make_user_namespaces() -> bool:
    try:
        return subprocess.run(["unshare", "--user", "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def servant() -> Servant:
    """Ourselves. PostgreSQL refuses root: for it, root without its powers, or `nobody` if the kernel forbids that."""
    if os.geteuid() != 0:
        return Servant(os.geteuid())
    if may_make_user_namespaces():
        return Servant(0, ("unshare", "--user", "--"))
    return Servant(pwd.getpwnam("nobody").pw_uid)


def create(who: Servant, binaries: Path, data: Path) -> None:
    """Make a new cluster; it appears under its name only once it is whole."""
    unfinished = data.with_name("data.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    initdb: list[str | Path] = [*who.prefix, binaries / "initdb", "-D", unfinished, "-U", NAME, *INITDB]
    subprocess.run(initdb, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, **who.identity())
    single: list[str | Path] = [*who.prefix, binaries / "postgres", "--single", "-D", unfinished, "postgres"]
    statement = f"CREATE DATABASE {NAME}\n".encode()
    subprocess.run(single, check=True, input=statement, stdout=subprocess.DEVNULL, **who.identity())
    unfinished.rename(data)


def end_with_parent() -> None:
    """Have the kernel ask this process to shut down when its parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def start(who: Servant, binaries: Path, data: Path, settings: list[str]) -> subprocess.Popen[bytes]:
    # The server's working folder is `data`: a relative socket folder has no length limit to run into.
    given = ["listen_addresses=", "port=5432", "unix_socket_directories=..", *settings]
    options = [word for setting in given for word in ("-c", setting)]
    command: list[str | Path] = [*who.prefix, binaries / "postgres", "-D", data, *options]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent, **who.identity())


def stop_when_unused(folder: Path, server: subprocess.Popen[bytes]) -> None:
    # Kept locked until the keeper ends, so that a newcomer waits instead of meeting a server that is going away.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)


def main(binaries: Path, folder: Path, settings: list[str]) -> int:
    who, data = servant(), folder / "data"
    if not data.exists():
        create(who, binaries, data)
    server = start(who, binaries, data, settings)
    threading.Thread(target=stop_when_unused, args=(folder, server), daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
