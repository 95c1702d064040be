"""Keeping teams. Segments ask for a team by its name, so a change of it has its customers looked at again."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from customers.facts import dirty
from customers.models import Customer, Team
from retention.workspace.models import User


class NameTaken(Exception):
    """Another team has this name."""


def keep(team: Team, members: Iterable[User]) -> None:
    """Store a new or changed team with its members. Raises NameTaken."""
    try:
        with transaction.atomic():
            team.save()
            team.members.set(members)
            dirty.mark_where(Customer.objects.filter(team=team))
    except IntegrityError as taken:
        raise NameTaken from taken


@transaction.atomic
def dissolve(team: Team) -> int:
    """Delete a team. Its customers keep their owners and have no team; returns how many that are."""
    customers = Customer.objects.filter(team=team)
    dirty.mark_where(customers)
    number = customers.count()
    team.delete()
    return number
