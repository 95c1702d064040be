"""A list's page, the part of it that follows the search, and its file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from customers.lists.asking import ALL, Asked
from customers.records.listing import SIZES, count
from retention.common.spreadsheet import cell, written
from retention.workspace import saved_views
from retention.workspace.people import person, workspace_of

AT_A_TIME = 2_000


@dataclass(frozen=True)
class Sheet:
    """A list as a file: its name, its columns, and what stands in them for a row."""

    name: str
    header: Sequence[str]
    cells: Callable[[Any], Sequence[Any]]

    def lines(self, rows: QuerySet[Any], zone: tzinfo) -> Iterator[str]:
        """All the rows, read from the database a part at a time."""
        told = ([cell(value, zone) for value in self.cells(row)] for row in rows.iterator(chunk_size=AT_A_TIME))
        return written(self.header, told)


@dataclass(frozen=True)
class Shown:
    """How a list is shown: the template of its page, that of its rows, its file, and what the rows' template gets.

    `read` puts to the rows what page and file tell of them; to count them needs none of that.
    """

    page: str
    rows: str
    sheet: Sheet
    row: Callable[[Any], Any] = lambda row: row
    read: Callable[[QuerySet[Any]], QuerySet[Any, Any]] = lambda rows: rows


def answer(request: HttpRequest, asked: Asked, rows: QuerySet[Any], shown: Shown, **more: Any) -> HttpResponseBase:
    """The page; with `format=csv` the file of all that match; for the search the part that follows it."""
    found = asked.narrow(rows)
    if request.GET.get("format") == "csv":
        return _file(request, asked.in_order(shown.read(found)), shown.sheet)
    is_part = request.headers.get("HX-Target") == "list"
    views = [] if is_part else saved_views.for_list(person(request), asked.of.place)
    if opening := saved_views.opening(views, request.GET):
        return redirect(f"{request.path}?{opening}")
    page = asked.page(shown.read(found), request.GET)
    page = replace(page, rows=[shown.row(each) for each in page.rows])
    context = _context(asked, found) | {"page": page, "rows": shown.rows, **more}
    if is_part:
        return part(request, "lists/part.html", context)
    return render(request, shown.page, context | {"views": views, "place": asked.of.place})


def _context(asked: Asked, found: QuerySet[Any]) -> dict[str, Any]:
    return {
        "asked": asked,
        "noun": asked.of.noun,
        "count": count(found, by_statistics=not asked.is_narrowed),
        "chips": list(asked.chips()),
        "headings": asked.headings,
        "query": asked.query(),
        "sizes": SIZES,
        "size": asked.size,
    }


def part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """What follows the search. The browser shows the address of just that, without what is not asked for."""
    query = context["query"]
    response = render(request, template, context)
    response["HX-Push-Url"] = f"{request.path}?{query or ALL}"
    return response


def _file(request: HttpRequest, rows: QuerySet[Any], sheet: Sheet) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{sheet.name}.csv"'}
    text = sheet.lines(rows, workspace_of(request).zone)
    return StreamingHttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
