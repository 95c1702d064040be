"""The form of a custom field's definition."""

import re
from typing import Any
from unicodedata import normalize

from django import forms

from customers.custom.definitions import Draft
from customers.models import CustomField
from retention.common.opened import OpenedForm

MOST_CHOICES = 200


class FieldForm(OpenedForm):
    """`field`: the one to change; its key and type are no longer asked for."""

    label = forms.CharField(max_length=60, help_text="As people read it.")
    type = forms.ChoiceField(choices=CustomField.Type)
    key = forms.CharField(
        max_length=40,
        required=False,
        help_text="How imports, segments and texts name it: small letters, digits and underscores."
        " Left empty, it is made from the label. It stays as it is once the field is made.",
    )
    choices = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6}),
        required=False,
        help_text="One on each line, in the order in which they are offered. Only for a list.",
    )
    help = forms.CharField(max_length=200, required=False, help_text="Shown below the field in the form.")
    required = forms.BooleanField(
        required=False,
        label="Required",
        help_text="The form insists on it. A file may leave it out.",
    )

    class Meta:
        model = CustomField
        fields = ("label", "choices", "help", "required")

    def __init__(self, *args: Any, field: CustomField | None = None, **kwargs: Any) -> None:
        super().__init__(*args, instance=field, **kwargs)
        self._type = field.type if field else ""
        if field:
            del self.fields["key"], self.fields["type"]
            if not field.lists:
                del self.fields["choices"]
            self.initial["choices"] = "\n".join(field.choices)

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"]).lower().replace("-", "_")
        if key and not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise forms.ValidationError("Begin with a letter; go on with small letters, digits and underscores.")
        return key

    def clean_choices(self) -> list[str]:
        """Each choice once, in the order given."""
        lines = (" ".join(line.split()) for line in self.cleaned_data["choices"].splitlines())
        choices = list(dict.fromkeys(line for line in lines if line))
        if any(len(choice) > 100 for choice in choices) or len(choices) > MOST_CHOICES:
            raise forms.ValidationError(f"Give at most {MOST_CHOICES} choices of at most 100 characters.")
        return choices

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        lists = (self._type or said.get("type")) in CustomField.LISTS
        if lists and "choices" not in self.errors and not said.get("choices"):
            self.add_error("choices", "A list needs at least one choice.")
        if not lists:
            said["choices"] = []
        if "key" in self.fields and not said.get("key") and "key" not in self.errors:
            said["key"] = key_from(said.get("label", ""))
        return said

    def _post_clean(self) -> None:
        """Left out: it would write what was typed on the field that stands. `definitions` checks what only it can."""

    @property
    def draft(self) -> Draft:
        said = self.cleaned_data
        return Draft(said["label"], said["choices"], said["help"], said["required"])


def key_from(label: str) -> str:
    """Account tier → account_tier, Größe → grosse; where nothing of the label can stand in a key, "field"."""
    letters = normalize("NFKD", label.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:40].strip("_")
    return plain if plain[:1].isalpha() else f"field_{plain}".strip("_")[:40]
