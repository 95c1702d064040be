"""Reading files: every line is read or refused exactly once, whatever the file, and memory stays bounded."""

import csv
import gzip
import io
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.ingest.guess import guess_layout
from customers.ingest.reader import ORIGINAL_LIMIT, UTF16_MARKS, FileRefused, Layout, Reader, Record

Written = Callable[[bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Puts content into a file of its own."""
    numbers = count()

    def write(content: bytes) -> Path:
        path = tmp_path / f"{next(numbers)}.csv"
        path.write_bytes(content)
        return path

    return write


def read(path: Path, layout: Layout | None = None) -> list[tuple[int, list[str]]]:
    with Reader(path, layout or Layout()) as reader:
        return [(record.line, record.values or [record.refusal]) for record in reader]


def refused(path: Path, layout: Layout | None = None) -> str:
    with pytest.raises(FileRefused) as error:
        read(path, layout)
    return str(error.value)


def test_it_works(written: Written) -> None:
    path = written(b'id,name\n1,Ann\n2,"Ben, the ""Bold""\nof Bath"\n3,Cid\n')
    with Reader(path, Layout()) as reader:
        assert reader.columns == ("id", "name")
        assert list(reader) == [
            Record(2, ["1", "Ann"]),
            Record(3, ["2", 'Ben, the "Bold"\nof Bath']),
            Record(5, ["3", "Cid"]),
        ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_ends_marks_and_gzip(written: Written, end: bytes, mark: bytes, pack: Callable[[bytes], bytes]) -> None:
    path = written(pack(mark + "id,name\n1,Zoë\n\n2,b".encode().replace(b"\n", end)))
    with Reader(path, Layout()) as reader:
        assert reader.columns == ("id", "name")
        assert [tuple(record[:2]) for record in reader] == [(2, ["1", "Zoë"]), (4, ["2", "b"])]


@pytest.mark.parametrize(
    ("delimiter", "sign"), [("semicolon", ";"), ("tab", "\t"), ("comma", ","), ("whitespace", "  ")]
)
def test_delimiters(written: Written, delimiter: str, sign: str) -> None:
    path = written(f" id{sign}name\n1{sign}Ann\n".encode())
    with Reader(path, Layout(delimiter)) as reader:
        assert reader.columns == ("id", "name")
        assert [record.values for record in reader] == [["1", "Ann"]]


def test_columns_named_by_the_person(written: Written) -> None:
    path = written(b" 00004 0001 19970101  2   29.33\r\n")
    layout = Layout("whitespace", columns=("master", "customer", "date", "cds", "dollars"))
    assert read(path, layout) == [(1, ["00004", "0001", "19970101", "2", "29.33"])]


def test_header_names_that_come_twice_or_are_missing(written: Written) -> None:
    with Reader(written(b"Phone,Name,Phone,, Phone \n"), Layout()) as reader:
        assert reader.columns == ("Phone", "Name", "Phone (2)", "Column 4", "Phone (3)")


def test_a_row_of_another_width_is_refused(written: Written) -> None:
    path = written(b"id,name\n1\n2,Ben,x\n3,Cid,,\n")
    assert read(path) == [
        (2, ["It has 1 values, and the file 2 columns."]),
        (3, ["It has 3 values, and the file 2 columns."]),
        (4, ["3", "Cid"]),
    ]


def test_an_unclosed_quote_costs_one_line(written: Written) -> None:
    rows = b"".join(b"%d,name %d\n" % (n, n) for n in range(4, 30_000))
    for rest in (rows, rows + b'7,"x"\n'):
        found = read(written(b'id,name\n1,Ann\n2,"Ben\n' + rest))
        assert [line for line, _ in found] == list(range(2, 2 + len(found)))
        assert found[0] == (2, ["1", "Ann"])
        assert found[1][0] == 3
        assert "quotation mark" in found[1][1][0] or "longer" in found[1][1][0]
        assert found[2] == (4, ["4", "name 4"])
        assert len(found) == 2 + rest.count(b"\n")


def test_a_nul_costs_its_line(written: Written) -> None:
    assert read(written(b"id,name\n1,A\0nn\n2,Ben\n")) == [(2, ["It holds a NUL character."]), (3, ["2", "Ben"])]


def test_the_original_of_a_refused_row(written: Written) -> None:
    with Reader(written(b'id,name\n1\n2,"B\0\r\n3,' + b"x" * 5_000 + b",\xc3\xa9\n"), Layout()) as reader:
        kept = [reader.record_text() for record in reader if record.refusal]
    assert kept[0] == "1"
    assert kept[1] == '2,"B␀'
    assert kept[2].startswith("3,xxx")
    assert kept[2].endswith("… (cut after 2,000 characters)")
    assert len(kept[2]) < ORIGINAL_LIMIT + 50


def test_wrong_encoding_names_line_and_byte(written: Written) -> None:
    path = written("id,name\n1,Ann\n2,Zoë\n".encode("latin-1"))
    assert refused(path).startswith("Line 3 is not UTF-8: byte 0xEB at position 5. Say that it is Latin-1 if it is.")
    assert read(path, Layout(encoding="latin-1"))[1] == (3, ["2", "Zoë"])
    assert read(path, Layout(encoding="cp1252"))[1] == (3, ["2", "Zoë"])
    assert "Line 2 is not Windows-1252: byte 0x81" in refused(written(b"a\n\x81\n"), Layout(encoding="cp1252"))


def test_a_truncated_gzip_is_refused_after_its_rows(written: Written) -> None:
    whole = b"id,name\n" + b"".join(b"%d,name %d\n" % (n, n * 7919 % 10_007) for n in range(100_000))
    packed = gzip.compress(whole)
    path = written(packed[: len(packed) // 2])
    rows: list[str] = []
    with Reader(path, Layout()) as reader, pytest.raises(FileRefused) as error:
        rows.extend(record.values[0] for record in reader)
    assert rows == [str(n) for n in range(len(rows))]
    assert 40_000 < len(rows) < 60_000
    assert f"The gzip file ends too early, after line {len(rows) + 1:,}" in str(error.value)


def test_a_small_gzip_that_unpacks_to_no_end_is_refused(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.ingest.reader.UNPACKED_ANYWAY", 1_000_000)
    assert "unpacks to more than 200 times its size" in refused(written(gzip.compress(b"id\n" + b"1\n" * 4_000_000)))
    usual = written(gzip.compress(b"id\n" + b"".join(b"%d\n" % number for number in range(400_000))))
    with Reader(usual, Layout()) as reader:
        assert sum(1 for _ in reader) == 400_000, "a large file that holds something is read"


def test_a_damaged_gzip_is_refused(written: Written) -> None:
    packed = bytearray(gzip.compress(b"id\n" + b"1\n" * 1_000))
    packed[-6] ^= 0xFF
    assert "The gzip file is damaged" in refused(written(bytes(packed)))


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\r\n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(written: Written, content: bytes) -> None:
    assert refused(written(content)) == "The file is empty."


def test_a_header_alone_has_no_rows(written: Written) -> None:
    assert read(written(b"id,name\n")) == []


def test_a_header_that_cannot_be_read_is_refused(written: Written) -> None:
    assert refused(written(b'id,"na\n1,Ann\n')).startswith("The header in line 1 cannot be read: A quotation mark")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\x03\x04xx", "spreadsheet"),
        (b'["Email", "Phone"]', "JSON"),
        (b'{"id": 1}', "JSON"),
    ],
)
def test_what_is_no_text_is_refused(written: Written, start: bytes, said: str) -> None:
    assert said in refused(written(start))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_as_it_is(written: Written, encoding: str) -> None:
    """As spreadsheets write “Unicode text”: more of it than is read at once, and letters that a block's end cuts."""
    rows = "".join(f"{number}\tZoë 😀\n" for number in range(40_000))
    path = written(("\ufeffid\tname\n" + rows).encode(encoding))
    with Reader(path, Layout("tab")) as reader:
        assert reader.columns == ("id", "name")
        found = list(reader)
    assert (len(found), {record.values[1] for record in found}) == (40_000, {"Zoë 😀"})
    assert guess_layout(path, "utf-8") == Layout("tab")


def test_utf_16_that_is_cut_off_is_refused(written: Written) -> None:
    assert "UTF-16 text, and damaged after line" in refused(written("id,name\n1,Ann\n".encode("utf-16")[:-1]))


AT_ITS_LIMITS = """
import sys
from pathlib import Path
from customers.ingest.reader import Layout, Reader
with Reader(Path(sys.argv[1]), Layout()) as reader:
    for record in reader:
        print(record.line, record.values, record.refusal, len(reader.record_text()))
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def test_a_line_of_two_gigabytes_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"id,name\n1,Ann\n2,")
        file.seek(2 << 30, io.SEEK_CUR)  # a hole: it reads as 2 GB of NULs
        file.write(b"\n3,Cid\n")
    out = subprocess.run([sys.executable, "-c", AT_ITS_LIMITS, path], capture_output=True, text=True, check=True).stdout
    *records, most_memory = out.splitlines()
    assert records == [
        "2 ['1', 'Ann']  5",
        f"3 [] It is longer than 1,000,000 bytes. {ORIGINAL_LIMIT + len(' … (cut after 2,000 characters)')}",
        "4 ['3', 'Cid']  5",
    ]
    assert int(most_memory) < 100_000  # kB, with Python and Django


LAYOUTS = st.sampled_from([Layout(name, columns=("a", "b")) for name in ("comma", "semicolon", "tab", "whitespace")])
TEXTS = st.lists(st.sampled_from(['"', '""', ",", ";", "\t", " ", "\n", "\r", "\r\n", "\0", "a", "é", "1.0", "\u2028"]))
WRITTEN = st.one_of(TEXTS.map("".join), st.text())


def _in_utf16(text: str) -> bytes:
    return text.encode("utf-16")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(content=st.one_of(st.binary(), WRITTEN.map(str.encode), WRITTEN.map(_in_utf16)), layout=LAYOUTS)
@example(content=b'a,"b\nc,d\n"e,f', layout=Layout(columns=("a", "b")))
@example(content=b"\xfe\xff", layout=Layout(columns=("a", "b")))
def test_each_line_belongs_to_one_record(written: Written, content: bytes, layout: Layout) -> None:
    """Whatever the bytes: the records, refused ones too, hold the file's lines in order, each once, but blank ones."""
    text = content.decode("utf-16", "replace").encode() if content[:2] in UTF16_MARKS else content
    lines = text.removeprefix(b"\xef\xbb\xbf").splitlines()
    upto = 0
    try:
        with Reader(written(content), layout) as reader:
            for record in reader:
                assert bool(record.refusal) != bool(record.values)
                assert _blank(lines[upto : record.line - 1])
                upto = record.line - 1 + len(re.split(r"\r\n|\r|\n", reader.record_text()))
    except FileRefused:
        return
    assert _blank(lines[upto:])


def _blank(lines: list[bytes]) -> bool:
    return not any(line.decode().split() for line in lines)


TABLES = st.lists(
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2, max_size=2)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(table=TABLES, delimiter=st.sampled_from([",", ";", "\t"]))
def test_what_was_written_is_read(written: Written, table: list[list[str]], delimiter: str) -> None:
    """Any table that is written as CSV comes back as it was."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    name = {",": "comma", ";": "semicolon", "\t": "tab"}[delimiter]
    with Reader(written(text.getvalue().encode()), Layout(name, columns=("a", "b"))) as reader:
        assert [record.values for record in reader] == table
