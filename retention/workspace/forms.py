"""Forms of the settings: the workspace, its people, one's own account."""

import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.files.uploadedfile import UploadedFile

from retention.common.currencies import check_currency
from retention.common.opened import OpenedForm
from retention.common.uploads import EMPTY
from retention.workspace.logo import check_logo
from retention.workspace.models import User, Workspace


def zone_choices(empty: str = "") -> list[tuple[str, str]]:
    names = [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones()) if "/" in name]
    return [*([("", empty)] if empty else []), ("UTC", "UTC"), *names]


class WorkspaceForm(OpenedForm):
    time_zone = forms.ChoiceField(choices=zone_choices)
    currency = forms.CharField(
        max_length=3,
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "size": 3}),
        help_text="Its three letters, such as EUR. Figures are told in it.",
    )

    class Meta:
        model = Workspace
        fields = [
            "name",
            "logo",
            "colour",
            "time_zone",
            "currency",
            "basis",
            "activity_window",
            "margin_share",
            "sender_name",
            "sender_address",
            "postal_address",
            "messages_per_day",
            "quiet_from",
            "quiet_until",
        ]
        error_messages: ClassVar[dict[str, dict[str, str]]] = {"logo": {"empty": EMPTY}}
        labels = {
            "colour": "Accent colour",
            "basis": "A customer is active who has",
            "margin_share": "Margin",
            "sender_name": "Sender's name",
            "sender_address": "Sender's address",
            "quiet_from": "No messages from",
            "quiet_until": "until",
        }
        help_texts = {
            "name": "Customers see it on surveys, mail and public pages.",
            "logo": "PNG, JPEG or WebP, at most 256 KB.",
            "colour": "For buttons and links. Shades that read well on light and dark are made from it.",
            "activity_window": "So long after an order or a use a customer still counts as active.",
            "margin_share": "Share of revenue that stays, in percent. Effects of campaigns are told in margin.",
            "quiet_from": "In the customer's own time zone.",
        }
        widgets = {
            "logo": forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
            "colour": forms.TextInput(attrs={"type": "color", "class": "form-control-color"}),
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def clean_logo(self) -> Any:
        file = self.cleaned_data["logo"]
        if isinstance(file, UploadedFile):
            file.name = f"logo{check_logo(file).suffix}"
        return file

    def clean_currency(self) -> str:
        check_currency(self.cleaned_data["currency"])
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if bool(said.get("quiet_from")) != bool(said.get("quiet_until")):
            self.add_error("quiet_until", "Give both ends of the quiet hours, or neither.")
        return said


class FirstPersonForm(forms.Form):
    company = forms.CharField(label="Your company's name", max_length=100)
    email = forms.EmailField(label="Your e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    time_zone = forms.ChoiceField(choices=zone_choices, initial="UTC", help_text="Days and months begin by it.")
    currency = forms.CharField(
        max_length=3, initial="EUR", help_text="Its three letters. Figures are told in it.", validators=[check_currency]
    )

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self.cleaned_data.get("email", "")))
        return password

    def save(self) -> User:
        said = self.cleaned_data
        Workspace.objects.update(name=said["company"], time_zone=said["time_zone"], currency=said["currency"].upper())
        return User.objects.create_superuser(said["email"], said["password"])


class NewPersonForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    class Meta:
        model = User
        fields = ["email", "first_name", "last_name", "role"]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("Somebody with this address is already here.")
        return email


class PersonForm(OpenedForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "role"]


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    time_zone = forms.ChoiceField(
        choices=lambda: zone_choices("The workspace's"),
        required=False,
        help_text="Times are shown in it.",
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "time_zone"]
