"""Forms of a contact, and of what they agreed to."""

from datetime import date
from typing import Any

from django import forms

from customers.contacts.editing import FIELDS
from customers.custom.definitions import defined
from customers.custom.record_form import RecordForm
from customers.models import Consent, Contact, ContactConsent, CustomField
from retention.common import clock
from retention.common.days import Day
from retention.common.languages import Language
from retention.workspace.forms import zone_choices


class ContactForm(RecordForm):
    language = Language(required=False)
    time_zone = forms.ChoiceField(choices=lambda: zone_choices("The customer's"), required=False)
    birthday = Day(
        required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"})
    )

    class Meta:
        model = Contact
        fields = FIELDS
        help_texts = {
            "role": "What they do there, such as buyer or head of finance.",
            "is_main": "Whom to turn to first. Takes the place of the one before.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begin(defined(CustomField.About.CONTACT))
        self.fields["name"].widget.attrs["autofocus"] = not self.instance.pk

    def clean_birthday(self) -> Any:
        day = self.cleaned_data["birthday"]
        if day and not date(1900, 1, 1) <= day <= clock.now().date():
            raise forms.ValidationError("Give a day in the past.")
        return day

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        known = any(said.get(name, getattr(self.instance, name)) for name in ("name", "email"))
        if not known and not {"name", "email"} & self.errors.keys():
            self.add_error("name" if "name" in self.fields else "email", "Give a name or an e-mail address.")
        return said

    def _post_clean(self) -> None:
        """Left out: it would write what was typed on the contact that stands. `editing` checks what only it can."""


class ConsentForm(forms.Form):
    """What a contact said about being approached on a channel."""

    channel = forms.ChoiceField(choices=ContactConsent.Channel)
    state = forms.ChoiceField(label="They", choices=[("granted", "agreed"), ("withdrawn", "opted out")])
    source = forms.CharField(label="Where they said so", max_length=100)
    proof = forms.CharField(
        label="What proves it", max_length=300, required=False, help_text="Such as a form's number or a mail's subject."
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("state") == Consent.State.GRANTED and not said.get("proof") and "proof" not in self.errors:
            self.add_error("proof", "An agreement needs something that proves it.")
        return said
