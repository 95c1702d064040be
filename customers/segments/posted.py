"""A rule as the builder's form posts it: the paths of its parts in the order of the page, below each what was typed."""

import re
from collections.abc import Mapping

from django.http import QueryDict

from customers.segments.custom import CustomColumns
from customers.segments.drafts import MATCHES, ROOT, Group, Row, rows_of
from customers.segments.fields import Tally
from customers.segments.rules import MAX_CONDITIONS, MAX_DEPTH

MOST_NODES = 2 * MAX_CONDITIONS
_DETAIL = re.compile(r"\d{1,4}", re.ASCII)
_PATH = re.compile(r"r(-\d{1,4})*", re.ASCII)


def draft_of(data: QueryDict) -> Group:
    """What was typed. What does not fit together, which no page sends, is refused by `check`, not passed over."""
    root, custom = _typed_group(ROOT, data), CustomColumns()
    groups = {ROOT: root}
    nodes, details = data.getlist("node"), data.getlist("detail")
    if len(nodes) > MOST_NODES or len(details) > MOST_NODES:
        root.lost = f"There are more than {MOST_NODES} conditions and groups."
    for node in nodes[:MOST_NODES]:
        path, _, kind = node.partition(":")
        parent = groups.get(path.rpartition("-")[0])
        if _PATH.fullmatch(path) and path.count("-") >= MAX_DEPTH:
            _refuse_depth(groups, path)
        elif parent is None or not _PATH.fullmatch(path):
            root.lost = "Something lies in no group that was sent."
        elif kind == "group":
            groups[path] = _typed_group(path, data)
            parent.parts.append(groups[path])
        else:
            parent.parts.append(_row(path, data, custom))
    for node in details[:MOST_NODES]:
        _take_detail(root, node, data)
    return root


def _typed_group(path: str, data: QueryDict) -> Group:
    match = data.get(f"{path}.match", "all")
    if match in MATCHES:
        return Group(path, match)
    return Group(path, lost=f"Choose how many of these must hold: {', '.join(MATCHES)}.")


def _refuse_depth(groups: Mapping[str, Group], path: str) -> None:
    """Say so beside the innermost group that is around it."""
    while path not in groups:
        path = path.rpartition("-")[0]
    groups[path].lost = f"Something in here is nested more than {MAX_DEPTH} deep."


def _take_detail(root: Group, path: str, data: QueryDict) -> None:
    """A condition on what a row counts, dropped where the row now asks about something else."""
    above, _, number = path.rpartition(".")
    row = next((row for row in rows_of(root) if row.path == above), None)
    if row is None or not _DETAIL.fullmatch(number) or not isinstance(row.asked, Tally):
        return
    detail = _row(path, data, row.custom)
    detail.of = row.asked
    if detail.field in dict(row.details) or not row.is_other_field:
        row.where.append(detail)


def _row(path: str, data: QueryDict, custom: CustomColumns) -> Row:
    def typed(name: str) -> str:
        return data.get(f"{path}.{name}", "")

    row = Row(path, typed("field"), typed("key"), typed("op"), typed("value"), data.getlist(f"{path}.values"))
    row.days, row.days_of, row.was, row.custom = typed("days"), typed("days_of"), typed("was"), custom
    return row
