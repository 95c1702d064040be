"""The Celery application. Tasks only wake work that stands as rows in PostgreSQL."""

import os
import signal
import warnings
from typing import Any

from celery import Celery
from celery.signals import beat_init
from kombu.transport import TRANSPORT_ALIASES

# Celery warns root of pickled messages; ours are JSON.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
TRANSPORT_ALIASES["spool"] = "retention.spool_broker:Transport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
app = Celery("retention")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect
def end_at_once(**_: Any) -> None:
    """Beat has nothing to put away. Celery's own answer to SIGTERM never ends where that comes again meanwhile, as it
    does from the threads of a supervisor that was killed.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
