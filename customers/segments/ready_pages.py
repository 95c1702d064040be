"""The shelf of ready-made segments: what there is, whom each would have now, and one's own of it with one click."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from customers.models import Segment
from customers.segments import compiling, saving
from customers.segments.operators import Moment
from customers.segments.patience import TooSlow, patiently
from customers.segments.ready_made import READY_MADE, SHELVES
from customers.segments.rules import parse
from retention.common import clock
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def ready_made(request: HttpRequest) -> HttpResponse:
    counts = _counts(Moment(clock.now(), workspace_of(request).zone))
    own = dict(Segment.objects.filter(name__in=[offer.name for offer in READY_MADE.values()]).values_list("name", "pk"))
    shelves = [
        (title, [(key, offer, counts.get(key), own.get(offer.name)) for key, offer in shelf.items()])
        for title, shelf in SHELVES.items()
    ]
    return render(request, "customers/segments/ready_made.html", {"shelves": shelves, "slow": not counts})


def _counts(moment: Moment) -> dict[str, int]:
    """How many each would have, in one pass; nothing where that takes too long."""
    query = compiling.counts([parse(offer.rule) for offer in READY_MADE.values()], moment)
    try:
        with patiently() as cursor:
            cursor.execute(query.text, query.params)
            return dict(zip(READY_MADE, cursor.fetchone(), strict=True))
    except TooSlow:
        return {}


@require_POST
@requires(Can.EDIT_SEGMENTS)
def ready_made_take(request: HttpRequest, key: str) -> HttpResponse:
    """Make the person's own of it; the one of that name, where there is one already."""
    offer = READY_MADE.get(key)
    if offer is None:
        raise Http404
    if there := Segment.objects.filter(name=offer.name).first():
        messages.info(request, f"There is a segment “{offer.name}” already: this is it.")
        return redirect("customers:segment", there.pk)
    segment = Segment(name=offer.name, description=offer.description, rule=offer.rule)
    saving.save(segment, person(request))
    messages.success(request, f"“{offer.name}” is yours: edit it as you like.")
    return redirect("customers:segment", segment.pk)
