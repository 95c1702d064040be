"""What somebody fills in to agree something on a subscription. Days are those of the workspace's zone."""

from collections.abc import Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from customers.models import Interval, Subscription, SubscriptionTerm
from customers.subscriptions.agreeing import Bond, Conditions
from retention.common.currencies import check_currency
from retention.common.days import Day
from retention.workspace.models import Workspace

REASONS = (
    "Too expensive",
    "Not using it enough",
    "Something is missing",
    "Moved to another supplier",
    "Did not pay",
    "Closed down",
)


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


class AgreementForm(forms.Form):
    """Carries which state of the subscription the person saw when they began to type."""

    opened = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_opened(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["opened"]) if self.cleaned_data["opened"] else None
        except ValueError as error:
            raise forms.ValidationError("Open the subscription again and repeat the change.") from error

    def going_on_from(self, stands: Subscription) -> "AgreementForm":
        """The same form with what was typed, from the state that somebody else saved."""
        typed = QueryDict(mutable=True)
        for name in self.fields:
            if name in self.data:
                typed[name] = self.data[name]
        typed["opened"] = stands.updated_at.isoformat()
        return type(self)(typed)


class ConditionsForm(AgreementForm):
    """Start and change."""

    plan = forms.CharField(max_length=100)
    quantity = forms.IntegerField(min_value=1, max_value=1_000_000, initial=1)
    amount = forms.DecimalField(
        min_value=0,
        max_digits=14,
        decimal_places=4,
        help_text="For all of it and one interval: without tax, without one-off charges, before the discount.",
    )
    currency = forms.CharField(max_length=3, validators=[check_currency])
    interval_count = forms.IntegerField(label="Paid every", min_value=1, max_value=120, initial=1)
    interval = forms.ChoiceField(choices=[(value, f"{label.lower()}(s)") for value, label in Interval.choices])
    discount = forms.DecimalField(
        label="Discount in %", min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False
    )
    day = Day(label="From")
    renews_on = Day(
        label="Bound until",
        required=False,
        help_text="The day on which it renews or ends. Empty: it can be cancelled at any time.",
    )
    auto_renews = forms.BooleanField(label="Renews by itself on that day", required=False, initial=True)
    notice_days = forms.IntegerField(
        label="Notice period in days", min_value=0, max_value=3_650, required=False, help_text="Empty: none."
    )

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("auto_renews") is False and not said.get("renews_on"):
            said["auto_renews"] = True  # nothing ends what has no end
        if said.get("day") and said.get("renews_on") and said["renews_on"] <= said["day"]:
            self.add_error("renews_on", "It would renew before it begins.")
        return said

    @property
    def conditions(self) -> Conditions:
        said = self.cleaned_data
        names = ("plan", "quantity", "amount", "currency", "interval", "interval_count")
        return Conditions(**{name: said[name] for name in names}, discount=said["discount"] or Decimal(0))

    def bond(self, zone: tzinfo, stands: Subscription | None = None) -> Bond:
        """`stands` keeps the time of day of a renewal whose day was left as it is."""
        said = self.cleaned_data
        renews_at = None if said["renews_on"] is None else midnight(said["renews_on"], zone)
        before = stands.renews_at if stands else None
        if before and said["renews_on"] == before.astimezone(zone).date():
            renews_at = before
        return Bond(renews_at, said["notice_days"] or 0, said["auto_renews"])

    @staticmethod
    def filled_in(row: Subscription, term: SubscriptionTerm, today: date, zone: tzinfo) -> dict[str, Any]:
        """What stands, to be changed from today on."""
        names = ("plan", "quantity", "currency", "interval", "interval_count")
        return {
            **{name: getattr(term, name) for name in names},
            "amount": f"{term.amount.normalize():f}",
            "discount": f"{term.discount.normalize():f}",
            "day": max(today, term.valid_from.astimezone(zone).date()),
            "renews_on": row.renews_at and row.renews_at.astimezone(zone).date(),
            "auto_renews": row.auto_renews,
            "notice_days": row.notice_days,
            "opened": row.updated_at.isoformat(),
        }


class RenewForm(AgreementForm):
    day = Day(label="Bound until", help_text="The day on which it renews again or ends.")


class CancelForm(AgreementForm):
    day = Day(label="Ends on", help_text="The first day on which it is not in force any more.")
    reason = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"list": "reasons", "autocomplete": "off"}))


class ResumeForm(AgreementForm):
    day = Day(label="Goes on from")


def instant_of(day: date, terms: Sequence[SubscriptionTerm], zone: tzinfo) -> datetime:
    """The instant meant by a day: its midnight, or the begin or end of a term later on that same day."""
    begins = midnight(day, zone)
    instants = [at for term in terms for at in (term.valid_from, term.valid_to) if at]
    return max([begins, *(at for at in instants if at.astimezone(zone).date() == day)])


def usual(workspace: Workspace, today: date) -> dict[str, Any]:
    """What a new subscription begins with."""
    return {"currency": workspace.currency, "interval": Interval.MONTH, "day": today}
