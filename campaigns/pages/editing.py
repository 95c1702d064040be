"""Writing a campaign: the journey on one form, its e-mail with a live preview, a test message to oneself."""

from typing import Any

from django.contrib import messages
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import drafting
from campaigns.delivery.channels.chosen import email_channel
from campaigns.drafting import EditedMeanwhile, Launched
from campaigns.forms import CampaignForm, PreviewForm, StepForm
from campaigns.gates import GATES
from campaigns.models import Campaign, EmailStep
from campaigns.outbox import NAME
from campaigns.pages.framing import framed
from campaigns.previewing import NotSent, Preview, preview, send_test
from campaigns.ready_made import ALL, BLANK, ReadyMade
from campaigns.rendering.variables import catalogue
from customers.models import Customer, Segment
from retention.common import clock
from retention.workspace.people import person
from retention.workspace.roles import Can, requires
from retention.workspace.templatetags.shell import relative
from surveys.models import Survey

OPTIONS = 8


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CAMPAIGNS)
def campaign_new(request: HttpRequest) -> HttpResponse:
    """A new draft; ?from= names a ready-made one, ?segment= who it is for."""
    start = ALL.get(request.GET.get("from", ""), BLANK)
    campaign, step = Campaign(goal_days=start.goal_days), EmailStep(**_words(start))
    if "from" not in request.GET and request.method == "GET":
        return render(
            request, "campaigns/begin.html", {"ready_made": ALL.values(), "segment": request.GET.get("segment", "")}
        )
    initial = {"name": _free_name(start.title), "segment": request.GET.get("segment")}
    form = CampaignForm(request.POST or None, instance=campaign, initial=initial)
    return _edit(request, form, StepForm(request.POST or None, instance=step))


def _words(start: ReadyMade) -> dict[str, Any]:
    survey = Survey.objects.filter(closed_at=None).order_by("-id").first() if start.asks else None
    return {"subject": start.subject, "preheader": start.preheader, "body": start.body, "survey": survey}


def _free_name(title: str) -> str:
    """The title, with a number where it is taken."""
    taken = set(Campaign.objects.filter(name__startswith=title).values_list("name", flat=True))
    return next(name for n in range(1, len(taken) + 2) if (name := title if n == 1 else f"{title} {n}") not in taken)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CAMPAIGNS)
def campaign_edit(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    if campaign.state != Campaign.State.DRAFT:
        messages.warning(request, "A launched campaign keeps what it was launched with. Make a new one for new words.")
        return redirect("campaigns:detail", pk)
    step = EmailStep.objects.filter(campaign=campaign).first() or EmailStep(campaign=campaign)
    form = CampaignForm(request.POST or None, instance=campaign)
    return _edit(request, form, StepForm(request.POST or None, instance=step))


def _edit(request: HttpRequest, form: CampaignForm, step_form: StepForm) -> HttpResponse:
    if form.is_bound and all([form.is_valid(), step_form.is_valid()]):
        try:
            drafting.save(form.instance, step_form.instance, person(request), clock.now())
        except EditedMeanwhile as other:
            form.add_error(None, _told(other))
        except Launched:
            form.add_error(None, "The campaign was launched meanwhile. What you wrote is below; nothing was changed.")
        else:
            messages.success(request, "Saved.")
            place = "campaigns:launch" if "launch" in request.POST else "campaigns:detail"
            return redirect(place, form.instance.pk)
    context = {
        "form": form,
        "step_form": step_form,
        "variables": catalogue(),
        "gates": GATES,
        "sizes": dict(Segment.objects.values_list("id", "size")),
        "preview_as": request.POST.get("preview_as", ""),
    }
    return render(request, "campaigns/edit.html", context, status=422 if form.is_bound else 200)


def _told(other: EditedMeanwhile) -> str:
    who = other.by or "Somebody else"
    return (
        f"{who} saved this draft {relative(other.at)}, after you opened it. Nothing of yours was saved and nothing of "
        "theirs is lost: copy what you want to keep from below, then open the draft again."
    )


@require_POST
@requires(Can.EDIT_CAMPAIGNS)
def campaign_delete(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    try:
        drafting.delete(campaign)
    except Launched:
        messages.error(request, "A launched campaign can be finished, not deleted.")
        return redirect("campaigns:detail", pk)
    messages.success(request, f"The draft “{campaign.name}” is deleted.")
    return redirect("campaigns:list")


@require_POST
@xframe_options_sameorigin
@requires(Can.EDIT_CAMPAIGNS)
def campaign_preview(request: HttpRequest) -> HttpResponse:
    """What is typed, as one customer would see it: a page for the frame beside the editor. Nothing is stored."""
    form = PreviewForm(request.POST)
    if not form.is_valid():
        return framed(request, Preview(problem="This is too long to preview."), None)
    customer = whom(form.cleaned_data["preview_as"])
    if customer is None:
        return framed(request, Preview(problem="No customer has this name, ID or e-mail address."), None)
    return framed(request, preview(form.texts, customer, asks=form.asks), customer)


@require_POST
@requires(Can.EDIT_CAMPAIGNS)
def campaign_test(request: HttpRequest) -> HttpResponse:
    """Send what is typed to the person who asks."""
    form = PreviewForm(request.POST)
    customer = whom(form.cleaned_data["preview_as"]) if form.is_valid() else None
    said = {"trouble": "No customer has this name, ID or e-mail address."}
    if customer is not None:
        said = _test(request, form, customer)
    template = "campaigns/tested.html" if request.htmx else "campaigns/tested_page.html"  # type: ignore[attr-defined]
    return render(request, template, said, status=200)


def _test(request: HttpRequest, form: PreviewForm, customer: Customer) -> dict[str, str]:
    user = person(request)
    try:
        said = send_test(form.texts, customer, user, email_channel(), asks=form.asks)
    except NotSent as trouble:
        return {"trouble": f"It was not sent: {trouble}"}
    kept = said if NAME.fullmatch(said) else ""
    done = (
        f"Kept in the outbox, as {customer} would get it."
        if kept
        else f"Sent to {user.email}, as {customer} would get it."
    )
    return {"done": done, "kept": kept}


def whom(text: str) -> Customer | None:
    """The customer somebody means by ID, e-mail address or name; the first one where nothing is said."""
    text = text.strip()
    customers = Customer.objects.order_by("id")
    if not text:
        return customers.exclude(email="").first() or customers.first()
    folded = customers.alias(address=Lower("email"), folded=Lower("name"))
    meant = folded.filter(Q(external_id=text) | Q(address=text.lower()) | Q(folded=text.lower()))
    return meant.first()


@require_safe
@requires(Can.EDIT_CAMPAIGNS)
def customer_options(request: HttpRequest) -> HttpResponse:
    """Names that begin with ?preview_as=, for the field that asks whom to preview as."""
    text = request.GET.get("preview_as", "").strip().lower()
    found = Customer.objects.alias(folded=Lower("name")).filter(folded__startswith=text, name__gt="") if text else None
    names = found.order_by("folded", "id").values_list("external_id", F("name"))[:OPTIONS] if found is not None else []
    return render(request, "campaigns/customer_options.html", {"options": names})
