"""Starting a playbook for many customers from their list: for those picked at once, for all that match by a job."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from customers.models import Playbook
from customers.playbooks import many, starting
from customers.records.filters import Filters, matching
from customers.records.listing import count
from customers.together.pages import picked, takes_all
from retention.common.sent import whole
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


@require_POST
@requires(Can.WORK_TASKS)
def start(request: HttpRequest) -> HttpResponse:
    query = request.POST.get("query", "")
    back = redirect(f"{reverse('customers:list')}?{query}")
    chosen = whole(request.POST.get("playbook", ""))
    if chosen is None:
        messages.error(request, "Choose a playbook to start. Nothing was changed.")
        return back
    playbook = get_object_or_404(Playbook, pk=chosen)
    if not takes_all(request):
        _start(request, playbook)
        return back
    if "confirmed" not in request.POST:
        matched = count(matching(Filters.read(QueryDict(query))))
        context = {"playbook": playbook, "count": matched, "query": query}
        return render(request, "customers/playbooks/start_all.html", context)
    return redirect("workspace:job", many.ask(playbook, query, person(request)).pk)


def _start(request: HttpRequest, playbook: Playbook) -> None:
    ids = picked(request)
    try:
        began = starting.start_by_hand(playbook, ids, person(request))
    except starting.NoRenewal:
        messages.error(request, f"“{playbook}” counts its days from a renewal, and none of them has one ahead.")
    except starting.NothingToDo:
        messages.error(request, f"“{playbook}” has no steps yet.")
    else:
        rest = len(ids) - began
        left = f" For {rest} it runs already, or has no renewal to count from." if rest else ""
        messages.success(request, f"“{playbook}” has begun for {began} customer{'' if began == 1 else 's'}.{left}")
