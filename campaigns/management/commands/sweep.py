"""`manage.py sweep`: does everything that is due once, and says what it did."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns.sweeping import Swept, sweep, sweep_until_idle


class Command(BaseCommand):
    help = "Does everything that is due: routes events, refreshes segments, enrols, delivers, takes up what was left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until-idle", action="store_true", help="go on until there is nothing left to do")

    def handle(self, *_: Any, **options: Any) -> None:
        swept = sweep_until_idle() if options["until_idle"] else sweep()
        self.stdout.write(_told(swept))


def _told(swept: Swept) -> str:
    lines = [
        ("routed", swept.routed),
        ("jobs run", swept.jobs),
        ("enrolled", swept.enrolled),
        ("held out", swept.held_out),
        ("stopped by a gate", swept.refused),
        ("left a campaign", swept.left),
        ("offers closed or settled", swept.offers),
        ("steps of playbooks", swept.playbooks),
        ("sent", swept.sent),
        ("failed", swept.failed),
        ("to be tried again", swept.retried),
        ("stopped before sending", swept.stopped),
        ("unconfirmed", swept.unconfirmed),
        ("taken back from dead workers", swept.requeued),
    ]
    told = ", ".join(f"{count} {name}" for name, count in lines if count)
    return "\n".join(filter(None, [told or "Nothing was due.", swept.trouble]))
