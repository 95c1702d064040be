"""What a segment is called; its rule is read by `drafts`."""

from customers.models import Segment
from retention.common.opened import OpenedForm


class SegmentForm(OpenedForm):
    beside = ("rule",)

    class Meta:
        model = Segment
        fields = ("name", "description")
        error_messages = {"name": {"unique": "There is a segment of that name already."}}
        help_texts = {"description": "What it is for, for whoever comes upon it."}
