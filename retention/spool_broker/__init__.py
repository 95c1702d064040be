"""A message broker that is a folder: a kombu transport for one machine without Redis, `spool:///path/to/folder`.

    <folder>/queues/<queue>/<priority>-<time>-<tag>   waits to be delivered; the lowest name first, so priority 0 first
    <folder>/owners/<owner>/<queue>@<name>            delivered and not acknowledged yet
    <folder>/owners/<owner>/.<name>                   not wholly written yet

Messages move by renaming, so each is in exactly one place whenever a process dies. An owner is one connection; its
folder is locked as long as it lives. Whoever looks for messages also returns those of owners that are gone.
Only acknowledged consumers are served (as Celery's are), and no broadcasts.
"""

import time
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from .owner import Owner, return_messages_of_the_dead

#: Seconds between two looks for a message where there was none.
POLLING_INTERVAL = 0.05
#: Seconds after which a worker that waits for a message is let see whether it was asked to stop.
LONGEST_WAIT = 0.5
#: Seconds between two looks for owners that are gone.
RECOVERY_INTERVAL = 5.0


class QoS(virtual.QoS):
    channel: "Channel"

    def ack(self, delivery_tag: str) -> None:
        self.channel.connection.owner.forget(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue)
        self.channel.connection.owner.forget(delivery_tag)


class Channel(virtual.Channel):
    connection: "Transport"
    QoS = QoS

    def _folder(self, queue: str) -> Path:
        folder: Path = self.connection.root / "queues" / quote(queue, safe="")
        return folder

    def _waiting(self, queue: str) -> list[Path]:
        try:
            return sorted(self._folder(queue).iterdir())
        except FileNotFoundError:
            return []

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        self._folder(queue).mkdir(parents=True, exist_ok=True)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return self._folder(queue).is_dir()

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        tag = message["properties"]["delivery_tag"]
        name = f"{self._get_message_priority(message)}-{time.time_ns():020d}-{tag}"
        self._new_queue(queue)
        self.connection.owner.publish(dumps(message).encode(), self._folder(queue) / name)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        self.connection.recover()
        for waiting in self._waiting(queue):
            claimed = self.connection.owner.claim(waiting)
            if claimed:
                message: dict[str, Any] = loads(claimed.read_bytes())
                self.connection.owner.remember(message["properties"]["delivery_tag"], claimed)
                return message
        raise Empty

    def _restore(self, message: virtual.Message) -> None:
        self.connection.owner.give_back(str(message.delivery_tag))

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        if self._has_queue(queue):
            self._folder(queue).rmdir()


class Transport(virtual.Transport):
    Channel = Channel
    driver_type = driver_name = "spool"
    polling_interval = POLLING_INTERVAL

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.root = Path("/", client.virtual_host)
        self._owner: Owner | None = None
        self._recovered_at = float("-inf")

    @property
    def owner(self) -> Owner:
        if self._owner is None:
            self._owner = Owner(self.root)
        return self._owner

    def recover(self) -> None:
        if time.monotonic() - self._recovered_at > RECOVERY_INTERVAL:
            return_messages_of_the_dead(self.root)
            self._recovered_at = time.monotonic()

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        super().drain_events(connection, timeout and min(timeout, LONGEST_WAIT), **kwargs)

    def close_connection(self, connection: Any) -> None:
        super().close_connection(connection)
        if self._owner:
            self._owner.leave()
            self._owner = None

    def driver_version(self) -> str:
        return "1"
