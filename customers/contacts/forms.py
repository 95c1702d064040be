"""Forms of a contact, and of what they agreed to."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.http import QueryDict

from customers.contacts.editing import FIELDS
from customers.custom.asking import Asking
from customers.custom.definitions import defined
from customers.models import Consent, Contact, ContactConsent, CustomField
from retention.common import clock
from retention.common.days import Day
from retention.common.phone_digits import check_number
from retention.workspace.forms import zone_choices


class ContactForm(Asking, forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    """`opened` says which state of the contact the person saw when they began to type."""

    opened = forms.CharField(widget=forms.HiddenInput, required=False)
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
        self.ask(defined(CustomField.About.CONTACT), self.instance.attributes)
        self.fields["name"].widget.attrs["autofocus"] = not self.instance.pk
        if self.instance.pk:
            self.initial["opened"] = self.instance.updated_at.isoformat()

    def clean_opened(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["opened"]) if self.cleaned_data["opened"] else None
        except ValueError as error:
            raise forms.ValidationError("Open the contact again and repeat the change.") from error

    def clean_phone(self) -> str:
        typed = str(self.cleaned_data["phone"])
        if "phone" in self.changed_data:
            check_number(typed)
        return typed

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

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, by the model's fields; of those that it asks for."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.fields}

    def going_on_from(self, stands: Contact) -> "ContactForm":
        """The same form with what was typed, from the state that somebody else saved."""
        typed = QueryDict(mutable=True)
        typed.update(self.data)
        typed["opened"] = stands.updated_at.isoformat()
        return ContactForm(typed, instance=stands)


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
