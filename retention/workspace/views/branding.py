"""The workspace's logo, for everybody who sees a page."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from retention.workspace.logo import picture
from retention.workspace.models import Workspace
from retention.workspace.roles import public


@require_safe
@public
def logo(_request: HttpRequest) -> HttpResponse:
    file = Workspace.current().logo
    if not file.name or not file.storage.exists(file.name):
        raise Http404
    with file.open() as opened:
        content = opened.read()
    kind = picture(content[:12])
    if kind is None:
        raise Http404
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=kind.content_type, headers=headers)
