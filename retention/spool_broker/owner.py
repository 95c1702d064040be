"""What one connection holds: a locked folder of the messages on their way into or out of a queue."""

import fcntl
import os
import uuid
from pathlib import Path


def lock(folder: Path) -> int | None:
    """The descriptor of the folder, now locked; None if a living process has it or it is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sync(folder: Path) -> None:
    """Make the names in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Owner:
    """A folder below `root` that this process holds locked until it leaves or dies."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._messages: dict[str, Path] = {}
        # Locked before it gets its name: under its name and not locked, it would be taken for a dead one's.
        unnamed = root / "owners" / f".{uuid.uuid4()}"
        unnamed.mkdir(parents=True)
        self._descriptor = os.open(unnamed, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._folder = unnamed.rename(unnamed.with_name(unnamed.name[1:]))

    def publish(self, message: bytes, place: Path) -> None:
        """Put the message in its place, durably, whole or not at all."""
        draft = self._folder / f".{place.name}"
        with draft.open("wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(place)
        sync(place.parent)

    def claim(self, waiting: Path) -> Path | None:
        """Take a waiting message out of its queue; None if another owner was faster."""
        try:
            return waiting.rename(self._folder / f"{waiting.parent.name}@{waiting.name}")
        except FileNotFoundError:
            return None

    def remember(self, tag: str, claimed: Path) -> None:
        self._messages[tag] = claimed

    def forget(self, tag: str) -> None:
        claimed = self._messages.pop(tag, None)
        if claimed:
            claimed.unlink(missing_ok=True)

    def give_back(self, tag: str) -> None:
        claimed = self._messages.pop(tag, None)
        if claimed:
            give_back(self._root, claimed)

    def leave(self) -> None:
        give_all_back(self._root, self._folder)
        os.close(self._descriptor)


def give_back(root: Path, claimed: Path) -> None:
    queue, name = claimed.name.split("@", 1)
    folder = root / "queues" / queue
    folder.mkdir(parents=True, exist_ok=True)
    claimed.rename(folder / name)


def give_all_back(root: Path, owned: Path) -> None:
    """Return an owner's messages to their queues, drop its drafts and the folder."""
    for file in owned.iterdir():
        if file.name.startswith("."):
            file.unlink()
        else:
            give_back(root, file)
    owned.rmdir()


def return_messages_of_the_dead(root: Path) -> None:
    for folder in sorted((root / "owners").glob("[!.]*")):
        descriptor = lock(folder)
        if descriptor is None:
            continue
        try:
            give_all_back(root, folder)
        except FileNotFoundError:
            pass  # another process was doing the same and has finished
        finally:
            os.close(descriptor)
