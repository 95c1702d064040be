"""A job's progress: a page of its own, and the part that other pages show and that keeps itself fresh."""

import uuid

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from retention.workspace import jobs
from retention.workspace.models import Job
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    row = get_object_or_404(Job, pk=pk)
    response = render(request, "parts/job.html" if _is_part(request) else "workspace/job.html", {"job": row})
    if _is_part(request) and not row.open:
        response["HX-Trigger"] = "job-ended"  # the page around it may have figures to bring up to date
    return response


@require_POST
@requires(Can.READ)
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Only who asked for the work, or an administrator, stops it."""
    row = get_object_or_404(Job, pk=pk)
    user = person(request)
    if row.created_by_id != user.pk and not user.can(Can.ADMINISTER):
        raise PermissionDenied
    jobs.cancel(row)
    row.refresh_from_db()
    return render(request, "parts/job.html", {"job": row}) if _is_part(request) else redirect("workspace:job", pk=pk)


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
