"""`manage.py bounce < report.eml`: takes one delivery report, as a mail server pipes it in."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.bouncing import NoReport, read, take
from retention.common import clock


class Command(BaseCommand):
    help = "Reads a delivery report (RFC 3464) from standard input and settles the message that came back."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            message = take(read(sys.stdin.buffer.read()), clock.now())
        except NoReport as why:
            raise CommandError(str(why)) from why
        self.stdout.write(f"Message {message.pk} came back.")
