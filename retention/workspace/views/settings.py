"""The workspace's settings and its people: for administrators."""

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from retention.common.opened import held
from retention.workspace import staff
from retention.workspace.forms import NewPersonForm, PersonForm, WorkspaceForm
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Can, requires

LAST = "They are the last administrator. Make somebody else one first; nothing was changed."


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
@transaction.atomic
def workspace(request: HttpRequest) -> HttpResponse:
    stands = held(request, Workspace.objects.all()).get(pk=Workspace.current().pk)
    form = WorkspaceForm(request.POST or None, request.FILES or None, instance=stands)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The settings are saved.")
        return redirect("workspace:settings")
    return render(request, "workspace/settings.html", {"form": form})


@require_safe
@requires(Can.ADMINISTER)
def people(request: HttpRequest) -> HttpResponse:
    everybody = User.objects.order_by("-is_active", "first_name", "last_name", "email")
    return render(request, "workspace/people.html", {"people": everybody})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
def person_new(request: HttpRequest) -> HttpResponse:
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        staff.invite(form.instance)
        if not settings.EMAIL_URL:
            return _with_link(request, form.instance)
        messages.success(request, f"{form.instance} has an account. The link to set a password is in the mail.")
        return redirect("workspace:person", form.instance.pk)
    return render(request, "workspace/person_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
@transaction.atomic
def person(request: HttpRequest, pk: int) -> HttpResponse:
    held(request, Workspace.objects.all()).first()  # the order of locks: see staff.change
    somebody = get_object_or_404(held(request, User.objects.all()), pk=pk)
    form = PersonForm(request.POST or None, instance=somebody)
    if request.method == "POST" and form.is_valid() and _changed(request, form.instance):
        return redirect("workspace:people")
    return render(request, "workspace/person.html", {"form": form, "person": somebody})


@require_POST
@requires(Can.ADMINISTER)
@transaction.atomic
def person_access(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch an account off or on."""
    held(request, Workspace.objects.all()).first()  # the order of locks: see staff.change
    somebody = get_object_or_404(held(request, User.objects.all()), pk=pk)
    somebody.is_active = request.POST.get("active") == "yes"
    _changed(request, somebody)
    return redirect("workspace:person", pk)


@require_POST
@requires(Can.ADMINISTER)
def person_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the link to set a password, to be handed over where mail does not reach."""
    return _with_link(request, get_object_or_404(User, pk=pk, is_active=True))


def _with_link(request: HttpRequest, somebody: User) -> HttpResponse:
    context = {"form": PersonForm(instance=somebody), "person": somebody, "link": staff.password_link(somebody)}
    context["mail_leaves"] = bool(settings.EMAIL_URL)
    return render(request, "workspace/person.html", context)


def _changed(request: HttpRequest, somebody: User) -> bool:
    try:
        staff.change(somebody)
    except staff.LastAdministrator:
        messages.error(request, LAST)
        return False
    messages.success(request, f"{somebody} is saved.")
    return True
