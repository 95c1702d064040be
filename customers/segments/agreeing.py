"""A person agrees to what follows from a change of a segment, before it is made."""

from collections.abc import Sequence

from django.http import HttpRequest

from customers.segments.consequences import Consequence
from retention.common.sent import whole
from retention.workspace.people import person
from retention.workspace.roles import Can


def agreed(request: HttpRequest, follows: Sequence[Consequence]) -> bool:
    """Whether the person may let follow what follows, and has agreed to that many customers or more."""
    if not follows:
        return True
    said = whole(request.POST.get("agreed", ""))
    enough = said is not None and said >= sum(each.customers for each in follows)
    return enough and person(request).can(Can.LAUNCH_CAMPAIGNS)
