"""The outbox: without a mail server, every message as its recipient would see it."""

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns import outbox
from campaigns.models import Message
from campaigns.pages.framing import framed
from campaigns.previewing import Preview
from retention.common.sent import whole
from retention.workspace.roles import Can, requires

PAGE_SIZE, MOST_FOUND = 50, 1_000


@require_safe
@requires(Can.READ)
def outbox_list(request: HttpRequest) -> HttpResponse:
    page = request.GET.get("page", "")
    number = min(whole(page) or 1, 100_000)
    typed, tests = request.GET.get("q", "").strip()[:200], "tests" in request.GET
    of = {0} if tests else _to(typed) if typed else None
    mails = outbox.latest(PAGE_SIZE * (number - 1), PAGE_SIZE + 1, of)
    shown = mails[:PAGE_SIZE]
    messages = Message.objects.select_related("customer", "step__campaign").in_bulk(
        [each.message_id for each in shown if each.message_id]
    )
    context = {
        "mails": [(each, messages.get(each.message_id)) for each in shown],
        "typed": typed,
        "tests": tests,
        "number": number,
        "more": len(mails) > PAGE_SIZE,
        "leaves": bool(settings.EMAIL_URL),
    }
    return render(request, "campaigns/outbox.html", context)


def _to(typed: str) -> set[int]:
    """The messages to customers whose name or address has what was typed."""
    whose = Q(customer__name__icontains=typed) | Q(customer__email__icontains=typed) | Q(address__icontains=typed)
    found = Message.objects.filter(whose, attempts__gt=0).order_by("-id")
    return set(found.values_list("id", flat=True)[:MOST_FOUND])


@require_safe
@requires(Can.READ)
def outbox_mail(request: HttpRequest, name: str) -> HttpResponse:
    mail = outbox.read(name)
    if mail is None:
        raise Http404
    message = Message.objects.select_related("customer", "step__campaign").filter(pk=mail.head.message_id or 0).first()
    return render(request, "campaigns/outbox_mail.html", {"mail": mail, "message": message})


@require_safe
@requires(Can.READ)
def outbox_frame(request: HttpRequest, name: str) -> HttpResponse:
    """The mail itself, for the frame of its page."""
    mail = outbox.read(name)
    if mail is None:
        raise Http404
    return framed(request, Preview(html=mail.html, text=mail.text), None)
