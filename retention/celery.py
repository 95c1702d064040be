"""The Celery application. Tasks only wake work that stands as rows in PostgreSQL."""

import os
import warnings

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

# Celery warns root of pickled messages; ours are JSON.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
TRANSPORT_ALIASES["spool"] = "retention.spool_broker:Transport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
app = Celery("retention")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
