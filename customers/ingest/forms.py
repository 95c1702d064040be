"""Forms: choosing a file, saying how it is written, saying what its columns become."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.conf import settings
from django.forms import BoundField
from django.template.defaultfilters import filesizeformat

from customers.ingest import naming
from customers.ingest.field import Field
from customers.ingest.fields import BY_ID, KEEPING, WITH_ORDERS, targets
from customers.ingest.mapping import DATES, DECIMALS, TESTS, Mapping, MappingRefused, Source, StateRule, check, matches
from customers.ingest.policies import EMPTIES, POLICIES
from customers.ingest.reader import ENCODINGS, Layout
from customers.models.imports import ImportKind
from retention.common.uploads import EMPTY

GUESS = "Work it out from the file"
DELIMITER_LABELS = {"comma": "Comma", "semicolon": "Semicolon", "tab": "Tab", "whitespace": "Spaces"}
RULES = 2  # rules for the state that a form offers, at least; and always one that is free


class UploadForm(forms.Form):
    file = forms.FileField(
        help_text="CSV, plain or gzip.",
        error_messages={"empty": EMPTY},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.gz,text/csv,text/plain,application/gzip"}),
    )
    kind = forms.ChoiceField(label="What it holds", required=False)
    mapping = forms.ChoiceField(label="How to read it", required=False, help_text="Saved mappings and examples.")
    encoding = forms.ChoiceField(choices=ENCODINGS.items(), help_text="Nearly always UTF-8.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = filesizeformat(settings.UPLOAD_LIMIT)
        self.fields["file"].help_text = f"CSV, plain or gzip, at most {limit}."
        self.fields["file"].error_messages["required"] = f"Choose a file of at most {limit}."
        self._choose("kind", [("", GUESS), *ImportKind.choices])
        self._choose("mapping", [("", GUESS), *((name, naming.label(name)) for name in naming.names())])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if name := cleaned.get("mapping"):
            cleaned["chosen"] = self._chosen(name, cleaned.get("kind", ""))
        return cleaned

    def _chosen(self, name: str, kind: str) -> Mapping | None:
        try:
            chosen = naming.named(name)
        except MappingRefused as refused:
            self.add_error("mapping", str(refused))
            return None
        if kind and kind != chosen.kind:
            self.add_error("mapping", f"This mapping reads {ImportKind(chosen.kind).label.lower()}.")
        return chosen


class LayoutForm(forms.Form):
    """How the file is written. Columns are named here where it has no header line."""

    kind = forms.ChoiceField(label="What it holds", choices=ImportKind.choices)
    delimiter = forms.ChoiceField(label="Between values", choices=DELIMITER_LABELS.items())
    encoding = forms.ChoiceField(choices=ENCODINGS.items())
    columns = forms.CharField(
        label="Column names",
        required=False,
        help_text="Only where the first line is not a header. With commas between them.",
    )

    @classmethod
    def of(cls, mapping: Mapping) -> "LayoutForm":
        layout = mapping.layout
        initial = {"kind": mapping.kind, "delimiter": layout.delimiter, "encoding": layout.encoding}
        return cls(initial=initial | {"columns": ", ".join(layout.columns)})

    def layout(self) -> Layout:
        columns = (name.strip() for name in self.cleaned_data["columns"].split(","))
        return Layout(
            self.cleaned_data["delimiter"], self.cleaned_data["encoding"], tuple(name for name in columns if name)
        )


@dataclass(frozen=True)
class Row:
    """One field of the mapping as the form shows it."""

    field: Field
    column: BoundField
    text: BoundField


@dataclass(frozen=True)
class Rule:
    """One rule for the order's state as the form shows it."""

    state: BoundField
    column: BoundField
    test: BoundField
    value: BoundField


