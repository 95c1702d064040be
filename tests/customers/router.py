"""The router's loop as far as the customers' room goes: facts, stages, segments, no journeys."""

from django.db import transaction

from customers.events.routing import claim, settle
from customers.reaction import react


def route(limit: int = 100) -> None:
    while True:
        with transaction.atomic():
            batch = claim(limit)
            if not batch:
                return
            react(batch)
            settle(batch)
