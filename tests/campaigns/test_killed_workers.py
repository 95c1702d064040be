"""Workers killed in the middle of delivery: nothing lost, nothing twice, nothing stuck.

The last test plants the classic bug, a lapsed lease that puts messages from the wire back into the queue, and shows
that the same check finds it.
"""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from campaigns.delivery import reaping
from campaigns.delivery.running import LARGEST, deliver
from campaigns.enrolment import take_in
from campaigns.models import Attempt, Message
from customers.models import Event
from retention.common import clock
from retention.workspace.models import Workspace
from tests.campaigns import people
from tests.campaigns.sink import Sink, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
CUSTOMERS = 900
FINAL = {"sent", "unknown"}


@pytest.fixture(autouse=True)
def workspace(transactional_db: None) -> Iterator[None]:
    """The one row that a migration makes. The cap per day is high: it would keep a second copy back by itself."""
    with people.workspace():
        Workspace.objects.update(messages_per_day=100)
        yield


def worker(settings: Any) -> "subprocess.Popen[bytes]":
    database = str(connection.settings_dict["NAME"])
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "tests.campaigns.programs.deliver",
        database,
        str(settings.EMAIL_PORT),
    ]
    return subprocess.Popen(command, cwd=django_settings.BASE_DIR)


def kill_in_the_middle(sink: Sink, settings: Any) -> None:
    """Start a worker and kill it while the sink has got messages that the worker has not written down.

    One that ended early, as where the mail server did not answer in time, is started again, as the product would.
    """
    before = len(sink.accepted)
    written = Message.objects.filter(state="sent").count
    started = [worker(settings)]

    def in_the_middle() -> bool:
        if started[-1].poll() is not None:
            started.append(worker(settings))
        return len(sink.accepted) > before + 10 and len(sink.accepted) - written() > 10

    try:
        wait_until(in_the_middle)
    except AssertionError:
        states, ends = Counter(Message.objects.values_list("state", "reason")), [one.poll() for one in started]
        asked = at_work()
        started[-1].send_signal(signal.SIGABRT)  # it tells where it stands
        started[-1].wait()
        pytest.fail(f"{len(sink.accepted) - before} arrived; the workers ended with {ends}: {states}; {asked}")
    finally:
        started[-1].send_signal(signal.SIGKILL)
        started[-1].wait()


def at_work() -> list[Any]:
    """What the database does for others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, state, wait_event, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return list(cursor.fetchall())


def carry_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes later: leases are taken back and another worker finishes."""
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=10))
    reaping.reap()
    deliver(60)


def check(sink: Sink) -> None:
    """What must hold whatever was killed."""
    arrived = Counter(mail["Message-ID"] for mail in sink.messages())
    assert max(arrived.values()) == 1, "somebody got it twice"
    states = Counter(Message.objects.values_list("state", flat=True))
    assert set(states) <= FINAL, "something is stuck"
    assert sum(states.values()) == CUSTOMERS, "something is lost"
    sent = Message.objects.filter(state="sent").values_list("address", flat=True)
    assert set(sent) <= set(sink.recipients), "something is called sent that was not"
    assert set(sink.recipients) <= set(Attempt.objects.values_list("message__address", flat=True))
    assert Attempt.objects.count() == CUSTOMERS, "each was tried once"
    assert Event.objects.filter(kind="message.sent").count() == states["sent"]


def test_killed_three_times(plain_sink: Sink, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(people.campaign(people.segment(rows=people.customers(CUSTOMERS))))
    plain_sink.delay = 0.03
    for _ in range(3):
        kill_in_the_middle(plain_sink, settings)
        reaping.reap()  # too early: leases still run
    plain_sink.delay = 0
    carry_on(monkeypatch)
    check(plain_sink)
    doubtful = Message.objects.filter(state="unknown").count()
    assert 0 < doubtful <= 3 * LARGEST
    assert deliver(10).handled == 0, "what is in doubt is never sent again by itself"


def test_two_workers_at_once(plain_sink: Sink, settings: Any) -> None:
    take_in(people.campaign(people.segment(rows=people.customers(CUSTOMERS))))
    both = [worker(settings), worker(settings)]
    assert [running.wait(timeout=120) for running in both] == [0, 0]
    check(plain_sink)
    assert Message.objects.filter(state="sent").count() == CUSTOMERS


def test_the_check_finds_a_planted_bug(plain_sink: Sink, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were messages from the wire put back into the queue when a lease lapses, somebody would get one twice."""
    monkeypatch.setattr(reaping, "_REAP", reaping._REAP.replace("ELSE 'unknown' END", "ELSE 'pending' END", 1))
    take_in(people.campaign(people.segment(rows=people.customers(CUSTOMERS))))
    plain_sink.delay = 0.03
    kill_in_the_middle(plain_sink, settings)
    plain_sink.delay = 0
    carry_on(monkeypatch)
    with pytest.raises(AssertionError, match="somebody got it twice"):
        check(plain_sink)
