"""One click per role, in demo mode only."""

from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from retention.workspace.demo_people import demo_person
from retention.workspace.roles import Role, public


@require_POST
@public
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    if not settings.DEMO:
        raise PermissionDenied
    if request.POST.get("role") not in Role.values:
        raise SuspiciousOperation("no such role")
    login(request, demo_person(Role(request.POST["role"])), backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("workspace:home")