class MappingForm(forms.Form):
    """What the columns of a file become. Built for a mapping and the columns that the file has."""

    dates = forms.ChoiceField(label="Dates are written as", choices=DATES.items())
    decimal = forms.ChoiceField(label="Numbers are written as", choices=DECIMALS.items())
    whole_numbers = forms.MultipleChoiceField(
        label="Ids written as 17850.0",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text="Columns whose ids lost their form in a spreadsheet: read as 17850.",
    )
    policy = forms.ChoiceField(label="What the file may do", choices=POLICIES.items())
    match = forms.ChoiceField(
        label="Customers are told apart by",
        help_text="A row that fits several customers is refused: nothing is guessed.",
    )
    empties = forms.BooleanField(
        label="An empty cell empties its field",
        required=False,
        help_text="Otherwise it leaves what is there. For names, addresses, tags and other texts.",
    )
    attributes = forms.MultipleChoiceField(
        label="Other columns to keep",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    save_as = forms.CharField(
        label="Save this mapping as",
        required=False,
        max_length=100,
        help_text="To choose it by name next time. A mapping of that name is replaced.",
    )

    def __init__(self, mapping: Mapping, columns: Sequence[str], data: Any = None) -> None:
        self._mapping = mapping
        self._columns = columns
        self._targets = targets(mapping.kind)
        self._rules = max(RULES, len(mapping.states) + 1) if mapping.kind in WITH_ORDERS else 0
        super().__init__(data, initial=self._initial())
        blank = [("", "—"), *((name, name) for name in columns)]
        for field in self._targets:
            self.fields[f"{field.name}_column"] = forms.ChoiceField(
                label=f"Column for {field.label}", choices=blank, required=False
            )
            self.fields[f"{field.name}_text"] = forms.CharField(
                label=f"Text for {field.label}", required=False, max_length=300, strip=False
            )
        for place in range(self._rules):
            self._add_rule(place, blank)
        self._offer_columns(blank[1:])
        self._offer_matches()

    def _add_rule(self, place: int, columns: list[tuple[str, str]]) -> None:
        states = [("", "—"), ("cancelled", "cancelled"), ("refunded", "refunded"), ("completed", "completed")]
        tests = [(test, test) for test in TESTS]
        self.fields[f"rule{place}_state"] = forms.ChoiceField(label="State", choices=states, required=False)
        self.fields[f"rule{place}_column"] = forms.ChoiceField(label="Column", choices=columns, required=False)
        self.fields[f"rule{place}_test"] = forms.ChoiceField(label="Test", choices=tests, required=False)
        self.fields[f"rule{place}_value"] = forms.CharField(label="Value", max_length=100, required=False)

    def _offer_columns(self, columns: list[tuple[str, str]]) -> None:
        for name in ("whole_numbers", "attributes"):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101
            field.choices = columns
        self.fields["attributes"].help_text = KEEPING.get(self._mapping.kind, "")
        if self._mapping.kind not in KEEPING:
            del self.fields["attributes"]

    def _offer_matches(self) -> None:
        offered = matches(self._mapping.kind, self._targets)
        field = self.fields["match"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = list(offered.items())
        if len(offered) <= 1:
            del self.fields["match"]
        if self._mapping.kind not in EMPTIES:
            del self.fields["empties"]

    def _initial(self) -> dict[str, Any]:
        mapping = self._mapping
        initial: dict[str, Any] = {"dates": mapping.dates, "decimal": mapping.decimal}
        initial |= {"policy": mapping.policy, "match": mapping.match, "empties": mapping.empties}
        initial |= {"whole_numbers": mapping.whole_numbers, "attributes": list(mapping.attributes)}
        for name, source in mapping.fields.items():
            initial |= {f"{name}_column": source.column, f"{name}_text": source.text}
        for place, rule in enumerate(mapping.states):
            initial |= {f"rule{place}_{part}": getattr(rule, part) for part in ("state", "column", "test", "value")}
        return initial

    @property
    def has_rules(self) -> bool:
        return self._rules > 0

    def rows(self) -> Iterator[Row]:
        for field in self._targets:
            yield Row(field, self[f"{field.name}_column"], self[f"{field.name}_text"])

    def rules(self) -> Iterator[Rule]:
        for place in range(self._rules):
            yield Rule(*(self[f"rule{place}_{part}"] for part in ("state", "column", "test", "value")))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for field in self._targets:
            if cleaned.get(f"{field.name}_column") and cleaned.get(f"{field.name}_text"):
                self.add_error(f"{field.name}_text", "Choose a column or write a text, not both.")
        if not self.errors:
            self._check()
        return cleaned

    def _check(self) -> None:
        try:
            check(self.mapping(), tuple(self._columns))
        except MappingRefused as refused:
            for name, problem in refused.problems.items():
                self.add_error(self._where(name), problem)

    def _where(self, problem: str) -> str | None:
        """The form's field beside which a problem of the mapping is told."""
        source = self.cleaned_data.get(f"{problem}_text")
        name = f"{problem}_text" if source else f"{problem}_column"
        return name if name in self.fields else None

    def mapping(self) -> Mapping:
        """The mapping as it was filled in."""
        given = self.cleaned_data
        fields = {
            field.name: Source(given.get(f"{field.name}_column", ""), given.get(f"{field.name}_text", ""))
            for field in self._targets
        }
        return replace(
            self._mapping,
            dates=given["dates"],
            decimal=given["decimal"],
            whole_numbers=tuple(given["whole_numbers"]),
            fields={name: source for name, source in fields.items() if source.column or source.text},
            attributes={name: Source(column=name) for name in given.get("attributes", ())},
            states=tuple(self._stated()),
            policy=given["policy"],
            match=given.get("match") or BY_ID,
            empties=given.get("empties", False),
        )

    def _stated(self) -> Iterator[StateRule]:
        for place in range(self._rules):
            state, column, test, value = (
                self.cleaned_data[f"rule{place}_{part}"] for part in ("state", "column", "test", "value")
            )
            if state and column:
                yield StateRule(state, column, test, value)
