"""Which channel e-mail takes: the server EMAIL_URL names, or the outbox folder."""

from pathlib import Path

from django.conf import settings

from campaigns.delivery.channels import Channel
from campaigns.delivery.channels.outbox import OutboxChannel
from campaigns.delivery.channels.smtp import Server, SmtpChannel


def email_channel() -> Channel:
    """A channel of one's own, not yet open."""
    if not settings.EMAIL_URL:
        return OutboxChannel(Path(settings.OUTBOX_DIR))
    server = Server(
        host=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        user=settings.EMAIL_HOST_USER or "",
        password=settings.EMAIL_HOST_PASSWORD or "",
        tls=getattr(settings, "EMAIL_USE_SSL", False),
        starttls=getattr(settings, "EMAIL_USE_TLS", False),
    )
    return SmtpChannel(server, settings.EMAIL_CONNECTIONS)
