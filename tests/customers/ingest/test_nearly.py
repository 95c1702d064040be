"""A large file of customers that comes again with some lines changed: it does what the whole comparison would do."""

import io
from collections.abc import Callable
from random import Random
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from customers.ingest import nearly, staging, unchanged
from customers.ingest.imports import take_in
from customers.models import Consent, Customer, FormerId, Import
from customers.records.consent import withdraw
from tests.customers.ingest.bringing import CUSTOMERS, again, bring, mapping
from tests.customers.ingest.test_unchanged import alone
from tests.customers.ingest.test_undo import HEADER

pytestmark = pytest.mark.django_db(transaction=True)
LINES = {number: f"{number},Name {number},{number}@example.test,2024-05-01,vip,yes\n" for number in range(1, 10)}
FILE = HEADER + "".join(LINES.values())


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "LARGE", 5)
    monkeypatch.setattr(unchanged, "WORTH", 10**9)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """How many rows were staged since the last question, each time."""
    stage = staging.stage
    counts: list[int] = []

    def counted(*given: Any) -> int:
        counts.append(stage(*given))
        return counts[-1]

    monkeypatch.setattr(staging, "stage", counted)

    def asked() -> list[int]:
        found = counts[:]
        counts.clear()
        return found

    return asked


def come(lines: dict[int, str]) -> dict[str, Any]:
    """The summary of a file of these lines."""
    alone()
    job, _ = bring(mapping(CUSTOMERS), HEADER + "".join(lines.values()))
    assert job.state == "done", job.error
    return dict(job.summary)


def tally(named: int, created: int, updated: int) -> dict[str, int]:
    return {
        "named": named,
        "created": created,
        "updated": updated,
        "removed": 0,
        "unchanged": named - created - updated,
    }


def test_it_works(staged: Callable[[], list[int]]) -> None:
    come(LINES)
    assert staged() == [9]
    lines = {**LINES, 3: LINES[3].replace("Name", "Called"), 10: "10,Ten,,,,no\n"}
    del lines[5]
    summary = come(lines)
    assert staged() == [2]
    assert summary["customers"] == tally(9, 1, 1)
    assert [summary[name] for name in ("rows", "taken", "repeated", "rejected", "consents")] == [9, 9, 0, 0, 1]
    assert Customer.objects.get(external_id="3").name == "Called 3"
    assert Customer.objects.filter(external_id="5").exists()
    assert come({**lines, 3: LINES[3]})["customers"] == tally(9, 0, 1)
    assert staged() == [1]


def by_hand(number: int) -> None:
    Customer.objects.filter(external_id=number).update(name="By hand", updated_at=timezone.now())


def agree(number: int) -> None:
    Consent.objects.filter(customer__external_id=number).update(source="a form")


def opt_out(number: int) -> None:
    withdraw(Customer.objects.get(external_id=number).pk, "email", "a call", "", timezone.now())


def test_whom_somebody_wrote_since_is_judged_again(staged: Callable[[], list[int]]) -> None:
    come(LINES)
    opt_out(1)
    agree(2)
    by_hand(4)
    staged()
    changed = {**LINES, 3: LINES[3].replace("Name", "Called")}
    assert come(changed)["customers"] == tally(9, 0, 2)
    assert staged() == [4]
    assert Customer.objects.get(external_id="4").name == "Name 4"
    assert Consent.objects.get(customer__external_id="1").state == "withdrawn"
    come(LINES)
    assert staged() == [1]


def test_they_are_known_by_an_id_of_before_a_merge_too(staged: Callable[[], list[int]]) -> None:
    come(LINES)
    merged()
    lines = {**LINES, 1: LINES[1].replace("1,", "old,", 1)}
    come(lines)
    by_hand(1)
    staged()
    come({**lines, 3: LINES[3].replace("Name", "Called")})
    assert staged() == [2]
    assert Customer.objects.get(external_id="1").name == "Name 1"


def test_an_edit_that_is_not_looked_for_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, an edit stands that the file speaks against."""
    come(LINES)
    by_hand(4)
    monkeypatch.setattr(unchanged, "touched", lambda *_: set())
    come({**LINES, 3: LINES[3].replace("Name", "Called")})
    assert Customer.objects.get(external_id="4").name == "By hand"


def known() -> None:
    Customer.objects.create(external_id="77")


def gone() -> None:
    Customer.objects.get(external_id="77").delete()


def renamed() -> None:
    Customer.objects.filter(external_id="1").update(external_id="A1")


def merged() -> None:
    FormerId.objects.create(id=10**6, external_id="old", customer=Customer.objects.get(external_id="1"))


def nobody() -> None:
    """Nothing happens."""


#: What happened since, and a line that is not as it was.
OTHERWISE: dict[str, tuple[Callable[[], object], int, str]] = {
    "a customer of an unchanged line again": (nobody, 11, LINES[2].replace("Name", "Called")),
    "a line twice": (nobody, 12, LINES[4]),
    "a row that is refused": (nobody, 3, LINES[3].replace("2024-05-01", "soon")),
    "a record of two lines": (nobody, 3, '3,"Name\n3",,,,\n'),
    "somebody in the table whom the file did not have": (known, 77, "77,Known,,,,\n"),
    "somebody gone": (gone, 8, LINES[8].replace("Name", "Called")),
    "somebody with another id": (renamed, 8, LINES[8].replace("Name", "Called")),
    "an id of before a merge": (merged, 13, "old,Whoever,,,,\n"),
}


def test_whatever_is_not_line_by_line_has_all_of_it_compared(staged: Callable[[], list[int]]) -> None:
    for said, (happens, number, line) in OTHERWISE.items():
        come(LINES)
        happens()
        staged()
        summary = come({**LINES, number: line})
        assert staged()[-1] >= 9, said
        assert sum(summary[name] for name in ("taken", "repeated", "left_out", "rejected")) == summary["rows"], said


def test_any_difference_comes_out_as_in_the_whole_comparison(staged: Callable[[], list[int]]) -> None:
    random = Random(7)
    come(LINES)
    in_part = 0
    lines = dict(LINES)
    for _ in range(8):
        for number in random.sample(range(1, 15), 3):
            name, says = random.choice("ABC"), random.choice(("yes", "no", ""))
            lines[number] = f"{number},{name},{name}@example.test,,{random.choice(('', 'vip'))},{says}\n"
        lines.pop(random.choice(list(lines)))
        there = list(Customer.objects.values_list("external_id", flat=True))
        random.choice((by_hand, agree, opt_out))(int(random.choice(there)))
        order = random.sample(list(lines.values()), len(lines)) if random.random() < 0.3 else list(lines.values())
        alone()
        taken = take_in(io.BytesIO((HEADER + "".join(order)).encode()), "file.csv", mapping(CUSTOMERS))
        expected = compared_as_a_whole(taken)
        staged()
        got = again(taken)
        assert got.state == "done", got.error
        in_part += staged()[-1] < len(lines)
        for name in ("rows", "taken", "repeated", "rejected", "customers", "consents"):
            assert got.summary[name] == expected[name], name
        left = compared_as_a_whole(taken)
        assert (left["customers"], left["consents"]) == (tally(len(lines), 0, 0), 0), "nothing was passed over"
    assert in_part > 2


def compared_as_a_whole(taken: Import) -> dict[str, Any]:
    """What a trial of all of the file says."""
    with (
        mock.patch.object(nearly, "is_possible", return_value=False),
        mock.patch.object(unchanged, "repeated", return_value=None),
    ):
        return dict(again(taken, dry_run=True).summary)
