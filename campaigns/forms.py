"""What a marketer fills in: the journey, its e-mail, an address to suppress."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Q

from campaigns.models import Campaign, EmailStep
from campaigns.previewing import check_syntax
from campaigns.rendering.sandbox import Texts
from customers.models import Segment
from surveys.models import Survey

HOURS = {"hours": 1, "days": 24, "weeks": 168}


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    """Whom the journey takes in, who is held out, when it lets go."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Campaign
        fields = (
            "name",
            "segment",
            "take_present",
            "not_in",
            "rest_days",
            "spare_controls",
            "again_days",
            "holdout_share",
            "goal_days",
            "version",
        )
        labels: ClassVar[dict[str, str]] = {
            "segment": "Customers who enter",
            "take_present": "Also those who are in it at the launch",
            "not_in": "Leave out the segment",
            "rest_days": "Rested for so many days",
            "spare_controls": "Leave out whom another campaign holds out",
            "again_days": "May enter again after days",
            "holdout_share": "Held out, in percent",
            "goal_days": "Days to order in",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "take_present": "Otherwise only those who enter it later.",
            "rest_days": "Since the last message they got from you. 0: at any time.",
            "spare_controls": "Until that campaign has judged them. Otherwise this one blurs what it measures.",
            "again_days": "Since they last entered. Empty: never again. 0: as soon as they have left it.",
            "holdout_share": "They are chosen by lot and get nothing. The effect is measured against them.",
            "goal_days": "An order within so many days of entering meets the goal, and ends the journey.",
        }
        widgets: ClassVar[dict[str, Any]] = {
            "rest_days": forms.NumberInput(attrs={"min": 0, "max": 365}),
            "again_days": forms.NumberInput(attrs={"min": 0, "max": 3650}),
            "holdout_share": forms.NumberInput(attrs={"min": 0, "max": 90, "step": "0.1"}),
            "goal_days": forms.NumberInput(attrs={"min": 1, "max": 365}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.opened = self.instance.version
        for name in ("segment", "not_in"):
            field = self.fields[name]
            field.queryset = Segment.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["segment"].empty_label = "Choose a segment"  # type: ignore[attr-defined]
        self.fields["not_in"].empty_label = "Nobody"  # type: ignore[attr-defined]
        self.fields["version"].initial = self.instance.version

    def clean_version(self) -> int:
        """What was opened, not what stands by now."""
        version = self.cleaned_data["version"]
        return self.opened if version is None else int(version)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("segment") and said.get("segment") == said.get("not_in"):
            self.add_error("not_in", "This is the segment that comes in: nobody would be left.")
        return said


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    """The e-mail and when it goes."""

    wait = forms.IntegerField(label="Wait", min_value=0, max_value=1_000, initial=0)
    wait_unit = forms.ChoiceField(label="Unit", choices=[(unit, unit) for unit in HOURS], initial="days")
    give_up_days = forms.IntegerField(
        label="Give up after days",
        min_value=1,
        max_value=90,
        initial=7,
        help_text="If it could not be sent by then, it is not sent any more.",
    )

    class Meta:
        model = EmailStep
        fields = ("subject", "preheader", "body", "survey")
        labels: ClassVar[dict[str, str]] = {"preheader": "Preview line", "body": "E-mail, as HTML with Liquid"}
        help_texts: ClassVar[dict[str, str]] = {
            "preheader": "Mail programs show it beside the subject.",
            "body": "Your name, postal address and the link to unsubscribe are added below it.",
            "survey": "Its links are {{ survey.url }} and {{ survey.score_urls }}.",
        }
        widgets: ClassVar[dict[str, Any]] = {
            "body": forms.Textarea(attrs={"rows": 18, "class": "mono", "spellcheck": "true", "data-tab-leaves": ""}),
        }

    field_order = ("wait", "wait_unit", "subject", "preheader", "body", "survey", "give_up_days")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        step: EmailStep = self.instance
        survey = self.fields["survey"]
        survey.queryset = Survey.objects.filter(Q(closed_at=None) | Q(pk=step.survey_id))  # type: ignore[attr-defined]
        survey.empty_label = "None"  # type: ignore[attr-defined]
        self.initial["wait"], self.initial["wait_unit"] = _in_units(step.wait_hours)
        self.initial["give_up_days"] = max(1, step.send_within_hours // 24)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if problem := check_syntax(self.texts):
            self.add_error("body", f"The Liquid can't be read: {problem}.")
        self.instance.wait_hours = (said.get("wait") or 0) * HOURS[said.get("wait_unit") or "days"]
        self.instance.send_within_hours = (said.get("give_up_days") or 7) * 24
        return said

    @property
    def texts(self) -> Texts:
        said = self.cleaned_data
        return Texts(said.get("subject", ""), said.get("preheader", ""), said.get("body", ""))


def _in_units(hours: int) -> tuple[int, str]:
    """24 → 1 day; 36 → 36 hours."""
    unit = next(unit for unit in ("weeks", "days", "hours") if hours % HOURS[unit] == 0)
    return hours // HOURS[unit], unit if hours else "days"


class PreviewForm(forms.Form):
    """A text, and whom to fill it in for."""

    subject = forms.CharField(required=False, max_length=200)
    preheader = forms.CharField(required=False, max_length=200)
    body = forms.CharField(required=False, max_length=200_000, strip=False)
    survey = forms.ModelChoiceField(Survey.objects.all(), required=False)
    preview_as = forms.CharField(required=False, max_length=254)

    @property
    def texts(self) -> Texts:
        said = self.cleaned_data
        return Texts(said["subject"], said["preheader"], said["body"])

    @property
    def asks(self) -> bool:
        return self.cleaned_data["survey"] is not None


class SuppressionForm(forms.Form):
    address = forms.EmailField(label="E-mail address", max_length=254)
    note = forms.CharField(label="Why", required=False, max_length=150)
