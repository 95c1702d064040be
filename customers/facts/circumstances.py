"""Settings that facts, stages and segments rest on. Changed, they have everybody looked at again."""

from customers.facts import dirty
from customers.models import Customer, FoldedUnder, Segment
from retention.workspace.models import Workspace


def notice_changes() -> None:
    """Mark everybody where a setting is no longer what facts were folded under."""
    workspace = Workspace.current()
    now = {name: getattr(workspace, name) for name in ("time_zone", "activity_window", "currency")}
    before, is_new = FoldedUnder.objects.get_or_create(id=1, defaults=now)
    if is_new or now == {name: getattr(before, name) for name in now}:
        return
    dirty.mark_where(Customer.objects.filter(facts__isnull=False))
    if before.time_zone != workspace.time_zone:
        # Dates in rules begin at another midnight: the next look at crossings is a full pass.
        Segment.objects.update(computed_at=None)
    FoldedUnder.objects.filter(id=1).update(**now)
