"""What somebody fills in to make an offer, to decide on one, and to set limits."""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from loyalty.authorising import DECIDERS
from loyalty.costing import Terms
from loyalty.models import Authority, Kind, Offer, Policy, Reason
from retention.common.opened import OpenedForm
from retention.workspace.models import User
from retention.workspace.roles import Role
from retention.workspace.templatetags.shell import plain

MOST_MONTHS = 24


class TermsForm(forms.Form):
    """What is given. Of its parts only those of the chosen kind are asked for."""

    kind = forms.ChoiceField(choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.DISCOUNT)
    percent = forms.DecimalField(
        label="Discount in %", min_value=Decimal("0.01"), max_value=100, max_digits=5, decimal_places=2
    )
    amount = forms.DecimalField(label="Amount", min_value=Decimal("0.01"), max_value=10_000_000, decimal_places=2)
    plan = forms.CharField(label="To the plan", max_length=100)
    difference = forms.DecimalField(
        label="What it costs more a month",
        min_value=Decimal("0.01"),
        max_value=10_000_000,
        decimal_places=2,
    )
    months = forms.IntegerField(label="For how many months", min_value=1, max_value=MOST_MONTHS)
    sessions = forms.IntegerField(label="How many sessions", min_value=1, max_value=20)

    NEEDED = {
        Kind.DISCOUNT: ("percent", "months"),
        Kind.CREDIT: ("amount",),
        Kind.FREE_MONTHS: ("months",),
        Kind.UPGRADE: ("plan", "difference", "months"),
        Kind.TRAINING: ("sessions",),
    }

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "kind" not in said:
            return said
        needed = self.NEEDED[Kind(said["kind"])]
        for name in {name for names in self.NEEDED.values() for name in names}.difference(needed):
            self.errors.pop(name, None)  # what is not part of this offer may say what it likes
        return said

    @property
    def terms(self) -> Terms:
        said = self.cleaned_data
        kind = Kind(said["kind"])
        given = {name: said[name] for name in self.NEEDED[kind]}
        if "difference" in given:
            given["amount"] = given.pop("difference")
        return Terms(kind, **given)


class OfferForm(TermsForm):
    """The whole of it. `agreed` is the cost and the way that the person saw when they pressed the button."""

    reason = forms.ChoiceField(label="Why they might leave", choices=[("", "Choose one"), *Reason.choices])
    note = forms.CharField(
        label="What else whoever decides should know",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    once = forms.UUIDField(widget=forms.HiddenInput)

    @staticmethod
    def usual() -> dict[str, Any]:
        return {"percent": 10, "months": 3, "sessions": 1, "once": uuid.uuid4()}

    @classmethod
    def like(cls, offer: Offer) -> dict[str, Any]:
        """An offer made before, to be made in another way: what is not part of it is as usual."""
        whole = {name: getattr(offer, name) for name in ("kind", "percent", "amount", "plan", "months", "sessions")}
        said = whole | {"difference": offer.amount, "reason": offer.reason, "note": offer.note}
        typed = {name: plain(value) if isinstance(value, Decimal) else value for name, value in said.items()}
        return cls.usual() | {name: value for name, value in typed.items() if value}


class AnswerForm(forms.Form):
    """An approver's answer; to say no takes a word of why."""

    act = forms.ChoiceField(choices=[("approve", "Approve"), ("decline", "Decline"), ("hand_on", "Hand on")])
    answer = forms.CharField(max_length=500, required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("act") == "decline" and not said.get("answer"):
            self.add_error("answer", "Say in a word why not: they have to explain it to the customer.")
        return said


def deciders() -> QuerySet[User]:
    return User.objects.filter(is_active=True, role__in=DECIDERS).order_by("first_name", "last_name", "email")


class AuthorityForm(OpenedForm):
    class Meta:
        model = Authority
        fields = [
            "discount_most",
            "credit_most",
            "free_months_most",
            "upgrade_most",
            "training_most",
            "offer_most",
            "customer_year_most",
            "month_most",
            "margin_floor",
            "approver",
        ]
        labels = {
            "discount_most": "Discount, in %",
            "credit_most": "Credit",
            "free_months_most": "Free months",
            "upgrade_most": "Months of an upgrade",
            "training_most": "Training sessions",
            "offer_most": "One offer may cost",
            "customer_year_most": "For one customer in a calendar year",
            "month_most": "For all customers in a calendar month",
            "margin_floor": "Margin that must be left, in %",
            "approver": "Above these limits ask",
        }
        help_texts = {
            "margin_floor": "Of the customer's revenue in a year, after all that they were given this year.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        approver = self.fields["approver"]
        assert isinstance(approver, forms.ModelChoiceField)  # noqa: S101
        approver.queryset = deciders().exclude(pk=self.instance.person_id)
        approver.empty_label = "Any administrator"


def unlimited() -> list[tuple[str, str]]:
    """Roles and people who have no limits written down yet, as role:name or person:id."""
    taken = set(Authority.objects.values_list("role", flat=True))
    roles = [(f"role:{role}", f"Every {Role(role).label.lower()}") for role in reversed(DECIDERS) if role not in taken]
    return roles + [(f"person:{user.pk}", f"{user} alone") for user in deciders().filter(authority=None)]


class NewAuthorityForm(AuthorityForm):
    """Limits that are written down for the first time: first of all, whose."""

    whose = forms.ChoiceField(choices=unlimited)
    field_order = ["whose"]

    def clean_whose(self) -> str:
        whose: str = self.cleaned_data["whose"]
        kind, _, name = whose.partition(":")
        if kind == "role":
            self.instance.role = name
        else:
            self.instance.person_id = int(name)
        return whose

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("approver") and said["approver"].pk == self.instance.person_id:
            self.add_error("approver", "Nobody approves their own offers: choose somebody else.")
        return said


class PolicyForm(OpenedForm):
    class Meta:
        model = Policy
        fields = ["training_cost", "days_to_answer"]
        labels = {"training_cost": "One training session costs us", "days_to_answer": "Days an approver has to answer"}
