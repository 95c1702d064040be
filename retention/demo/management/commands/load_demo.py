"""manage.py load_demo: fill an empty workspace with two years of a simulated business."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from retention.common import clock
from retention.demo.loading import CUSTOMERS, SEED, NotEmpty, is_empty, load


class Command(BaseCommand):
    help = "Fill an empty workspace with two years of a simulated subscription-and-orders business."

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--if-empty", action="store_true", help="do nothing where the workspace is in use")
        group.add_argument(
            "--replace",
            action="store_true",
            help="remove an earlier demo first, with its campaigns, segments and surveys; "
            "refused where there are customers from anywhere else",
        )
        parser.add_argument("--seed", default=SEED, help="another text gives another business")
        parser.add_argument("--customers", type=int, default=CUSTOMERS, help=f"how many; {CUSTOMERS} where not said")

    def handle(self, **options: Any) -> None:
        if options["if_empty"] and not is_empty():
            return
        begun = time.monotonic()
        try:
            loaded = load(clock.now(), replace=options["replace"], seed=options["seed"], count=options["customers"])
        except NotEmpty as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(
            f"The demo workspace is ready: {loaded.customers:,} customers, {loaded.events:,} events, "
            f"{loaded.enrolled:,} enrolled in the win-back campaign ({time.monotonic() - begun:.1f} s)."
        )
