"""Forms for deciding by hand: one customer, a file of them, a new list."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from customers.models import Customer, HandChange, Segment
from customers.segments import list_files
from customers.segments.explaining import named
from customers.segments.list_files import FileRefused, Found
from retention.common.uploads import EMPTY

_ACTS = {
    HandChange.Act.IN: "Put in, whatever the rule says",
    HandChange.Act.OUT: "Keep out, whatever the rule says",
    HandChange.Act.RULE: "Leave to the rule again",
}
_FILE_HINT = "A text or CSV file in UTF-8 with one customer id or e-mail address a line, or in a column of that name."


class _WithFile(forms.Form):
    file = forms.FileField(label="File", help_text=_FILE_HINT, error_messages={"empty": EMPTY})

    def clean_file(self) -> "UploadedFile[bytes]":
        """The file, with whom it names as `found`; a large one is read by a job."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        try:
            if self._is_small(file):
                self.found = list_files.find(list_files.read(file.read(), list_files.SMALL))
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return file

    def _is_small(self, file: "UploadedFile[bytes]") -> bool:
        """Raises FileRefused for one that not even a job takes."""
        if (file.size or 0) > list_files.LARGE.bytes:
            raise FileRefused(f"The file is larger than {list_files.LARGE.bytes // 1_000_000} MB. Bring it in parts.")
        return (file.size or 0) <= list_files.SMALL.bytes

    #: None where a job is to find them.
    found: Found | None = None


def _act_field() -> forms.ChoiceField:
    return forms.ChoiceField(label="What to do", choices=list(_ACTS.items()))


def _reason_field() -> forms.CharField:
    return forms.CharField(label="Why", max_length=300, required=False, help_text="Shown beside the customer.")


class DecideForm(forms.Form):
    """One customer, named by id, address or name."""

    customer = forms.CharField(label="Customer", max_length=200, help_text="Id, e-mail address or name.")
    act = _act_field()
    reason = _reason_field()

    def clean_customer(self) -> Customer:
        text = self.cleaned_data["customer"].replace("\0", "")
        found = list(named(text)[:2])
        if len(found) == 1:
            return found[0]
        why = "Several customers go by that: type the id or the address in full." if found else "Nobody goes by that."
        raise forms.ValidationError(why)


class FileForm(_WithFile):
    """Customers of a file, into a segment there is."""

    act = _act_field()
    reason = _reason_field()
    field_order = ("file", "act", "reason")


class ListForm(forms.ModelForm, _WithFile):  # type: ignore[type-arg]  # no subscript when it runs
    """A new list from a file."""

    class Meta:
        model = Segment
        fields = ("name", "description")
        error_messages = {"name": {"unique": "There is a segment of that name already."}}

    field_order: Any = ("name", "description", "file")
