"""The first minute of an empty installation: whoever sets it up becomes its first administrator."""

from typing import Any

from allauth.account.views import login as allauth_login
from django.conf import settings
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from retention.workspace.forms import FirstPersonForm
from retention.workspace.models import User, Workspace
from retention.workspace.roles import public


@require_http_methods(["GET", "HEAD", "POST"])
@public
def sign_in(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """allauth's sign-in, or the set-up where there is nobody yet who could sign in."""
    if not settings.DEMO and not User.objects.exists():
        return redirect("workspace:welcome")
    response: HttpResponse = allauth_login(request, **kwargs)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@public
def welcome(request: HttpRequest) -> HttpResponse:
    """Make the first administrator and name the workspace. Closed for good once anybody has an account."""
    if User.objects.exists():
        return redirect("account_login")
    form = FirstPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _set_up(request, form)
    return render(request, "workspace/welcome.html", {"form": form})


@transaction.atomic
def _set_up(request: HttpRequest, form: FirstPersonForm) -> HttpResponse:
    Workspace.objects.select_for_update().get(id=1)  # two who come at once: the second finds the first
    if User.objects.exists():
        return redirect("account_login")
    login(request, form.save(), backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("workspace:home")
