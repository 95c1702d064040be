"""Every list of customers and loyalty as people use it: narrowed, put in order, paged, taken along, come back to.

Each is a line in listed.py: what its filters leave, what its headings put first, by the numbers of `much`. What a page
offers and its line does not touch is told, and so is a list that has no line.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.paginator import Page as Sheaf
from django.http import QueryDict
from django.test import Client
from django.urls import resolve
from playwright.sync_api import Locator, Page, expect

from customers.lists.asking import Asked, Order
from retention.common import clock
from retention.common.keyset import Turn
from retention.workspace import context_processors
from retention.workspace.models import User
from retention.workspace.roles import GRANTS, Can, Role
from tests.browser.conftest import AsRole
from tests.browser.listed import Listed, Narrowed, lists
from tests.browser.much import ROWS, Much, much
from tests.browser.test_roles import OURS, SignIn
from tests.chromium import PATIENCE
from tests.workspace.test_a_get_changes_nothing import one_of_each

pytestmark = pytest.mark.django_db(transaction=True)
#: The names of the controls that can be used, and the words of the headings that put the list in order.
OFFERS = """() => {
    const here = form => !form.getAttribute('action') || form.getAttribute('action').startsWith('#');
    const controls = [...document.querySelectorAll('main form[method=get] :is(input, select)[name]')];
    const headings = document.querySelectorAll('main thead th a');
    return [
        controls.filter(each => each.type !== 'hidden' && here(each.form)).map(each => each.name),
        [...headings].map(each => each.textContent.trim()),
    ];
}"""
#: The words of each row: of its title, then of its cells by their headings.
TOLD = """rows => rows.map(row => {
    const heads = [...(row.closest('table')?.tHead.rows[0].cells ?? [])].map(each => each.textContent.trim());
    const cells = [...(row.cells ?? [row])];
    return Object.fromEntries(cells.map((cell, place) => [heads[place] ?? '', cell.innerText.trim()]));
})"""
#: A control that is there, whatever it leaves.
MINE = Narrowed("Mine", bool)
TITLE = re.compile(r"(?<!\d)\d\d(?!\d)")


def told(page: Page, of: Listed) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = page.locator(of.row).evaluate_all(TOLD)
    return rows


def numbers(page: Page, of: Listed) -> list[int]:
    """Which rows are shown, by the first number of two digits in each."""
    return [int(found[0]) for row in told(page, of) if (found := TITLE.search(" ".join(row.values())))]


def is_(page: Page, of: Listed, rows: Sequence[int], why: str) -> None:
    """The list shows just the first of these rows, in this order, once the browser is done with it."""
    part = list(rows[: of.size[2] if of.size else 50])
    expect(page.locator(of.row), f"{of.at}: {why}").to_have_count(len(part))
    assert numbers(page, of) == part, f"{of.at}: {why}"


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)


def what_is_offered(page: Page, of: Listed) -> list[str]:
    """Controls and headings that the table does not know, and those of the table that are not there."""
    controls, headings = page.evaluate(OFFERS)
    return sorted(set(controls) ^ of.filters.keys()) + sorted(set(headings) ^ of.sorts.keys())


def follow(page: Page, link: Locator) -> None:
    """Press it and wait for the page it leads to: what is pressed sooner is pressed on the page that goes away."""
    with page.expect_navigation():
        link.click()


def choose(page: Page, name: str, value: str, off: tuple[str, str] = ("", "")) -> None:
    """As a person does: open what it stands in, take another off, choose or type, and press the button beside it."""
    box = page.locator("main details.drop", has=page.locator(f'[name="{name}"]'))
    if box.count() and box.get_attribute("open") is None:
        box.locator("summary").click()
    if off[0]:
        fill(page, *off, on=False)
    fill(page, name, value)
    if name != "q":
        follow(page, (box if box.count() else page.locator("main form[method=get]")).get_by_role("button").last)


def fill(page: Page, name: str, value: str, *, on: bool = True) -> None:
    control = page.locator(f'main form[method=get] [name="{name}"]')
    match control.first.evaluate("each => each.type"):
        case "select-one":
            control.select_option(label=value) if on else control.select_option("")
        case "checkbox":
            control.and_(_checkbox(page, value)).set_checked(on)
        case _:
            control.fill(value if on else "")


def _checkbox(page: Page, value: str) -> Any:
    return page.get_by_label(value, exact=True).or_(page.locator(f'[value="{value}"]'))


def heading(page: Page, words: str) -> Locator:
    return page.locator("main thead th a", has_text=re.compile(rf"^\s*{words}\s*$"))


def narrows(page: Page, of: Listed) -> None:
    """Each filter leaves what it says and stands in the address; taken off in the form or by its chip, it is gone."""
    chips, off = page.locator("a.chip[aria-label^='Remove the filter']"), ("", "")
    for name, each in of.filters.items():
        choose(page, name, each.to, off)
        expect(page, name).to_have_url(re.compile(rf"[?&]{re.escape(name)}="))
        is_(page, of, of.in_order(of.usual, each.leaves), name)
        off = (name, each.to) if each.chip else ("", "")
        if each.chip:
            expect(chips, name).to_have_count(1)
            assert f"{name}=" not in str(chips.get_attribute("href")), f"the chip of {name}"
        else:
            page.goto(of.at)
    if off[0]:
        follow(page, chips)
        is_(page, of, of.rows, "without its chip")
    for words, leaves in of.tabs.items():
        follow(page, page.locator("main").get_by_role("link", name=words).first)
        expect(page.locator("main [aria-current]", has_text=words).first).to_be_visible()
        is_(page, of, of.in_order(of.usual, leaves), words)
    if of.tabs:
        page.goto(of.at)


def sorts(page: Page, of: Listed) -> None:
    """Each heading puts the list in its order, and turns it round."""
    for place, words in enumerate(of.sorts):
        for _ in range(2 if place == 0 else 1):
            follow(page, heading(page, words))
            head = page.locator("main thead th[aria-sort]")
            expect(head).to_have_text(words)
            down = head.get_attribute("aria-sort") == "descending"
            is_(page, of, of.in_order(f"{'-' if down else ''}{words}"), f"by {words}, {'down' if down else 'up'}")
    if of.sorts:
        page.goto(of.at)


def pages(page: Page, of: Listed) -> None:
    """A page at a time, there and back."""
    size = of.size[2] if of.size else 25
    if not of.size:
        follow(page, page.get_by_role("navigation", name="Pages").get_by_role("link", name="25", exact=True))
    first, second = of.rows[:size], of.rows[size : 2 * size]
    is_(page, of, first, "the first page")
    follow(page, page.locator("[rel=next]"))
    is_(page, of, second, "the second page")
    follow(page, page.locator("[rel=prev]"))
    is_(page, of, first, "the page before")


def keeps(page: Page, of: Listed) -> None:
    """Filter and order together stand in the address, so that the browser's ways back, on and again keep both."""
    name, each = next((name, each) for name, each in of.filters.items() if each.chip and name != "q")
    sort = list(of.sorts)[-1]
    follow(page, heading(page, sort))
    choose(page, name, each.to)
    expect(page).to_have_url(re.compile(rf"[?&]{re.escape(name)}="))
    down = page.locator("main thead th[aria-sort]").get_attribute("aria-sort") == "descending"
    rows = of.in_order(f"{'-' if down else ''}{sort}", each.leaves)
    is_(page, of, rows, f"{name} and {sort}")
    if of.file:
        takes_along(page, of, rows)
    page.reload()
    is_(page, of, rows, "again")
    follow(page, page.locator("a.chip"))
    whole = of.in_order(f"{'-' if down else ''}{sort}")
    is_(page, of, whole, f"without {name}, by {sort}")
    page.go_back()
    is_(page, of, rows, "back")
    page.go_forward()
    is_(page, of, whole, "and on")
    page.go_back()
    is_(page, of, rows, "and back")
    page.get_by_role("searchbox").last.fill("07")
    expect(page).to_have_url(re.compile(r"[?&]q=07"))
    assert asked(page)[name], f"{of.at}: typing forgot {name}"
    assert all(value for values in asked(page).values() for value in values), f"{page.url} says what is not asked"


