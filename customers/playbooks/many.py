"""Starting a playbook for all customers that a list shows, as a job."""

from contextlib import suppress
from typing import Any

from django.http import QueryDict

from customers.models import Playbook
from customers.playbooks import starting
from customers.records.filters import Filters, matching
from retention.workspace.jobs import JobFailed, Progress, enqueue, job
from retention.workspace.models import Job, User

JOB = "playbooks.start"
AT_A_TIME = 5_000


def ask(playbook: Playbook, query: str, by: User) -> Job:
    """Have it started for whoever matches the list's query string when the job begins."""
    return enqueue(JOB, f"Starting “{playbook}”", {"playbook": playbook.pk, "query": query}, by)


@job(JOB)
def run(progress: Progress) -> dict[str, Any]:
    spec, by = progress.job.spec, progress.job.created_by
    playbook = Playbook.objects.filter(pk=spec["playbook"]).first()
    if playbook is None or by is None:
        raise JobFailed("The playbook is there no longer.")
    ids = list(matching(Filters.read(QueryDict(spec["query"]))).order_by("pk").values_list("pk", flat=True))
    started = 0
    for at in range(0, len(ids), AT_A_TIME):
        progress.step(at, len(ids), "Starting it")
        try:
            with suppress(starting.NoRenewal):
                started += starting.start_by_hand(playbook, ids[at : at + AT_A_TIME], by)
        except starting.NothingToDo as reason:
            raise JobFailed("The playbook has no steps.") from reason
    return {"matched": len(ids), "started": started, "playbook": playbook.pk}
