"""Custom fields: what a company wants to know beyond what every customer has, each of a type."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from retention.common import clock


class CustomField(models.Model):
    """A field that the company defined. Its values are in `attributes` of what it is about, under its key.

    Key and type stay as they were made, for rules, mappings and texts name them. The database keeps values to their
    type (migration 0009), whoever writes them.
    """

    class About(models.TextChoices):
        CUSTOMER = "customer", "Customers"
        CONTACT = "contact", "Contacts"

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        LONG_TEXT = "long_text", "Long text"
        NUMBER = "number", "Number"
        MONEY = "money", "Money, in the workspace's currency"
        DATE = "date", "Date"
        YES_NO = "yes_no", "Yes or no"
        CHOICE = "choice", "One of a list"
        CHOICES = "choices", "Several of a list"
        LINK = "link", "Link"

    LISTS = (Type.CHOICE, Type.CHOICES)

    about = models.CharField(max_length=10, choices=About, default=About.CUSTOMER)
    key = models.CharField(max_length=40, db_collation="C")
    label = models.CharField(max_length=60)
    type = models.CharField(max_length=10, choices=Type)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    help = models.CharField(max_length=200, blank=True)
    required = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["about", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["about", "key"], name="custom_field_key"),
            models.CheckConstraint(condition=Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="custom_field_key_is_plain"),
            models.CheckConstraint(
                condition=Q(type__in=["choice", "choices"], choices__len__gt=0)
                | ~Q(type__in=["choice", "choices"]) & Q(choices__len=0),
                name="custom_field_choices",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def lists(self) -> bool:
        return self.type in self.LISTS

    @property
    def filters(self) -> bool:
        """Whether anybody would look for just one of its values."""
        return self.type not in (self.Type.LONG_TEXT, self.Type.LINK)
