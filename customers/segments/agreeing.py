"""A person agrees to what follows from a change of a segment, before it is made."""

from collections.abc import Sequence

from django.http import HttpRequest

from customers.segments.consequences import Consequence
from retention.common.sent import whole
from retention.workspace.people import person
from retention.workspace.roles import Can


def enough(said: int | None, follows: Sequence[Consequence]) -> bool:
    """Whether what was said agrees to so many customers as something follows for, or more."""
    return not follows or (said is not None and said >= sum(each.customers for each in follows))


def agreed(request: HttpRequest, follows: Sequence[Consequence]) -> bool:
    """Whether the person may let follow what follows, and has agreed to it."""
    said = whole(request.POST.get("agreed", ""))
    return enough(said, follows) and (not follows or person(request).can(Can.LAUNCH_CAMPAIGNS))
