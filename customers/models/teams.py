"""Teams: colleagues who look after customers together."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from retention.workspace.models import User


class Team(models.Model):
    """A team, who is in it and who leads it."""

    name = models.CharField(max_length=60)
    members = models.ManyToManyField(User, blank=True, related_name="teams")
    lead = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="team_once"),
            models.CheckConstraint(condition=~Q(name=""), name="team_has_name"),
        ]

    def __str__(self) -> str:
        return self.name
