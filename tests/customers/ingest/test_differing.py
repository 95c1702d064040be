"""Two files compared as bytes: whatever was changed, moved, put in or taken out, both have what is said to be kept."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.ingest import differing, reader
from customers.ingest.differing import Difference, Lines, TooDifferent, difference
from customers.ingest.nearly import _Naming
from customers.ingest.reader import FileRefused, Layout

LINE = st.text("abcé", max_size=6)
EACH = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    """Pieces, windows and steps of a few lines."""
    with (
        mock.patch.object(reader, "RECORD_LIMIT", 60),
        mock.patch.multiple(differing, WINDOWS=(10, 20), FIRST_STEP=2),
    ):
        yield


def compare(folder: Path, ours: list[str], theirs: list[str], touched: set[str]) -> tuple[Difference, int, int]:
    """The difference, and how many lines each file turned out to have."""
    files = []
    for name, lines in (("ours", ours), ("theirs", theirs)):
        (folder / name).write_text("\n".join(["head", *lines]))
        files.append(Lines(folder / name, has_header=True))
    mine, other = files
    found = difference(mine, other, _Naming(touched, Layout(), 0))
    assert (mine.header, other.header) == (b"head\n", b"head\n")
    return found, mine.count, other.count


def expected(ours: list[str], theirs: list[str], touched: set[str]) -> Difference:
    told, gone = set(ours) - set(theirs), set(theirs) - set(ours)
    both = set(ours) & set(theirs)
    again = {line for line in both if line.split(",")[0] in touched}
    lines = [{f"{line}\n".encode() for line in each | again} for each in (told, gone)]
    return Difference(lines[0], lines[1], len(both - again))


@given(st.data())
@EACH
def test_it_works(tmp_path: Path, data: st.DataObject) -> None:
    names = data.draw(st.lists(LINE.filter(bool), max_size=25, unique=True))
    theirs = [f"{name},{data.draw(LINE)}" for name in names]
    ours = data.draw(st.permutations(theirs)) if data.draw(st.booleans()) else list(theirs)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(ours)))
        ours[place : place + data.draw(st.integers(0, 3))] = [
            f"{name}x,{data.draw(LINE)}" for name in data.draw(st.lists(LINE, max_size=2, unique=True))
        ]
    ours = list(dict.fromkeys(ours))
    touched = set(data.draw(st.lists(st.sampled_from([*names, "nobody"]), max_size=3)))
    found, mine, other = compare(tmp_path, ours, theirs, touched)
    assert found == expected(ours, theirs, touched)
    assert (mine, other) == (len(ours), len(theirs))


MANY = [f"{number},Name" for number in range(30)]


def test_who_is_to_be_judged_again_is_also_where_the_line_was_moved(tmp_path: Path) -> None:
    moved = [*MANY[10:], *MANY[:10]]
    for touched in ({"3"}, {str(number) for number in range(25)}):  # few are looked for, many are read
        assert compare(tmp_path, moved, MANY, touched)[0] == expected(moved, MANY, touched)


def test_a_moved_line_that_is_not_judged_again_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, whatever was moved counts as kept."""
    moved = [*MANY[10:], *MANY[:10]]
    match = differing._match
    monkeypatch.setattr(differing, "_match", lambda told, gone, _: match(told, gone, lambda _: set()))
    assert compare(tmp_path, moved, MANY, {"3"})[0] != expected(moved, MANY, {"3"})


def test_files_that_differ_too_much_are_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differing, "MOST", 20)
    others = [f"{line} the Second" for line in MANY]
    for ours, theirs in ((others, MANY), (MANY, []), ([], MANY)):
        with pytest.raises(TooDifferent):
            compare(tmp_path, ours, theirs, set())


def test_a_quoted_name_is_found(tmp_path: Path) -> None:
    lines = ['"a ""b""",1', "c,2"]
    found, *_ = compare(tmp_path, lines, lines, {'a "b"'})
    assert (found.told, found.kept) == ({b'"a ""b""",1\n'}, 1)


def test_lines_that_end_otherwise_are_not_compared(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for text in (b"head\ra\rb\r", b"head\na\rb\nc\n", b"x" * 200):
        file.write_bytes(text)
        with pytest.raises(FileRefused):
            list(reader.whole_lines(file))
    for text in (b"head\r\na\r\nb", b"a\n" * 50, b"a\r\n" * 50):
        file.write_bytes(text)
        assert b"".join(reader.whole_lines(file)).rstrip() == text.rstrip()
