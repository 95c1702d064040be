"""The builder of a segment's rule: rows and groups come and go, and what was typed is kept."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.datastructures import MultiValueDict

from customers.models import Segment
from customers.segments import drafts
from customers.segments.posted import draft_of
from customers.segments.ready_made import READY_MADE
from customers.segments.rules import parse
from tests.customers.segments.lapsing import LAPSING, NOW, SAID, TYPED

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _now(at: Callable[[datetime], None]) -> None:
    at(NOW)


class TestBuilder:
    def test_adding_keeps_what_was_typed(self, signed_in: SignIn) -> None:
        client, typed = signed_in("marketer"), TYPED | {"r-0.value": "not a number", "do": "row:r-1"}
        for htmx in (False, True):
            response = client.post("/segments/new/", typed, HTTP_HX_REQUEST="true" if htmx else "")
            text = response.content.decode()
            assert response.status_code == 200
            assert 'value="not a number"' in text
            assert 'name="r-1-1.field"' in text
            assert ("<html" in text) is not htmx
            assert htmx or 'value="Lapsing"' in text
        assert not Segment.objects.exists()

    def test_removing_a_group_takes_its_rows_along(self, signed_in: SignIn) -> None:
        text = signed_in("marketer").post("/segments/new/", TYPED | {"do": "remove:r-1"}).content.decode()
        assert 'name="r-0.field"' in text
        assert 'name="r-1' not in text

    @pytest.mark.parametrize("op", ["explode", "contains", ""])
    def test_an_unknown_comparison_is_refused_beside_its_row(self, op: str, signed_in: SignIn) -> None:
        """It would say something else than was sent if it became the field's first."""
        response = signed_in("marketer").post("/segments/new/", TYPED | {"r-1-0.op": op})
        text = " ".join(response.content.decode().split())
        assert response.status_code == 422
        assert 'id="r-1-0.error" role="alert">This field has no such comparison.' in text
        assert not Segment.objects.exists()

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"r-0.0.op": "explode"}, "This field has no such comparison"),
            ({"r-0.0.field": "explode"}, "The field is nothing that “Orders in a period” can be asked about"),
            ({"r-0.0.days_of": "mars"}, "must be &quot;workspace&quot; or &quot;customer&quot;"),
            ({"r.match": "explode"}, "Choose how many of these must hold"),
            ({"node": ["r-0:row", "r-7-0:row"]}, "Something lies in no group"),
            ({"node": ["r-0:row"] * 401}, "more than 400"),
        ],
    )
    def test_nothing_that_was_sent_is_passed_over(self, sent: dict[str, Any], words: str, signed_in: SignIn) -> None:
        counted = {"name": "Few", "node": ["r-0:row"], "r-0.field": "order_count", "r-0.op": "at_least"}
        counted |= {"r-0.value": "2", "r-0.days": "30", "detail": ["r-0.0"]}
        counted |= {"r-0.0.field": "at", "r-0.0.op": "before", "r-0.0.value": "2026-01-01"}
        response = signed_in("marketer").post("/segments/new/", counted | sent)
        assert response.status_code == 422
        assert words in response.content.decode()
        assert not Segment.objects.exists()

    @pytest.mark.parametrize(
        ("field", "typed", "value"),
        [
            ("revenue", "2", "2"),
            ("name", "2", "2"),
            ("order_count", "2", "2"),
            ("joined_at", "2", "2"),
            ("joined_at", "2.5", ""),
            ("stage", "2", ""),
            ("owner", "2", ""),
            ("segment", "2", ""),
            ("order_count", "2.5", ""),
            ("orders", "many", "many"),
        ],
    )
    def test_another_field_takes_along_what_it_can_ask_for(self, field: str, typed: str, value: str) -> None:
        """A number of orders is a number of euros, no day and nobody's name by its id."""
        sent = TYPED | {"r-0.was": "orders", "r-0.field": field, "r-0.value": typed, "r-0.op": "at_least"}
        root = draft_of(posted(sent))
        drafts.act(root, "update")
        row = root.parts[0]
        assert isinstance(row, drafts.Row)
        assert (row.value, row.chosen) == (value, row.operators[0] if value == "" else row.operator)

    def test_a_removed_rows_path_is_not_given_again_while_later_ones_stand(self) -> None:
        root = draft_of(posted(TYPED))
        drafts.act(root, "remove:r-0")
        drafts.act(root, "row:r")
        assert [part.path for part in root.parts] == ["r-1", "r-2"]

    def test_another_field_takes_its_own_comparisons(self, signed_in: SignIn) -> None:
        changed = TYPED | {"r-0.field": "stage", "do": "update"}
        text = signed_in("marketer").post("/segments/new/", changed).content.decode()
        assert "At risk</option>" in text
        assert 'name="r-0.value"' in text

    def test_errors_stand_beside_their_row_and_what_was_typed_is_kept(self, signed_in: SignIn) -> None:
        response = signed_in("marketer").post("/segments/new/", TYPED | {"name": "", "r-0.value": "two"})
        text = response.content.decode()
        assert response.status_code == 422
        assert "The value must be a number." in text
        assert 'value="two"' in text
        assert 'id="id_name_error"' in text
        assert 'value="60"' in text
        assert not Segment.objects.exists()

    def test_an_empty_group_is_refused(self, signed_in: SignIn) -> None:
        response = signed_in("marketer").post("/segments/new/", TYPED | {"node": ["r-0:row", "r-1:group"]})
        assert response.status_code == 422
        assert "Add a condition here" in response.content.decode()

    def test_a_name_is_taken_once(self, signed_in: SignIn) -> None:
        Segment.objects.create(name="Lapsing", rule=LAPSING)
        response = signed_in("marketer").post("/segments/new/", TYPED)
        assert response.status_code == 422
        assert "of that name already" in response.content.decode()

    def test_a_circle_is_refused(self, signed_in: SignIn) -> None:
        first = Segment.objects.create(name="First", rule=LAPSING)
        second = Segment.objects.create(name="Second", rule={"field": "segment", "op": "is_in", "value": first.pk})
        circle = {"name": "First", "node": ["r-0:row"], "r-0.field": "segment", "r-0.op": "is_in"}
        response = signed_in("marketer").post(f"/segments/{first.pk}/edit/", circle | {"r-0.value": str(second.pk)})
        assert response.status_code == 422
        assert "refers back" in response.content.decode()

    def test_a_refusal_stands_beside_the_row_it_is_about(self, signed_in: SignIn) -> None:
        """Also where rows were taken away before it, so that paths skip a number."""
        first = Segment.objects.create(name="First", rule=LAPSING)
        second = Segment.objects.create(name="Second", rule={"field": "segment", "op": "is_in", "value": first.pk})
        circle = TYPED | {"node": ["r-0:row", "r-4:group", "r-4-0:row", "r-4-3:row"], "r-4.match": "none"}
        circle |= {"r-4-0.field": "orders", "r-4-0.op": "at_least", "r-4-0.value": "1"}
        circle |= {"r-4-3.field": "segment", "r-4-3.op": "is_in", "r-4-3.value": str(second.pk)}
        response = signed_in("marketer").post(f"/segments/{first.pk}/edit/", circle)
        assert response.status_code == 422
        text = " ".join(response.content.decode().split())
        assert 'id="r-4-3.error" role="alert">This refers to “First”, which refers back to it.' in text

    def test_a_stored_rule_that_broke_says_where(self, signed_in: SignIn) -> None:
        gone = {"field": "segment", "op": "is_in", "value": 999_999}
        one = Segment.objects.create(name="Broken", rule={"all": [LAPSING, {"not": {"any": [LAPSING, gone]}}]})
        text = signed_in("marketer").get(f"/segments/{one.pk}/").content.decode()
        assert "row 2 of the group in row 2 refers to a segment that is no longer there" in text

    def test_absurd_depth_is_refused_beside_the_group(self, signed_in: SignIn) -> None:
        paths = ["r" + "-0" * depth for depth in range(1, 8)]
        deep = {"name": "Deep", "r.match": "none", "node": [f"{path}:group" for path in paths] + [f"{paths[-1]}-0:row"]}
        deep |= {f"{path}.match": "none" for path in paths}
        deep |= {f"{paths[-1]}-0.field": "orders", f"{paths[-1]}-0.op": "at_least", f"{paths[-1]}-0.value": "1"}
        response = signed_in("marketer").post("/segments/new/", deep)
        assert response.status_code == 422
        assert "This groups are nested more than" not in response.content.decode()
        assert "is nested more than 12 deep" in response.content.decode()

    def test_what_lies_deeper_than_the_page_can_show_is_refused_beside_what_is_around_it(
        self, signed_in: SignIn
    ) -> None:
        paths = ["r" + "-0" * depth for depth in range(1, 30)]
        deep = TYPED | {"node": ["r-9:row", *(f"{path}:group" for path in paths), f"{paths[-1]}-0:row"]}
        deep |= {"r-9.field": "orders", "r-9.op": "at_least", "r-9.value": "1"}
        response = signed_in("marketer").post("/segments/new/", deep)
        assert response.status_code == 422
        group = response.content.decode().partition(f'id="{paths[10]}"')[2]
        assert "Something in here is nested more than 12 deep." in group
        assert not Segment.objects.exists()

    @pytest.mark.parametrize(
        "rule",
        [
            SAID,
            LAPSING,
            {"field": "orders", "op": "at_least", "value": 2.5},
            {"not": {"field": "name", "op": "contains", "value": "a, b"}},
            {"not": {"all": [{"field": "nps_score", "op": "is_known"}, {"not": {"not": LAPSING}}]}},
            {"any": [{"field": "stage", "op": "is_any_of", "value": ["lost", "new"]}]},
            {"any": [{"field": "country", "op": "is_any_of", "value": ["France", "Italy"]}]},
            {"all": [{"field": "events.usage", "op": "at_most", "value": {"times": 3, "days": 30}}]},
            {"all": [{"field": "attributes.seats", "op": "at_least", "value": 10}]},
            {"all": [{"field": "joined_at", "op": "before", "value": "2026-01-31"}]},
            {"all": [{"field": "segment", "op": "is_in", "value": 7}]},
            {"all": [{"field": "owner", "op": "is", "value": "7"}]},
        ],
    )
    def test_a_stored_rule_comes_back_from_the_form_meaning_the_same(self, rule: dict[str, Any]) -> None:
        draft = drafts.from_rule(rule)
        assert drafts.check(draft)
        again = draft_of(posted(as_form(draft)))
        assert again.to_rule() == draft.to_rule()
        assert _flat(parse(draft.to_rule())) == _flat(parse(rule))

    def test_a_ready_made_segment_fills_the_builder(self, signed_in: SignIn) -> None:
        client = signed_in("marketer")
        for key, offer in READY_MADE.items():
            text = client.get(f"/segments/new/?from={key}").content.decode()
            assert f'value="{offer.name}"' in text
            parse(offer.rule)

    def test_what_is_posted_need_not_fit_together(self, signed_in: SignIn) -> None:
        client = signed_in("marketer")
        for odd in (
            {},
            {"node": ["r-9-9:row", "x:group", ":", "r-0:row", "r" + "-0" * 40 + ":group"]},
            {"node": ["r-0:row"] * 3, "r-0.field": "gone"},
            {"node": ["r-0:row"], "r-0.field": "attributes.", "r-0.key": "\0"},
            {"do": "row:r-7"},
            {"do": "explode"},
        ):
            assert client.post("/segments/new/", odd).status_code in (200, 422)
            assert client.post("/segments/preview/", odd).status_code == 200


def posted(values: dict[str, Any]) -> Any:
    return _Typed({key: value if isinstance(value, list) else [value] for key, value in values.items()})


class _Typed(MultiValueDict[str, str]):
    """A form's data, without the request."""


def as_form(part: drafts.Row | drafts.Group) -> dict[str, Any]:
    """What the page's inputs would send."""
    if isinstance(part, drafts.Row):
        names = ("field", "key", "op", "value", "days")
        sent: dict[str, Any] = {f"{part.path}.{name}": getattr(part, name) for name in names}
        return sent | {f"{part.path}.values": part.values, "node": [f"{part.path}:row"]}
    sent = {f"{part.path}.match": part.match, "node": [] if part.is_root else [f"{part.path}:group"]}
    for inner in part.parts:
        below = as_form(inner)
        sent["node"] += below.pop("node")
        sent |= below
    return sent


def _flat(rule: Any) -> Any:
    """A rule without the groups of one that the builder puts around conditions."""
    parts = getattr(rule, "parts", None)
    if parts is not None and len(parts) == 1:
        return _flat(parts[0])
    if parts is not None:
        return type(rule), tuple(map(_flat, parts))
    return ("not", _flat(rule.part)) if hasattr(rule, "part") else rule
