"""The form of a customer."""

import re
from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.html import format_html

from customers.custom.definitions import defined
from customers.custom.record_form import RecordForm
from customers.models import Customer, FormerId, Team
from customers.records.editing import FIELDS
from customers.work.forms import workers
from retention.common.languages import Language
from retention.workspace.forms import zone_choices
from retention.workspace.models import User

#: So many tags a person may give, of so many characters; who has more of them from elsewhere keeps them.
TAGS, TAG_LENGTH = 30, 50


class CustomerForm(RecordForm):
    shared_email = forms.BooleanField(
        required=False, label="They share this address", help_text="Each of them gets mail of their own at it."
    )
    owner = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")
    team = forms.ModelChoiceField(Team.objects.all(), required=False, empty_label="None")
    language = Language(required=False)
    time_zone = forms.ChoiceField(choices=lambda: zone_choices("The workspace's"), required=False)
    tags = SimpleArrayField(forms.CharField(), required=False)
    external_id = forms.CharField(
        max_length=200,
        required=False,
        label="Id",
        help_text="How your other systems know them. Left empty, one is made.",
    )

    class Meta:
        model = Customer
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begin(defined())
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)  # noqa: S101
        owner.queryset = workers(self.instance.owner_id)
        self.fields["country"].widget.attrs["list"] = "countries"
        self.fields["source"].label = "Came by"
        self.fields["is_key_account"].help_text = "One of those you would least like to lose."
        self.fields["persona"].help_text = "What kind of buyer they are, in your own words."
        self.fields["tags"].help_text = "With commas between them."
        self.fields["name"].widget.attrs["autofocus"] = not self.instance.pk
        if self.instance.pk:
            self.fields["external_id"].required = True
            self.fields["email"].help_text = "Another address has to be agreed to anew."
            self.fields["external_id"].help_text = "How your other systems know them. Imports find the customer by it."

    def clean_tags(self) -> list[str]:
        """Each tag once, in the order given."""
        tags = list(dict.fromkeys(tag.strip() for tag in self.cleaned_data["tags"] if tag.strip()))
        long = next((tag for tag in tags if len(tag) > TAG_LENGTH), "")
        if long:
            raise forms.ValidationError(
                f"A tag has at most {TAG_LENGTH} characters, “{long[:20]}…” has {len(long)}. Put commas between tags."
            )
        if len(tags) > max(TAGS, len(self.instance.tags)):
            raise forms.ValidationError(f"A customer can be given {TAGS} tags, these are {len(tags)}.")
        return tags

    @property
    def asks_about_sharing(self) -> bool:
        """Whether somebody else has the address: only then it is asked if they share it."""
        return "shared_email" in self.data or self.has_error("email", "taken")

    def _check_address(self, email: str) -> None:
        """An address that another customer has is taken only where the person says that they share it."""
        known = Customer.objects.alias(low=Lower("email")).filter(low=email.lower()).exclude(pk=self.instance.pk)
        other = known.first() if email and "email" in self.changed_data else None
        if other and not self.cleaned_data.get("shared_email"):
            said = format_html(
                '<a href="{}">{}</a> has this address already. If it is somebody else who shares it, say so below.',
                reverse("customers:detail", args=[other.pk]),
                other,
            )
            self.add_error("email", forms.ValidationError(said, code="taken"))

    def clean_external_id(self) -> str:
        """An id that leads to somebody since a merge stays theirs."""
        given = str(self.cleaned_data["external_id"])
        former = FormerId.objects.filter(external_id=given).select_related("customer").first() if given else None
        if former:
            raise forms.ValidationError(f"This id is {former.customer}'s since a merge.")
        return given

    def clean_country(self) -> str:
        """A name or a code: letters, with what stands between the words of a country's name."""
        country = str(self.cleaned_data["country"])
        if re.search(r"[^\w\s.,'’()&/-]|[\d_]", country):
            raise forms.ValidationError("Give the name of a country or its code, in letters.")
        return country

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        self._check_address(said.get("email", ""))
        if not any(said.get(name, getattr(self.instance, name)) for name in ("name", "email", "external_id")):
            self.add_error("name", "Give a name, an e-mail address or an id, so that the customer can be found again.")
        return said
