"""One's own account."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from retention.workspace.forms import AccountForm
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.READ)
def account(request: HttpRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=person(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your account is saved.")
        return redirect("workspace:account")
    return render(request, "workspace/account.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.READ)
def no_change_of_address(_request: HttpRequest) -> HttpResponse:
    """Stands before allauth's page: people are known by their address, which only an administrator gives."""
    return redirect("workspace:account")
