"""Answers as a file for a spreadsheet."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from retention.common.spreadsheet import cell
from retention.workspace.models import Workspace
from surveys.models import Answer, Survey

COLUMNS = ("id", "name", "e-mail", "score", "group", "comment", "answered", "typed in", "in the score")
BATCH = 1_000


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def answers_file(survey: Survey, answers: QuerySet[Answer]) -> StreamingHttpResponse:
    """These answers, marked (`reading.with_marks`), one a line, sent as they are read."""
    headers = {"Content-Disposition": f'attachment; filename="survey-{survey.pk}-answers.csv"'}
    return StreamingHttpResponse(_lines(answers), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(answers: QuerySet[Answer]) -> Iterator[str]:
    write, zone = csv.writer(_Echo(), lineterminator="\n").writerow, Workspace.current().zone
    yield write(COLUMNS)
    for answer in answers.iterator(chunk_size=BATCH):
        who, yes_no = answer.customer, {True: "yes", False: "no"}
        marks = (yes_no[answer.typed_in], yes_no[answer.counts])  # type: ignore[attr-defined]  # annotated
        row = (who.external_id, who.name, who.email, answer.score, answer.group, answer.comment, answer.answered_at)
        yield write([cell(value, zone) for value in (*row, *marks)])
