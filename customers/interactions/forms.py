"""The form of an interaction."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from customers.interactions.keeping import FIELDS, File, handle, mentioned_in
from customers.interactions.sniffing import LARGEST, MOST, TAKEN, FileRefused, content_type
from customers.models import Contact, Customer, Interaction
from customers.work.forms import workers
from retention.common import clock
from retention.common.days import Day, conceivable
from retention.workspace.models import User, Workspace

#: By when a next step is to be done that was given no day.
NEXT = timedelta(weeks=1)


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each with what it holds, told by its bytes."""

    widget = _Files

    def clean(self, data: Any, _initial: Any = None) -> list[File]:
        files: list[UploadedFile[Any]] = [file for file in data or [] if file]
        if len(files) > MOST:
            raise forms.ValidationError(f"At most {MOST} files go with one interaction.")
        return [(file, self._kind(file)) for file in files]

    def _kind(self, file: "UploadedFile[Any]") -> str:
        try:
            return content_type(file, file.size or 0)
        except FileRefused as reason:
            raise forms.ValidationError(f"{file.name}: {reason}") from reason


class InteractionForm(forms.Form):
    """`opened` says which state the person saw when they began to type; empty for a new one."""

    opened = forms.CharField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(choices=Interaction.Kind, widget=forms.RadioSelect)
    text = forms.CharField(
        label="What was said", max_length=10_000, widget=forms.Textarea(attrs={"rows": 5, "autofocus": True})
    )
    happened_at = forms.DateTimeField(
        label="When",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        validators=[conceivable],
    )
    contact = forms.ModelChoiceField(Contact.objects.none(), label="With", required=False, empty_label="Nobody named")
    outcome = forms.CharField(max_length=200, required=False, help_text="What came of it, in a few words.")
    sentiment = forms.ChoiceField(
        label="How they felt", choices=[("", "Not said"), *Interaction.Sentiment.choices], required=False
    )
    next_step = forms.CharField(max_length=200, required=False, help_text="Becomes a task of yours.")
    next_on = Day(label="By", required=False, help_text="Empty: in a week.")
    attached = FilesField(
        label="Files", required=False, help_text=f"At most {MOST} of {LARGEST // 1024 // 1024} MB each: {TAKEN}."
    )

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["contact"]
        assert isinstance(people, forms.ModelChoiceField)  # noqa: S101
        people.queryset = Contact.objects.filter(customer=customer, removed_at=None).order_by("-is_main", "name")
        self._colleagues = list(workers())
        called = ", ".join(f"@{handle(user)}" for user in self._colleagues[:6])
        self.fields["text"].help_text = f"A colleague whom you mention gets a task: {called}." if called else ""

    def clean_happened_at(self) -> datetime:
        at: datetime = self.cleaned_data["happened_at"]
        if at > clock.now():
            raise forms.ValidationError("It has not happened yet. Log it when it has, or make a task of it.")
        return at

    def clean_next_on(self) -> date | None:
        day: date | None = self.cleaned_data["next_on"]
        if day and not 1900 <= day.year < 2200:
            raise forms.ValidationError("Give a day that a task can have.")
        return day

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "next_on" in self.errors or bool(said.get("next_step")) == bool(said.get("next_on")):
            return said
        if said.get("next_on"):
            self.add_error("next_step", "Say what is to be done by that day.")
            return said
        return said | {"next_on": timezone.localdate(clock.now(), Workspace.current().zone) + NEXT}

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, by the model's fields, and whom the text mentions."""
        mentioned: list[User] = mentioned_in(self.cleaned_data["text"], self._colleagues)
        return {name: self.cleaned_data[name] for name in FIELDS} | {"mentioned": mentioned}

    @property
    def opened_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["opened"])
        except ValueError:
            return None
