"""What people fill in: customers their answer, staff a survey or an answer they heard."""

from typing import ClassVar

from django import forms

from surveys.answering import Said
from surveys.models import Answer


class AnswerForm(forms.Form):
    """A score of 0–10, then why."""

    SCORES: ClassVar[list[tuple[str, str]]] = [(str(score), str(score)) for score in range(11)]

    score = forms.ChoiceField(
        choices=SCORES,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Please choose a number from 0 to 10.",
            "invalid_choice": "Please choose a number from 0 to 10.",
        },
    )
    comment = forms.CharField(
        required=False,
        max_length=Answer._meta.get_field("comment").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def said(self) -> Said:
        return Said(score=int(self.cleaned_data["score"]), comment=self.cleaned_data["comment"])
