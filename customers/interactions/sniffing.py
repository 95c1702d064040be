"""What a file holds, told by its bytes; its name and what the browser says of it are not asked."""

import zipfile
from typing import IO, NamedTuple

LARGEST = 10 * 1024 * 1024
MOST = 5
_SAMPLE = 4096


class FileRefused(Exception):
    """The file may not be attached; the text says why."""


class Kind(NamedTuple):
    """A kind of file, and the bytes it begins with."""

    content_type: str
    start: bytes
    marker: bytes = b""


_KINDS = (
    Kind("application/pdf", b"%PDF-"),
    Kind("image/png", b"\x89PNG\r\n\x1a\n"),
    Kind("image/jpeg", b"\xff\xd8\xff"),
    Kind("image/gif", b"GIF8"),
    Kind("image/webp", b"RIFF", b"WEBP"),
)
#: Office documents are archives; the part that each has, and what it is then.
_OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
#: What a file of each kind may be called at its end, first what it is given where it is called otherwise. Text may be a
#: program or a page to whoever opens it by its name, so only endings that no system runs or shows as a page are left.
_ENDINGS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "text/plain": (".txt", ".csv", ".tsv", ".md", ".log", ".json", ".eml", ".ics", ".vcf"),
    _OFFICE["word/document.xml"]: (".docx",),
    _OFFICE["xl/workbook.xml"]: (".xlsx",),
    _OFFICE["ppt/presentation.xml"]: (".pptx",),
}
_CONTROLS = {chr(code) for code in (*range(32), 127)} - set("\t\r\n\f")
TAKEN = "PDF, PNG, JPEG, GIF, WebP, plain text, Word, Excel and PowerPoint files"


def content_type(file: "IO[bytes]", size: int) -> str:
    """What the file holds. Raises FileRefused for one too large, empty, or of a kind that is not taken."""
    if size > LARGEST:
        raise FileRefused(f"It is too large: at most {LARGEST // 1024 // 1024} MB are taken.")
    if not size:
        raise FileRefused("The file is empty.")
    file.seek(0)
    head = file.read(_SAMPLE)
    known = next((kind for kind in _KINDS if head.startswith(kind.start) and kind.marker in head[8:12]), None)
    found = known.content_type if known else _office(file, head) or _text(file)
    file.seek(0)
    if not found:
        raise FileRefused(f"This is no file of a kind that is taken: {TAKEN}.")
    return found


def named_as(name: str, kind: str) -> str:
    """The name, ending as files of its kind do: what is called a program is none to whoever keeps and opens it."""
    endings = _ENDINGS[kind]
    return name if name.lower().endswith(endings) else name + endings[0]


def _office(file: "IO[bytes]", head: bytes) -> str:
    """Only its list of names is read; nothing is unpacked. One with macros is refused."""
    if not head.startswith(b"PK\x03\x04"):
        return ""
    try:
        names = set(zipfile.ZipFile(file).namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return ""
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused("The file holds macros. Save it without them.")
    return next((kind for part, kind in _OFFICE.items() if part in names), "")


def _text(file: "IO[bytes]") -> str:
    """Text in UTF-8 without control characters."""
    file.seek(0)
    try:
        text = file.read().decode()
    except UnicodeDecodeError:
        return ""
    return "text/plain" if not any(sign in _CONTROLS for sign in text) else ""
