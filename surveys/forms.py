"""What people fill in: customers their answer, staff a survey or an answer they heard."""

from typing import Any, ClassVar

from django import forms

from customers.work.forms import CustomerField
from retention.common.opened import OpenedForm
from surveys.answering import Said
from surveys.models import Answer, Survey

CHOOSE = "Please choose a number from 0 to 10."


class AnswerForm(forms.Form):
    """A score of 0–10, then why."""

    SCORES: ClassVar[list[tuple[str, str]]] = [(str(score), str(score)) for score in range(11)]

    score = forms.ChoiceField(
        choices=SCORES, widget=forms.RadioSelect, error_messages={"required": CHOOSE, "invalid_choice": CHOOSE}
    )
    comment = forms.CharField(
        required=False,
        max_length=Answer._meta.get_field("comment").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def said(self) -> Said:
        return Said(score=int(self.cleaned_data["score"]), comment=self.cleaned_data["comment"])


class HeardForm(AnswerForm):
    """An answer somebody gave by word of mouth, typed in by staff."""

    survey = forms.ModelChoiceField(Survey.objects.filter(closed_at=None), empty_label=None)
    customer = CustomerField()

    field_order = ("customer", "survey", "score", "comment")


class SurveyForm(OpenedForm):
    class Meta:
        model = Survey
        fields = ("name", "question", "follow_up", "thanks", "open_days")
        widgets: ClassVar[dict[str, Any]] = {
            "question": forms.Textarea(attrs={"rows": 2}),
            "thanks": forms.Textarea(attrs={"rows": 2}),
            "open_days": forms.NumberInput(attrs={"min": 1, "max": 365}),
        }
        labels: ClassVar[dict[str, str]] = {"open_days": "Days to answer"}
        help_texts: ClassVar[dict[str, str]] = {
            "name": "Only people who work here see it.",
            "question": "Asked first, with a scale of 0 (not at all likely) to 10 (extremely likely).",
            "follow_up": "Asked below it; answering it is optional.",
            "thanks": "Shown once the answer has arrived.",
            "open_days": "How many days after it was sent a link can be answered.",
        }

    def clean_open_days(self) -> int:
        days: int = self.cleaned_data["open_days"]
        if not 1 <= days <= 365:
            raise forms.ValidationError("Between 1 and 365 days.")
        return days


def usual_words(company: str) -> dict[str, str]:
    """A survey's texts to begin with."""
    return {
        "question": f"How likely are you to recommend {company} to a friend or colleague?",
        "follow_up": "What is the main reason for your score?",
        "thanks": "Your answer goes straight to the people who can do something about it.",
    }
