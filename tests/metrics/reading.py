"""What a page of metrics shows: each number, and the receipt that it is linked to."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "br", "circle", "col", "hr", "img", "input", "line", "link", "meta", "path", "rect", "use"}
SHOWS = {"num", "figure-value"}


@dataclass
class Number:
    """`quiet` numbers say how sure another one is, and need no receipt of their own."""

    quiet: bool
    text: str = ""
    link: str = ""


@dataclass
class Page(HTMLParser):
    numbers: list[Number] = field(default_factory=list)
    _open: list[Number | None] = field(default_factory=list)
    _header: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = set(given.get("class", "").split())
        if tag == "a" and self._inside and not self._inside.link:
            self._inside.link = given.get("href", "")
        if tag in VOID:
            return
        shows = tag in ("td", "p") and classes & SHOWS
        self._open.append(Number(quiet="soft" in classes) if shows else None)
        if shows and self._open[-1]:
            self.numbers.append(self._open[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._inside.text += data

    @property
    def _inside(self) -> Number | None:
        return next((number for number in reversed(self._open) if number), None)


def numbers(html: str) -> list[Number]:
    """Every number that a page shows, with digits in it."""
    page = Page()
    page.feed(html)
    for number in page.numbers:
        number.text = " ".join(number.text.split())
    return [number for number in page.numbers if any(map(str.isdigit, number.text))]
