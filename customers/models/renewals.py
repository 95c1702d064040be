"""What an account manager expects of a renewal."""

from django.db import models

from customers.models.subscriptions import Subscription
from retention.common import clock
from retention.workspace.models import User


class Forecast(models.TextChoices):
    COMMITTED = "committed", "Committed"
    LIKELY = "likely", "Likely"
    AT_RISK = "at_risk", "At risk"


class RenewalForecast(models.Model):
    """What somebody expects of a subscription's renewal. It is about the one of `renews_at`: the next has none yet.

    What was said before is kept as events (renewal.forecast).
    """

    subscription = models.OneToOneField(Subscription, models.CASCADE, primary_key=True, related_name="forecast")
    renews_at = models.DateTimeField()
    forecast = models.CharField(max_length=10, choices=Forecast)
    note = models.CharField(max_length=500, blank=True)
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(forecast__in=["committed", "likely", "at_risk"]), name="forecast_is_one_of_three"
            )
        ]

    def __str__(self) -> str:
        return self.get_forecast_display()
