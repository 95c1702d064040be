"""A figure opened: its definition, its numbers, and the customers behind them."""

import csv
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metrics.receipts import Receipt, receipt
from metrics.views.asking import asked, refusing
from retention.common.spreadsheet import cell
from retention.workspace.roles import Can, requires

PAGE = 50


@require_safe
@requires(Can.READ)
@refusing
def receipt_page(request: HttpRequest, figure: str) -> HttpResponse:
    scope = asked(request)
    found = receipt(figure, scope, request.GET.dict())
    if request.GET.get("format") == "csv":
        return _file(found)  # type: ignore[return-value]  # a StreamingHttpResponse answers as well
    page = Paginator(found.customers, PAGE).get_page(request.GET.get("page"))
    context = {"receipt": found, "scope": scope, "page": page, "lines": found.lines(list(page.object_list))}
    return render(request, "metrics/receipt.html", context)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _file(found: Receipt) -> StreamingHttpResponse:
    name = f"{found.figure.name}-{found.part.key}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_rows(found), content_type="text/csv; charset=utf-8", headers=headers)


def _rows(found: Receipt) -> Iterator[str]:
    write = csv.writer(_Echo(), lineterminator="\n").writerow
    yield write(["id", "name", "e-mail", *(column.label for column in found.columns)])
    for line in found.all_lines():
        who = line.customer
        row = (who.external_id, who.name, who.email, *(value for _, value in line.evidence))
        yield write([cell(value, found.scope.zone) for value in row])