def takes_along(page: Page, of: Listed, rows: Sequence[int]) -> None:
    """The file has the rows that are shown, in their order, and what stands in them."""
    button = page.get_by_role("link", name=re.compile("^(CSV|Export)$")).or_(page.get_by_role("button", name="Export"))
    with page.expect_download() as kept:
        button.first.click()
    text = Path(kept.value.path()).read_text(encoding="utf-8-sig")
    file = list(csv.DictReader(text.splitlines()))
    same = of.file or {}
    found = [TITLE.findall(line[next(iter(same.values()))])[0] for line in file]
    assert [int(each) for each in found] == list(rows), f"the file of {of.at}"
    for row, line in zip(told(page, of), file, strict=False):
        differ = {column for heading, column in same.items() if not row[heading].startswith(line[column])}
        assert differ == set(), f"{of.at}: {row}, and in the file {line}"


def try_it(page: Page, of: Listed) -> None:
    page.goto(of.at)
    assert what_is_offered(page, of) == [], of.at
    if of.size is None:
        is_(page, of, of.rows, "as it comes")
        expect(page.locator(".list-count")).to_contain_text(str(len(of.rows)))
    narrows(page, of)
    sorts(page, of)
    pages(page, of)
    if of.filters and of.size is None:
        page.goto(of.at)
        keeps(page, of)
    elif of.file:
        takes_along(page, of, of.rows)


