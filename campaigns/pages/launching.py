"""From a draft to its end: the rehearsal, the launch, pause, resume, finish; messages in doubt settled by a person."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from campaigns import life
from campaigns.delivery import settling
from campaigns.delivery.settling import NotInDoubt
from campaigns.life import NotPossible
from campaigns.models import Campaign, EmailStep, Message
from campaigns.previewing import proofread
from campaigns.rehearsal import rehearse
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.LAUNCH_CAMPAIGNS)
def campaign_launch(request: HttpRequest, pk: int) -> HttpResponse:
    """GET rehearses: how many, how many held out, who is stopped where. POST launches."""
    campaign = get_object_or_404(Campaign.objects.select_related("segment", "not_in"), pk=pk)
    step = EmailStep.objects.select_related("survey").filter(campaign=campaign).first()
    if campaign.state != Campaign.State.DRAFT or step is None:
        messages.warning(request, "It was launched already.")
        return redirect("campaigns:detail", pk)
    problems = proofread(step, campaign)
    if request.method == "POST" and not problems:
        return _launch(request, campaign)
    context = {"campaign": campaign, "step": step, "problems": problems, "dry": rehearse(campaign)}
    context["links_stay_here"] = settings.PUBLIC_URL if _only_here(settings.PUBLIC_URL) else ""
    return render(request, "campaigns/launch.html", context, status=422 if request.method == "POST" else 200)


def _only_here(url: str) -> bool:
    """Whether nobody but this computer can open it."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _launch(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """What was rehearsed is what is launched: a draft saved meanwhile has to be looked at again."""
    if request.POST.get("version") != str(campaign.version):
        messages.error(request, "The draft was changed since you looked at it. Look again before you launch it.")
        return redirect("campaigns:launch", campaign.pk)
    try:
        life.launch(campaign, person(request))
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{campaign.name} is launched.")
    return redirect("campaigns:detail", campaign.pk)


@require_POST
@requires(Can.LAUNCH_CAMPAIGNS)
def campaign_pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, lambda campaign, _: life.pause(campaign), "Paused: nothing new is sent.")


@require_POST
@requires(Can.LAUNCH_CAMPAIGNS)
def campaign_resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, life.resume, "It goes on.")


@require_POST
@requires(Can.LAUNCH_CAMPAIGNS)
def campaign_finish(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, lambda campaign, _: life.finish(campaign), "Finished. Its effect is measured on.")


def _step(request: HttpRequest, pk: int, do: Callable[[Campaign, User], object], done: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    try:
        do(campaign, person(request))
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("campaigns:detail", pk)


@require_POST
@requires(Can.LAUNCH_CAMPAIGNS)
def message_mark_sent(request: HttpRequest, pk: int) -> HttpResponse:
    return _settle(request, pk, settling.mark_sent, "Marked as sent.")


@require_POST
@requires(Can.LAUNCH_CAMPAIGNS)
def message_resend(request: HttpRequest, pk: int) -> HttpResponse:
    return _settle(request, pk, settling.resend, "It will be sent once more.")


def _settle(request: HttpRequest, pk: int, do: Callable[[Message, User, datetime], object], done: str) -> HttpResponse:
    message = get_object_or_404(Message.objects.select_related("step__campaign"), pk=pk)
    try:
        do(message, person(request), clock.now())
    except NotInDoubt:
        messages.error(request, "It is not unconfirmed any more.")
    else:
        messages.success(request, done)
    return redirect(reverse("campaigns:people", args=[message.step.campaign_id]) + "?group=unknown")
