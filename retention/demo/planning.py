"""Success plans with three key accounts: one on its way, one that slips, one still being drawn up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from customers.events.recording import Happening, record
from customers.models import Contact, Customer, Goal, Milestone, PlanLink, SuccessPlan
from customers.plans.keeping import day_of
from retention.workspace.models import Workspace


@dataclass(frozen=True)
class Step:
    """A milestone in days from today, of the goal with this number."""

    title: str
    day: int
    goal: int
    done: bool = False
    note: str = ""


@dataclass(frozen=True)
class Draft:
    title: str
    agreed: int | None
    goals: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


DRAFTS = (
    Draft(
        "One machine plan for all branches",
        60,
        (
            ("Every branch pours the same coffee", "Blind tasting in March, by their own staff"),
            ("No machine stands still over a weekend", "Fewer than two emergency calls a month"),
        ),
        (
            Step("Machines counted in every branch", -45, 0, done=True),
            Step("One blend chosen together", -20, 0, done=True),
            Step("First two branches changed over", 12, 0),
            Step("All branches changed over", 70, 0),
            Step("Staff of each branch trained in cleaning", -8, 1, done=True),
            Step("Service dates in their own calendar", 21, 1, note="Their calendar needs an account from their IT."),
        ),
    ),
    Draft(
        "Half the waste by summer",
        90,
        (("Half as much coffee thrown away", "Weighed every Friday, at both bars"),),
        (
            Step("What is thrown away is weighed for a month", -60, 0, done=True),
            Step("Smaller deliveries, twice a week", -9, 0, note="They wait for a new contact in purchasing."),
            Step("Grinders set anew in both bars", -2, 0),
            Step("Second weighing", 45, 0),
        ),
    ),
    Draft(
        "A coffee corner on every floor",
        None,
        (("People stay in the house for their break", ""),),
        (Step("Three floors chosen for a trial", 18, 0), Step("Trial judged together", 80, 0)),
    ),
)


def write(now: datetime) -> None:
    known = Customer.objects.filter(is_key_account=True, owner__isnull=False, contacts__is_main=True)
    companies = list(known.select_related("owner").order_by("owner", "pk")[: len(DRAFTS)])
    pairs = list(zip(DRAFTS, companies, strict=False))
    people = {row.customer_id: row for row in Contact.objects.filter(customer__in=companies, is_main=True)}
    plans = SuccessPlan.objects.bulk_create(_plan(*pair, people[pair[1].pk], now) for pair in pairs)
    goals = Goal.objects.bulk_create(
        Goal(plan=plan, text=text, measure=measure)
        for plan, (draft, _) in zip(plans, pairs, strict=True)
        for text, measure in draft.goals
    )
    today = now.astimezone(Workspace.current().zone).date()
    for plan, (draft, company) in zip(plans, pairs, strict=True):
        own = [goal for goal in goals if goal.plan_id == plan.pk]
        Milestone.objects.bulk_create(_steps(plan, draft, own, today, people[company.pk]))
    if plans:
        PlanLink.objects.create(plan=plans[0], expires_at=now + timedelta(days=90), created_by=companies[0].owner)
    record(told for plan in plans for told in _told(plan))


def _plan(draft: Draft, company: Customer, contact: Contact, now: datetime) -> SuccessPlan:
    begun = now - timedelta(days=draft.agreed or 5)
    agreed = {"state": SuccessPlan.State.AGREED, "agreed_at": begun, "agreed_with": contact} if draft.agreed else {}
    return SuccessPlan(
        customer=company, title=draft.title, created_by=company.owner, created_at=begun - timedelta(days=4), **agreed
    )


def _steps(plan: SuccessPlan, draft: Draft, goals: list[Goal], today: date, contact: Contact) -> Iterator[Milestone]:
    for step in draft.steps:
        due_on = today + timedelta(days=step.day)
        done_at = plan.created_at + timedelta(days=7) if step.done else None
        yield Milestone(
            plan=plan,
            goal=goals[step.goal],
            title=step.title,
            due_on=due_on,
            ours=plan.customer.owner,
            theirs=contact,
            note=step.note,
            state=Milestone.State.DONE if step.done else Milestone.State.OPEN,
            done_at=done_at,
            slipped_from=due_on if step.day < 0 and not step.done else None,
        )


def _told(plan: SuccessPlan) -> Iterator[Happening]:
    """As customers/plans tells it."""
    ref, by = f"plan:{plan.pk}", str(plan.created_by)

    def one(kind: str, at: datetime, **more: object) -> Happening:
        return Happening(plan.customer_id, kind, at, "demo", ref, {"plan": plan.pk, "title": plan.title, **more})

    yield one("plan.begun", plan.created_at, by=by)
    if plan.agreed_at:
        yield one("plan.agreed", plan.agreed_at, by=str(plan.agreed_with))
    zone = Workspace.current().zone
    for step in plan.milestones.all():
        told = {"title": step.title, "milestone": step.pk, "due": day_of(step.due_on), "by": by}
        if step.done_at:
            yield one("milestone.done", step.done_at, **told)
        elif step.slipped_from:
            passed = datetime.combine(step.due_on + timedelta(days=1), datetime.min.time(), zone)
            yield one("milestone.slipped", passed, **told)
