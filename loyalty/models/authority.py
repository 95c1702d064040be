"""Who may give how much on the spot, and who is asked for more."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from retention.workspace.models import User
from retention.workspace.roles import Role

NOT_NEGATIVE = MinValueValidator(0)


def _money(label: str) -> "models.DecimalField[Decimal | int | None, Decimal | None]":
    return models.DecimalField(label, max_digits=14, decimal_places=2, null=True, blank=True, validators=[NOT_NEGATIVE])


class Authority(models.Model):
    """The limits of a role, or of one person in place of their role's. None: without limit; 0: always ask.

    Who has neither has none of their own and asks for everything; an administrator without one has no limits.
    """

    role = models.CharField(max_length=20, choices=Role, blank=True)
    person = models.OneToOneField(User, models.CASCADE, null=True, blank=True, related_name="authority")
    discount_most = models.DecimalField(
        "discount, in %",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[NOT_NEGATIVE, MaxValueValidator(100)],
    )
    credit_most = _money("credit")
    free_months_most = models.PositiveSmallIntegerField("free months", null=True, blank=True)
    upgrade_most = models.PositiveSmallIntegerField("months of an upgrade", null=True, blank=True)
    training_most = models.PositiveSmallIntegerField("training sessions", null=True, blank=True)
    offer_most = _money("cost of one offer")
    customer_year_most = _money("cost for one customer in a calendar year")
    month_most = _money("cost for all customers in a calendar month")
    margin_floor = models.DecimalField(
        "margin that must be left, in %",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(-100), MaxValueValidator(100)],
    )
    approver = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["role"], condition=~Q(role=""), name="authority_once_per_role"),
            models.CheckConstraint(
                condition=Q(role="", person__isnull=False) | (~Q(role="") & Q(person__isnull=True)),
                name="authority_of_role_or_person",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person) if self.person else str(self.get_role_display())


class Policy(models.Model):
    """What holds of offers for everybody: at most one row; without one, the defaults."""

    training_cost = models.DecimalField(
        "cost of one training session", max_digits=14, decimal_places=2, default=Decimal(150), validators=[NOT_NEGATIVE]
    )
    days_to_answer = models.PositiveSmallIntegerField(
        "days an approver has to answer", default=5, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="policy_is_single")]

    @classmethod
    def current(cls) -> "Policy":
        return cls.objects.filter(id=1).first() or cls(id=1)
