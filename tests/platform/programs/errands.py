"""A Celery application of three tasks that write down, in FOLDER, which of them began and which ended.

ERRANDS_BROKER=URL ERRANDS_OPTIONS=JSON ERRANDS_FOLDER=PATH celery -A tests.platform.programs.errands worker
"""

import json
import os
import time
from pathlib import Path

from celery import Celery, Task

import retention.celery  # noqa: F401  # makes spool:// known

app = Celery("errands", broker=os.environ["ERRANDS_BROKER"], set_as_current=False)
app.conf.update(
    broker_transport_options=json.loads(os.environ["ERRANDS_OPTIONS"]),
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_lost_wait=1.0,
)


def note(event: str, name: str) -> None:
    with (Path(os.environ["ERRANDS_FOLDER"]) / event).open("a") as file:
        file.write(name + "\n")


@app.task
def errand(name: str, seconds: float = 0.0) -> None:
    note("began", name)
    time.sleep(seconds)
    note("ended", name)


@app.task(bind=True)
def die_once(self: "Task[[str], None]", name: str) -> None:
    """Take the process that runs it along, the first time."""
    began = Path(os.environ["ERRANDS_FOLDER"]) / f"{name}.began"
    if not began.exists():
        began.touch()
        os.kill(os.getpid(), 9)
    note("ended", name)
