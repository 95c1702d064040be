"""What somebody fills in to hand customers over."""

from typing import Any

from django import forms

from customers.handover.handing import Wish
from customers.models import Customer, HandedCustomer, Segment, Team
from customers.records.bulk import TagField, tags_of
from customers.records.filters import Filters
from customers.work.forms import workers
from retention.common.opened import OpenedForm
from retention.common.sent import whole
from retention.workspace.models import User
from retention.workspace.roles import Can


class Chosen(forms.TypedMultipleChoiceField):
    """Numbers of rows, to be looked for among those that whoever asks may have."""

    def valid_value(self, value: Any) -> bool:
        return whole(str(value)) is not None


class HandOverForm(forms.Form):
    """Whose: one's own, or for an administrator anybody's.

    `seen` is how many customers the dry run was about; `ticked` says that each had a box, and `only` are those ticked.
    """

    giver = forms.ModelChoiceField(User.objects.none(), label="Whose customers", empty_label=None)
    receiver = forms.ModelChoiceField(workers(), label="Go to", empty_label="Choose a colleague")
    segment = forms.ModelChoiceField(
        Segment.objects.order_by("name"), label="In the segment", required=False, empty_label="All"
    )
    team = forms.ModelChoiceField(Team.objects.all(), label="In the team", required=False, empty_label="Any")
    key = forms.BooleanField(label="Key accounts only", required=False)
    note = forms.CharField(
        label="What your colleague should know",
        max_length=5_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    ticked = forms.BooleanField(widget=forms.HiddenInput, required=False)
    only = Chosen(coerce=int, required=False)

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = User.objects.filter(customers__isnull=False).distinct().order_by("first_name", "last_name", "email")
        field = self.fields["giver"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = owners if by.can(Can.ADMINISTER) else User.objects.filter(pk=by.pk)
        theirs = Customer.objects.filter(owner__in=field.queryset)
        self.fields["tag"] = TagField(tags_of(theirs), label="With the tag", required=False)
        receiver = self.fields["receiver"]
        assert isinstance(receiver, forms.ModelChoiceField)  # noqa: S101
        receiver.queryset = workers() if by.can(Can.ADMINISTER) else workers().exclude(pk=by.pk)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("giver") and said.get("giver") == said.get("receiver"):
            self.add_error("receiver", "They look after them already.")
        return said

    @property
    def wish(self) -> Wish:
        said = self.cleaned_data
        filters = Filters(
            segment=str(said["segment"].pk) if said["segment"] else "",
            team=str(said["team"].pk) if said["team"] else "",
            tag=said["tag"],
            key="yes" if said["key"] else "",
        )
        return Wish(said["giver"], said["receiver"], filters, said["note"], said["only"] if said["ticked"] else None)


class NoteForm(OpenedForm):
    class Meta:
        model = HandedCustomer
        fields = ["note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}
