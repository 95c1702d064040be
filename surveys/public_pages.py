"""The page a customer answers on: phone first, no script, no account.

The signed token in the address is the authority, and the only one: the page reads no cookie and no session, so a
forged post from another site could use nothing that its author does not hold already. That is why it carries no CSRF
token: the token's cookie is refused by private browsing and by mail apps' built-in browsers, and an honest answer would
be lost. A link takes one answer, so there is nothing to gain by posting often; a forged link is refused by its
signature, before the database is asked.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from retention.common import clock
from retention.common.links import LinkRefused
from retention.workspace.roles import public
from surveys.answering import AlreadyAnswered, InvitationExpired, NotAnswerable, SurveyClosed, answer, check_open
from surveys.forms import AnswerForm
from surveys.invitations import find

Page = Callable[[HttpRequest, str], HttpResponse]

# What a link that takes no answer says, and its status.
REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    LinkRefused: (
        404,
        "This link does not work",
        "Part of it may have been cut off. Please open it again from our message.",
    ),
    AlreadyAnswered: (410, "We have your answer", "Thank you. Each link takes one answer, and yours has arrived."),
    InvitationExpired: (410, "This survey has ended", "The time to answer is over. Thank you for wanting to."),
    SurveyClosed: (410, "This survey is closed", "It takes no more answers. Thank you for wanting to give one."),
}


def personal(page: Page) -> Page:
    """A page for one customer alone: kept by no shared cache, found by no search engine, kind about bad links."""

    @wraps(page)
    def kind(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = page(request, token)
        except (LinkRefused, NotAnswerable) as refusal:
            response = _refused(request, refusal)
        response["Cache-Control"] = "private, no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return kind


def _refused(request: HttpRequest, refusal: Exception) -> HttpResponse:
    status, title, text = next(told for kind, told in REFUSALS.items() if isinstance(refusal, kind))
    return render(request, "surveys/refused.html", {"title": title, "text": text}, status=status)


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@personal
def take_answer(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the form (?score=7 fills that score in) and changes nothing; a POST is the answer."""
    invitation = find(token)
    check_open(invitation, clock.now())
    form = AnswerForm(request.POST) if request.method == "POST" else AnswerForm(initial=_filled_in(request))
    if form.is_valid():
        answer(invitation, form.said, clock.now())
        return HttpResponseRedirect(reverse("surveys:thanks", args=[token]))
    shown: dict[str, Any] = {"survey": invitation.survey, "form": form}
    return render(request, "surveys/answer.html", shown, status=422 if form.is_bound else 200)


def _filled_in(request: HttpRequest) -> dict[str, str]:
    score = request.GET.get("score", "")
    return {"score": score} if score in dict(AnswerForm.SCORES) else {}


@public
@require_safe
@personal
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    invitation = find(token)
    if not hasattr(invitation, "answer"):
        return HttpResponseRedirect(reverse("surveys:answer", args=[token]))
    return render(request, "surveys/thanks.html", {"survey": invitation.survey})
