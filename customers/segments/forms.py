"""What a segment is called; its rule is read by `drafts`."""

from django import forms

from customers.models import Segment


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    class Meta:
        model = Segment
        fields = ("name", "description")
        error_messages = {"name": {"unique": "There is a segment of that name already."}}
        help_texts = {"description": "What it is for, for whoever comes upon it."}