@pytest.fixture
def there(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Much:
    """Much in every list, and the pages of those that have one size shortened."""
    settings.MEDIA_ROOT = tmp_path
    made = much()
    for of in lists(made).values():
        if of.size:
            monkeypatch.setattr(*of.size)
    return made


def as_others_see_it(page: Page, of: Listed, role: Role) -> None:
    """Whoever may see it sees all of it, and is offered to change what they picked only where they may."""
    answer = page.goto(of.at)
    assert answer
    assert answer.status == (200 if of.needs in GRANTS[role] else 403), f"{of.at} as {role}"
    if answer.status == 200:
        is_(page, of, of.rows, f"as {role}")
        words = page.locator(".pickbar button").all_inner_texts()
        offered = {word for word in words if word.strip() != "Export"}
        assert bool(offered) == (of.picks in GRANTS[role]), f"{of.at} as {role}: {offered}"


def test_it_works(as_role: AsRole, there: Much) -> None:
    page = as_role(Role.ACCOUNT_MANAGER)
    for of in lists(there).values():
        try_it(page, of)


def test_other_roles_see_them_and_change_what_they_may(as_role: AsRole, there: Much) -> None:
    every = lists(there).values()
    unlike = [of for of in every if of.picks or of.needs != Can.READ]
    for role, some in ((Role.ANALYST, every), (Role.MARKETER, unlike), (Role.ADMINISTRATOR, unlike)):
        page = as_role(role)
        for of in some:
            as_others_see_it(page, of, role)


#: Pages that have rows to page through or a form that asks for some, and no line above, with the reason.
NO_LINE = {
    "customers:renewals": "a board: tried below",
    "customers:merge_with": "finds the one customer to merge with",
    "customers:segment_find": "finds the one customer to explain",
    "customers:import_examples": "rows of a trial, paged as those refused",
    "customers:import_kept": "rows of an undo, paged as those refused",
    "customers:segment_apart_field": "test_segments_compared.py",
    "customers:segment_overlap": "test_segments_compared.py",
}
_ASKS = re.compile(r'<form\b(?=[^>]*method="get")(?![^>]*action="/)|<th\b[^>]*><a href="\?')


def is_list(response: Any) -> bool:
    """Whether a page has rows by the page, headings that put them in order, or a form that narrows them."""
    rows = response.context.get("page") if response.context else None
    main = response.content.decode().partition("<main")[2]
    return isinstance(rows, Sheaf | Turn) or bool(_ASKS.search(main))


def lists_of(client: Client, urls: Sequence[str]) -> set[str]:
    """The views behind these addresses that are lists."""
    found = {url: client.get(url) for url in urls}
    return {
        resolve(url).view_name
        for url, response in found.items()
        if response.status_code == 200 and not response.streaming and is_list(response)
    }


def test_every_list_has_its_line(signed_in: SignIn, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.OUTBOX_DIR, settings.EMAIL_URL = tmp_path / "files", tmp_path / "outbox", ""
    client = signed_in(Role.ADMINISTRATOR)
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    pages = [real.get(url, url) for url in OURS if not url.startswith("/api/")]
    known = lists(Much(clock.now(), *range(9))).keys() | NO_LINE.keys()
    found = lists_of(client, pages)
    assert found - known == set(), f"nobody tries these lists: {sorted(found - known)}"
    assert NO_LINE.keys() <= found, f"these are none any more: {sorted(NO_LINE.keys() - found)}"


def test_the_renewals_board_is_narrowed_and_comes_back(as_role: AsRole, there: Much) -> None:
    page = as_role(Role.ACCOUNT_MANAGER)
    at = "/today/renewals/?whose=everyones"
    page.goto(at)
    everybody = [n for n in ROWS if n % 4 < 2]
    board = Listed(at, filters={"whose": MINE, "segment": MINE, "by": MINE, "short": MINE})
    assert what_is_offered(page, board) == []
    picked = len([n for n in everybody if n % 5 == 1])
    asks = {"whose": ("Mine", len(everybody) // 2), "segment": ("Picked", picked), "by": ("Stage", len(everybody))}
    for name, (to, number) in asks.items():
        choose(page, name, to)
        found = page.locator(".tile-note").first
        expect(found).to_have_text(f"{number} renewals, MRR")
        page.reload()
        expect(found).to_have_text(f"{number} renewals, MRR")
        page.go_back()
        expect(found).to_have_text(f"{len(everybody)} renewals, MRR")
    choose(page, "short", "yes")
    expect(page).to_have_url(re.compile("short=yes"))


@pytest.fixture
def impatient() -> Iterator[None]:
    """What is expected and does not come is given up at once."""
    expect.set_options(timeout=1_000)
    yield
    expect.set_options(timeout=PATIENCE)


def ignores_the_order(asked: Asked) -> Order:
    return asked.of.orders[asked.of.usual.removeprefix("-")]


def keeps_the_filter(asked: Asked, name: str) -> str:
    return asked.query()


def forgets_the_filters(asked: Asked, rows: Any) -> Any:
    return in_order(asked, rows.model.objects.all())


def stays_on_the_first_page(asked: Asked, rows: Any, said: Any) -> Turn:
    return turned(asked, rows, QueryDict())


in_order, turned = Asked.in_order, Asked.page
PLANTED = (
    ("_order", property(ignores_the_order), sorts, "by Amount"),
    ("without", keeps_the_filter, narrows, "the chip of state"),
    ("in_order", forgets_the_filters, keeps, "the file of"),
    ("page", stays_on_the_first_page, pages, "the second page"),
)


@pytest.mark.usefixtures("impatient")
def test_planted_bugs_are_found(
    as_role: AsRole, signed_in: SignIn, there: Much, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lists(there)["customers:orders"]
    state = {"state": whole.filters["state"]}
    of, page = replace(whole, filters=state), as_role(Role.ANALYST)
    for name, bug, tried, told_as in PLANTED:
        page.goto(of.at)
        with monkeypatch.context() as planted:
            planted.setattr(Asked, name, bug)
            with pytest.raises(AssertionError, match=told_as):
                tried(page, of)
    page.goto(of.at)
    assert what_is_offered(page, replace(of, sorts={})) == ["person", "q", "since", "Amount", "When"]
    everything = dict.fromkeys(Can, True)
    monkeypatch.setattr(context_processors, "_grants", lambda request: everything)
    with pytest.raises(AssertionError, match="as analyst"):
        as_others_see_it(page, lists(there)["customers:cases"], Role.ANALYST)
    assert lists_of(signed_in(Role.ANALYST), [of.at, "/customers/new/", "/today/renewals/"]) == {
        "customers:orders",
        "customers:renewals",
    }
