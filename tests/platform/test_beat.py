"""Beat ends when it is asked to, however often."""

import signal

from celery.signals import beat_init

from retention.celery import app


def test_it_works() -> None:
    """Where SIGTERM comes again while Celery's own handler answers it, that waits for itself."""
    assert app.conf.beat_scheduler == "celery.beat:Scheduler", "this one keeps nothing that would have to be put away"
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        beat_init.send(sender=None)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
