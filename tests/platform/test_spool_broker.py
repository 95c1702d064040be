"""The embedded broker's own promises: where a message is when somebody is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from kombu import Connection, Consumer, Queue

import retention.celery  # noqa: F401  # makes spool:// known
from retention.spool_broker.owner import Owner, return_messages_of_the_dead

pytestmark = pytest.mark.chaos

TAKE_AND_WAIT = """
import sys, time
from kombu import Connection
import retention.celery
with Connection(sys.argv[1]) as connection:
    message = connection.SimpleQueue("letters").get(timeout=60)
    print(message.payload, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(spool_url: str) -> Path:
    return Path(unquote(urlsplit(spool_url).path))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def put(url: str, *letters: Any) -> None:
    with Connection(url) as connection:
        for letter in letters:
            connection.SimpleQueue("letters").put(letter)


def take(url: str) -> list[Any]:
    taken = []
    with Connection(url) as connection:
        box = connection.SimpleQueue("letters")
        while box.qsize():
            message = box.get(timeout=60)
            taken.append(message.payload)
            message.ack()
    return taken


def taker(url: str) -> subprocess.Popen[str]:
    """A process that has taken a letter and does not acknowledge it."""
    command = [sys.executable, "-c", TAKE_AND_WAIT, url]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline()
    return process


def test_it_works(spool_url: str, folder: Path) -> None:
    put(spool_url, "a", {"b": ["ü"]})
    assert take(spool_url) == ["a", {"b": ["ü"]}]
    assert not files(folder)
    assert not list((folder / "owners").iterdir())


def test_a_dead_takers_letter_is_returned_and_a_living_ones_is_not(spool_url: str) -> None:
    put(spool_url, "first", "second")
    living, dead = taker(spool_url), taker(spool_url)
    try:
        assert take(spool_url) == []
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        assert take(spool_url) == [], "looking at the size alone returns nothing"
        with Connection(spool_url) as connection:
            assert connection.SimpleQueue("letters").get(timeout=60).payload == "second"
    finally:
        living.kill()
        living.wait()


def test_refused_letters_keep_their_place(spool_url: str) -> None:
    put(spool_url, "first", "second")
    with Connection(spool_url) as connection:
        box = connection.SimpleQueue("letters")
        box.get(timeout=60).requeue()
        box.get(timeout=60).reject()
    assert take(spool_url) == ["second"]


def test_what_was_not_acknowledged_is_back_when_the_connection_closes(spool_url: str) -> None:
    put(spool_url, "letter")
    with Connection(spool_url) as connection:
        connection.SimpleQueue("letters").get(timeout=60)
        assert connection.SimpleQueue("letters").qsize() == 0
    assert take(spool_url) == ["letter"]


def test_a_writer_killed_halfway_leaves_no_half_letter(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        owner = Owner(tmp_path)
        next((tmp_path / "owners").iterdir(), tmp_path).joinpath(".draft").write_bytes(b"half a le")
        assert owner
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(files(tmp_path)) == 1
    return_messages_of_the_dead(tmp_path)
    assert not files(tmp_path)
    assert not list((tmp_path / "owners").iterdir())


def test_an_empty_queue_costs_next_to_nothing(spool_url: str) -> None:
    queues = [Queue("letters", routing_key="letters")]
    with Connection(spool_url) as connection, Consumer(connection.channel(), queues, callbacks=[print]):
        before = os.times()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=1)
        after = os.times()
    assert after.user + after.system - before.user - before.system < 0.1
