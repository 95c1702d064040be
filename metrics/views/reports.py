"""Overview, cohorts, NPS and a campaign's effect."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from campaigns.models import Campaign
from metrics import books, foretelling, reports, revenue, wording
from metrics.cohorts import Convention, Measure, Question, default_window
from metrics.effect import life
from metrics.pictures import Chart
from metrics.recurring import currency_asked
from metrics.views.asking import answer, asked, refusing, workspace
from retention.common import clock
from retention.workspace.people import person
from retention.workspace.places import url_for
from retention.workspace.roles import Can, requires

SHOWN_CAMPAIGNS = 10


@require_safe
@requires(Can.READ)
@refusing
def overview(request: HttpRequest) -> HttpResponse:
    scope = asked(request)
    report = reports.overview(scope)
    launched = Campaign.objects.filter(launched_at__isnull=False).order_by("-launched_at")[:SHOWN_CAMPAIGNS]
    context = {
        "scope": scope,
        "charts": [Chart(points) for points in report.charts.values()],
        "campaigns": launched,
        "import_url": url_for(person(request), "customers:import_new"),
    }
    return answer(request, "metrics/overview.html", report, context)


@require_safe
@requires(Can.READ)
@refusing
def cohorts(request: HttpRequest) -> HttpResponse:
    scope = asked(request, default_window(clock.now(), workspace(request).zone))
    measure, convention = request.GET.get("measure", ""), request.GET.get("orders", "")
    question = Question(
        scope,
        Measure(measure) if measure in list(Measure) else Measure.ON,
        Convention(convention) if convention in list(Convention) else Convention.KEPT,
    )
    report = reports.cohorts(question)
    context = {
        "scope": scope,
        "question": question,
        "measures": list(Measure),
        "conventions": list(Convention),
        "as_numbers": request.GET.get("as") == "numbers",
        "import_url": url_for(person(request), "customers:import_new"),
    }
    return answer(request, "metrics/cohorts.html", report, context)


@require_safe
@requires(Can.READ)
@refusing
def recurring(request: HttpRequest) -> HttpResponse:
    scope = asked(request, revenue.default_window(clock.now(), workspace(request).zone))
    report = revenue.revenue(scope, currency_asked(request.GET.dict()))
    context = {
        "scope": scope,
        "charts": [Chart(points) for points in report.charts],
        "import_url": url_for(person(request), "customers:import_new"),
    }
    return answer(request, "metrics/revenue.html", report, context)


@require_safe
@requires(Can.READ)
@refusing
def managers(request: HttpRequest) -> HttpResponse:
    """Each manager's book of business."""
    scope = asked(request, revenue.default_window(clock.now(), workspace(request).zone))
    report = books.books(scope)
    shown = {"scope": scope, "me": person(request), "labels": [each.definition for each in report.whole.shown]}
    return answer(request, "metrics/books.html", report, shown)


@require_safe
@requires(Can.READ)
@refusing
def nps(request: HttpRequest) -> HttpResponse:
    scope = asked(request)
    report = reports.nps(scope)
    context = {
        "scope": scope,
        "chart": Chart(report.chart),
        "surveys_url": url_for(person(request), "surveys:list"),
    }
    return answer(request, "metrics/nps.html", report, context)


@require_safe
@requires(Can.READ)
@refusing
def health(request: HttpRequest) -> HttpResponse:
    scope = asked(request)
    context = {"scope": scope, "import_url": url_for(person(request), "customers:import_new")}
    return answer(request, "metrics/health.html", foretelling.health(scope), context)


@require_safe
@requires(Can.READ)
@refusing
def campaign_effect(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    scope = asked(request, life(campaign, workspace(request).zone, clock.now()))
    report = reports.campaign_effect(campaign, scope)
    context = {"scope": scope, "campaign": campaign, "headline": wording.headline(report.effect)}
    part = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    return answer(request, "metrics/effect_part.html" if part else "metrics/campaign_effect.html", report, context)
