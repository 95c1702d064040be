"""The pages about surveys for the people who work here."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from retention.common import clock
from retention.common.opened import held
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires
from surveys import charts, exporting, reading
from surveys.answering import type_in
from surveys.forms import AnswerForm, HeardForm, SurveyForm, usual_words
from surveys.models import Answer, Invitation, Survey
from surveys.scoring import Nps, nps, nps_by

WINDOWS = {"30": "30 days", "90": "90 days", "365": "12 months", "all": "All time"}
USUAL_WINDOW = "90"
TREND_MONTHS = 12
PAGE_SIZE = 25


@require_safe
@requires(Can.READ)
def survey_list(request: HttpRequest) -> HttpResponse:
    since = _since(request, USUAL_WINDOW)
    scores = nps_by(_lately(Answer.objects.all(), since), F("survey_id"))
    responses = reading.responses(_asked_lately(Invitation.objects.all(), since))
    rows = [
        {
            "survey": survey,
            "nps": scores.get(survey.pk, Nps()),
            "responses": responses.get(survey.pk, reading.Responses()),
        }
        for survey in Survey.objects.order_by(F("closed_at").desc(nulls_first=True), "name")
    ]
    return render(request, "surveys/list.html", {"rows": rows, "window": WINDOWS[USUAL_WINDOW], "since": since})


@require_safe
@requires(Can.READ)
def survey_detail(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    survey = get_object_or_404(Survey, pk=pk)
    window = request.GET.get("window", "")
    window = window if window in WINDOWS else USUAL_WINDOW
    since = _since(request, window)
    answers = _lately(survey.answers.all(), since)
    said = _said(answers, request.GET)
    if request.GET.get("format") == "csv":
        return exporting.answers_file(survey, reading.with_marks(said, among=answers))
    shown: dict[str, Any] = {"survey": survey, "window": window, "windows": WINDOWS, "since": since}
    shown |= _score(survey, answers, since, workspace_of(request).zone) | _verbatims(answers, said, request.GET)
    return render(request, "surveys/detail.html", shown)


def _since(request: HttpRequest, window: str) -> datetime | None:
    """The midnight of the workspace's zone at which a window that ends now begins; None for all time."""
    if window == "all":
        return None
    zone = workspace_of(request).zone
    first = clock.now().astimezone(zone).date() - timedelta(days=int(window))
    return datetime.combine(first, time(), zone)


def _lately(answers: QuerySet[Answer], since: datetime | None) -> QuerySet[Answer]:
    return answers if since is None else answers.filter(answered_at__gte=since)


def _asked_lately(invitations: QuerySet[Invitation], since: datetime | None) -> QuerySet[Invitation]:
    return invitations if since is None else invitations.filter(created_at__gte=since)


def _score(survey: Survey, answers: QuerySet[Answer], since: datetime | None, zone: tzinfo) -> dict[str, Any]:
    months = reading.last_months(clock.now(), zone, TREND_MONTHS)
    trend = reading.by_month(survey.answers.filter(answered_at__gte=months[0]), zone, months)
    score = nps(answers)
    return {
        "nps": score,
        "bar": charts.bar(score),
        "columns": charts.columns(reading.by_score(answers)),
        "trend": trend,
        "points": charts.points(trend),
        "responses": reading.responses(_asked_lately(survey.invitations.all(), since)).get(
            survey.pk, reading.Responses()
        ),
    }


def _said(answers: QuerySet[Answer], asked: QueryDict) -> QuerySet[Answer]:
    """The answers of the group that is asked for, and only those with a comment where that is asked for."""
    group = reading.GROUPS.get(asked.get("group", ""))
    listed = answers.filter(group[1]) if group else answers
    return listed.exclude(comment="") if asked.get("comment") else listed


def _verbatims(answers: QuerySet[Answer], said: QuerySet[Answer], asked: QueryDict) -> dict[str, Any]:
    group = asked.get("group", "")
    return {
        "group": group if group in reading.GROUPS else "",
        "groups": {name: label for name, (label, _) in reading.GROUPS.items()},
        "commented": bool(asked.get("comment")),
        "answers": Paginator(reading.with_marks(said, among=answers), PAGE_SIZE).get_page(asked.get("page")),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_SURVEYS)
def survey_new(request: HttpRequest) -> HttpResponse:
    form = SurveyForm(request.POST or None, initial=usual_words(workspace_of(request).name))
    return _edit(request, form, heading="New survey", done="The survey is ready: choose it in a campaign's e-mail.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_SURVEYS)
@transaction.atomic
def survey_edit(request: HttpRequest, pk: int) -> HttpResponse:
    survey = get_object_or_404(held(request, Survey.objects.all()), pk=pk)
    form = SurveyForm(request.POST or None, instance=survey)
    return _edit(request, form, heading=survey.name, done="Saved.")


def _edit(request: HttpRequest, form: SurveyForm, heading: str, done: str) -> HttpResponse:
    if form.is_valid():
        survey = form.save()
        messages.success(request, done)
        return redirect("surveys:detail", survey.pk)
    status = 422 if form.is_bound else 200
    return render(request, "surveys/edit.html", {"form": form, "heading": heading}, status=status)


@require_POST
@requires(Can.EDIT_SURVEYS)
def survey_close(request: HttpRequest, pk: int) -> HttpResponse:
    Survey.objects.filter(pk=pk, closed_at=None).update(closed_at=clock.now())
    messages.success(request, "Closed: its links take no more answers. You can open it again.")
    return redirect("surveys:detail", pk)


@require_POST
@requires(Can.EDIT_SURVEYS)
def survey_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    Survey.objects.filter(pk=pk).update(closed_at=None)
    messages.success(request, "Open again: links that have not run out take answers.")
    return redirect("surveys:detail", pk)


@require_safe
@xframe_options_sameorigin
@requires(Can.READ)
def survey_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer's page with nobody's link: the button sends nothing."""
    shown = {"survey": get_object_or_404(Survey, pk=pk), "form": AnswerForm(), "preview": True}
    return render(request, "surveys/answer.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.WORK_TASKS)
def answer_heard(request: HttpRequest) -> HttpResponse:
    """Type in what a customer said by word of mouth; ?customer= and ?survey= fill these in."""
    filled_in = {"survey": request.GET.get("survey"), "customer": request.GET.get("customer")}
    form = HeardForm(request.POST or None, initial=filled_in)
    if form.is_valid():
        survey, customer = form.cleaned_data["survey"], form.cleaned_data["customer"]
        type_in(survey, customer, form.said, person(request), clock.now())
        messages.success(request, f"Kept what {customer} said. It is marked, and left out of the score.")
        return redirect("surveys:detail", survey.pk)
    return render(request, "surveys/heard.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@requires(Can.READ)
def customer_panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What a customer was asked and answered: a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    shown = {
        "customer": customer,
        "answers": customer.answers.select_related("survey", "entered_by").order_by("-answered_at")[:PAGE_SIZE],
        "unanswered": customer.invitations.filter(answer=None).select_related("survey").order_by("-created_at")[:10],
        "now": clock.now(),
    }
    template = "surveys/customer_panel.html" if request.htmx else "surveys/customer.html"  # type: ignore[attr-defined]
    return render(request, template, shown)
