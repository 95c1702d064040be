"""What has been given away so far, and how much it could be at most."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from customers.models import Customer
from retention.workspace.models import User


class Budget(models.Model):
    """What granted offers cost in one period: for a customer in a calendar year, or by a person in a calendar month.

    Written by the database alone, with each offer granted or withdrawn. `ceiling` is the limit that the latest grant
    was under: the database refuses a grant that goes beyond its own, whoever else grants at the same moment.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="+", db_index=False)
    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", db_index=False)
    begins = models.DateField()
    currency = models.CharField(max_length=3)
    spent = models.DecimalField(max_digits=18, decimal_places=4, default=0, db_default=0)
    ceiling = models.DecimalField(max_digits=18, decimal_places=4, null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False, person__isnull=True)
                | Q(customer__isnull=True, person__isnull=False),
                name="budget_of_customer_or_person",
            ),
            models.UniqueConstraint(
                fields=["customer", "begins", "currency"],
                condition=Q(customer__isnull=False),
                name="budget_of_customer_and_year",
            ),
            models.UniqueConstraint(
                fields=["person", "begins", "currency"],
                condition=Q(person__isnull=False),
                name="budget_of_person_and_month",
            ),
            models.CheckConstraint(condition=Q(spent__gte=0), name="budget_not_negative"),
            models.CheckConstraint(
                condition=Q(ceiling__isnull=True) | Q(spent__lte=F("ceiling")), name="budget_within_ceiling"
            ),
        ]
