"""Everything that is due, once: the certain way, beside the prompt one."""

from dataclasses import asdict, dataclass, fields

from campaigns.delivery.channels import Fate
from campaigns.delivery.reaping import reap
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.goals import close
from campaigns.models import Campaign
from campaigns.routing import route
from customers.plans.slipping import notice_all
from customers.playbooks import passing
from customers.segments.membership import refresh_crossings
from customers.subscriptions.turning import turn_all
from loyalty import keeping_up
from retention.common.alone import ROUTING, SWEEPING, alone
from retention.workspace import jobs

DELIVER_SECONDS = 300.0


@dataclass
class Swept:
    """What a sweep did."""

    routed: int = 0
    jobs: int = 0
    enrolled: int = 0
    held_out: int = 0
    refused: int = 0
    left: int = 0
    offers: int = 0
    playbooks: int = 0
    requeued: int = 0
    unconfirmed: int = 0
    sent: int = 0
    failed: int = 0
    retried: int = 0
    stopped: int = 0
    trouble: str = ""

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do, or nothing that can be done now."""
        counts = {name: value for name, value in asdict(self).items() if name not in ("trouble", "retried")}
        return not any(counts.values())

    def add(self, other: "Swept") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def route_all() -> int:
    """Route until nothing is left, unless somebody else is at it."""
    routed = 0
    with alone(ROUTING) as free:
        while free and (batch := route()):
            routed += batch
    return routed


def keep_up() -> Swept:
    """Let time pass in contracts, segments and playbooks, route, enrol, let go, take back what dead workers held."""
    swept = Swept()
    with alone(SWEEPING) as free:
        if free:
            turn_all()
            notice_all()
            swept.offers = keeping_up.keep_up()
            swept.routed = route_all()
            refresh_crossings()
            swept.routed += route_all()
            swept.playbooks = passing.keep_up()
            _take_in(swept)
            swept.left = close()
            reaped = reap()
            swept.requeued, swept.unconfirmed = reaped.requeued, reaped.unknown
    return swept


def sweep() -> Swept:
    """Do all that is due here and now, jobs and delivery included, without any worker."""
    routed, finished = route_all(), _run_jobs()
    swept = keep_up()
    swept.routed += routed
    swept.jobs = finished
    _deliver(swept)
    return swept


def sweep_until_idle() -> Swept:
    """Sweep until a sweep finds nothing to do."""
    total = Swept()
    while True:
        swept = sweep()
        total.add(swept)
        if swept.idle:
            return total


def _run_jobs() -> int:
    """How many open jobs this ended; those that another worker runs are left to it."""
    due = jobs.due()
    for job_id in due:
        jobs.run(job_id)
    return len(set(due).difference(jobs.due()))


def _take_in(swept: Swept) -> None:
    for campaign in Campaign.objects.filter(state=Campaign.State.RUNNING).order_by("id"):
        taken = take_in(campaign)
        swept.enrolled += taken.treated
        swept.held_out += taken.held_out
        swept.refused += taken.refused


def _deliver(swept: Swept) -> None:
    done = deliver(DELIVER_SECONDS)
    swept.sent, swept.failed = done.fates[Fate.SENT], done.fates[Fate.FAILED]
    swept.unconfirmed += done.fates[Fate.UNKNOWN]
    swept.retried, swept.stopped, swept.trouble = done.fates[Fate.RETRY], done.stopped, done.trouble
