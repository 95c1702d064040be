"""The renewals board, the rows behind each of its numbers, and saying what is expected of one."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Event, Segment, Team
from customers.renewals import exporting
from customers.renewals.asking import GROUPS, Asked
from customers.renewals.board import board
from customers.renewals.due import Span, renewals
from customers.renewals.expecting import ChangedMeanwhile, NothingRenews, mark, say
from customers.renewals.forms import ForecastForm
from customers.renewals.rows import Renewal
from customers.work.forms import workers
from retention.common import clock
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PAGE = 50
HISTORY = 20
MEANWHILE = (
    "Somebody else said something of this renewal after you opened it, and nothing of yours is saved yet. What stands "
    "now is above; what you typed is below. Save once more to put it in place of theirs."
)


@require_safe
@requires(Can.READ)
def board_page(request: HttpRequest) -> HttpResponse:
    asked = Asked.read(request.GET, person(request))
    context = _board(request, asked) | _choices()
    return render(request, "customers/renewals/board.html", context)


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The rows behind a number of the board; `format=csv` gives them as a file."""
    asked, span = Asked.read(request.GET, person(request)), _span(request)
    rows = asked.rows(span, person(request).pk).select_related(*_SHOWN_WITH).order_by("due_at", "pk")
    if request.GET.get("format") == "csv":
        headers = {"Content-Disposition": 'attachment; filename="renewals.csv"'}
        text = exporting.lines(rows, workspace_of(request).zone)
        return StreamingHttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"asked": asked, "query": asked.query(), "page": page, "rows": [Renewal(term) for term in page]}
    narrowed = {name: GROUPS[name].get(getattr(asked, name), "") for name in GROUPS}
    back = asked.but(month="", forecast="", stage="", currency="").query()
    return render(request, "customers/renewals/list.html", context | {"narrowed": narrowed, "back": back})


_SHOWN_WITH = ("subscription__forecast__set_by", "customer__facts", "customer__owner")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def forecast(request: HttpRequest, pk: int) -> HttpResponse:
    """A form in the renewal's card, or on a page of its own; done, the board as it is then."""
    renewal = _renewal(request, pk)
    asked = Asked.read(QueryDict((request.POST or request.GET).get("query", "")), person(request))
    form = ForecastForm(request.POST or None, initial=ForecastForm.filled_in(renewal, mark(renewal.term.subscription)))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            say(pk, said["forecast"], said["note"], person(request), said["opened"])
        except ChangedMeanwhile:
            renewal = _renewal(request, pk)
            form = _going_on(form, mark(renewal.term.subscription))
            form.add_error(None, MEANWHILE)
        except NothingRenews as error:
            raise Http404 from error
        else:
            return _said(request, asked, _renewal(request, pk))
    return _asked_again(request, asked, renewal, form)


def _going_on(form: ForecastForm, opened: str) -> ForecastForm:
    """The same form with what was typed, from what stands now."""
    again = ForecastForm({**form.data.dict(), "opened": opened} if isinstance(form.data, QueryDict) else form.data)
    again.is_valid()
    return again


def _asked_again(request: HttpRequest, asked: Asked, renewal: Renewal, form: ForecastForm) -> HttpResponse:
    context = {"form": form, "renewal": renewal, "customer": renewal.term.customer, "query": asked.query()}
    if request.htmx:  # type: ignore[attr-defined]
        response = render(request, "customers/renewals/form_part.html", context)
        if request.method == "POST":
            response["HX-Retarget"] = f"#renewal-{renewal.term.subscription_id}"
        return response
    told = Event.objects.filter(customer=renewal.term.customer_id, kind="renewal.forecast")
    told = told.filter(ref=f"subscription:{renewal.term.subscription_id}").order_by("-occurred_at", "-pk")[:HISTORY]
    status = 409 if form.errors else 200
    return render(request, "customers/renewals/forecast.html", context | {"history": told}, status=status)


def _said(request: HttpRequest, asked: Asked, renewal: Renewal) -> HttpResponse:
    words = f"{renewal.term.customer}: {renewal.label.lower()}."
    if request.htmx:  # type: ignore[attr-defined]
        context = _board(request, asked) | {"said": words, "changed": renewal.term.subscription_id}
        return render(request, "customers/renewals/board_part.html", context)
    messages.success(request, words)
    return redirect(f"{reverse('customers:renewals')}?{asked.query()}")


def _renewal(request: HttpRequest, subscription_id: int) -> Renewal:
    rows = renewals(_span(request), short=True).select_related(*_SHOWN_WITH)
    term = rows.filter(subscription=subscription_id, subscription__cancelled_at=None).first()
    if term is None:
        raise Http404
    return Renewal(term)


def _span(request: HttpRequest) -> Span:
    return Span(clock.now(), workspace_of(request).zone)


def _board(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    found = board(asked, _span(request), person(request).pk, workspace_of(request).currency)
    return {"board": found, "asked": asked, "query": asked.query(), "now": clock.now()}


def _choices() -> dict[str, Any]:
    people = [(f"person-{user.pk}", str(user)) for user in workers()]
    teams = [(f"team-{team.pk}", f"Team {team}") for team in Team.objects.all()]
    whose = [("mine", "Mine"), ("everyones", "Everyone's"), ("nobodys", "Nobody's"), *teams, *people]
    return {"whose": whose, "segments": Segment.objects.order_by("name").only("name")}
