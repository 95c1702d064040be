"""Forms of the settings of health: a profile with its inputs, and what holds for every profile."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from customers.health import inputs
from customers.health.inputs import HIGHEST_WEIGHT, Input
from customers.models import HealthProfile, HealthSettings, Segment
from retention.common.opened import OpenedForm

FURTHEST = 1_000_000
ENDS = {"worst": "0 points at", "best": "100 points at"}
COLUMNS = {"weight": "Weight", **ENDS}


@dataclass(frozen=True)
class Row:
    """An input with the fields of its weight and its ends, each with its column's heading."""

    given: Input
    fields: list[tuple[str, BoundField]]


class ProfileForm(OpenedForm):
    """`for_segment`: of a segment's customers, else of everybody else.

    The inputs are fields `weight_KEY`, `worst_KEY` and `best_KEY`; `inputs` is what they say.
    """

    beside = ("inputs",)

    class Meta:
        model = HealthProfile
        fields = ("name", "segment")
        help_texts = {"segment": "Whoever is in it is measured by this, unless a profile before it is theirs already."}

    def __init__(self, *args: Any, for_segment: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if for_segment:
            about = self.Meta.help_texts["segment"]
            self.fields["segment"] = forms.ModelChoiceField(
                Segment.objects.order_by("name"), help_text=about, empty_label="Choose a segment"
            )
        else:
            del self.fields["segment"]
        for given in inputs.every().values():
            self._add(given, self.instance.inputs.get(given.key, {}))

    def _add(self, given: Input, said: dict[str, int]) -> None:
        weight = forms.IntegerField(min_value=0, max_value=HIGHEST_WEIGHT, label=f"Weight of {given.label}")
        self.fields[f"weight_{given.key}"] = weight
        self.initial[f"weight_{given.key}"] = said.get("weight", 0)
        for end, label in ENDS.items():
            least = 0 if given.is_age else -FURTHEST
            self.fields[f"{end}_{given.key}"] = forms.IntegerField(
                min_value=least, max_value=FURTHEST, label=f"{given.label}: {label}"
            )
            self.initial[f"{end}_{given.key}"] = said.get(end, getattr(given, end))

    @property
    def columns(self) -> Iterable[str]:
        return COLUMNS.values()

    @property
    def rows(self) -> Iterator[Row]:
        for key, given in inputs.every().items():
            yield Row(given, [(heading, self[f"{end}_{key}"]) for end, heading in COLUMNS.items()])

    @property
    def inputs(self) -> dict[str, dict[str, int]]:
        return {key: {end: self.cleaned_data[f"{end}_{key}"] for end in COLUMNS} for key in inputs.every()}

    @property
    def draft(self) -> HealthProfile:
        """The profile as the form says it."""
        profile: HealthProfile = self.instance
        profile.inputs = self.inputs
        return profile

    def clean_segment(self) -> Segment:
        segment: Segment = self.cleaned_data["segment"]
        if HealthProfile.objects.filter(segment=segment).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Another profile is for this segment already.")
        return segment

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        for key, given in inputs.every().items():
            worst, best = said.get(f"worst_{key}"), said.get(f"best_{key}")
            if worst is None or best is None:
                continue
            if worst == best:
                self.add_error(f"best_{key}", "Give it another value than 0 points have.")
            elif given.is_age and worst < best:
                self.add_error(f"best_{key}", "The longer ago, the fewer points: give it fewer days.")
        if not any(said.get(f"weight_{key}", 1) for key in inputs.every()):
            self.add_error(None, "Give at least one input a weight.")
        return said


class SettingsForm(OpenedForm):
    class Meta:
        model = HealthSettings
        fields = ("good_from", "watch_from", "least_coverage", "drop_points", "drop_days", "drop_by_band")
        labels = {
            "good_from": "Good from",
            "watch_from": "Watch from",
            "least_coverage": "Least coverage, in percent",
            "drop_points": "A drop is so many points",
            "drop_days": "within so many days",
            "drop_by_band": "A worse band is a drop too, however small the fall",
        }
        help_texts = {
            "watch_from": "Below that it is poor.",
            "least_coverage": "With data for less of the weight there is no score: too little is known.",
        }

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        good, watch = said.get("good_from"), said.get("watch_from")
        if good is not None and watch is not None and not 0 < watch < good <= 100:
            self.add_error("watch_from", "Watch begins above 0 and below good, and good at 100 at most.")
        for name, most in (("least_coverage", 100), ("drop_points", 100), ("drop_days", 365)):
            if name in said and not 1 <= said[name] <= most:
                self.add_error(name, f"Give a number from 1 to {most}.")
        return said
