"""The segments' pages: building, saving, reading, deleting, explaining; who may."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Campaign
from customers.facts import dirty
from customers.models import Customer, Segment, SegmentMembership
from customers.segments import membership, patience, preview, saving
from retention.workspace import jobs
from retention.workspace.models import Job, User
from tests.baseline import assert_query_count
from tests.customers.facts.world import DAY
from tests.customers.router import route
from tests.customers.segments.lapsing import LAPSING, NOW, SAID, TYPED, buyer

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _now(at: Callable[[datetime], None]) -> None:
    at(NOW)


def test_it_works(signed_in: SignIn) -> None:
    lapsing, _active = buyer(1, 100, 70), buyer(2, 100, 5)
    client = signed_in("marketer")
    response = client.post("/segments/new/", TYPED, follow=True)
    segment = Segment.objects.get()
    assert response.redirect_chain == [(f"/segments/{segment.pk}/", 302)]
    assert segment.rule == SAID
    assert (segment.size, segment.computed_at) == (1, NOW)
    text = response.content.decode()
    assert "Customer 1" in text
    assert "Customer 2" not in text
    assert "Number of orders is at least 2" in text
    assert SegmentMembership.objects.get().customer == lapsing


@pytest.mark.parametrize("role", ["account_manager", "marketer", "administrator"])
def test_who_may_build(signed_in: SignIn, role: str) -> None:
    assert signed_in(role).get("/segments/new/").status_code == 200


def test_an_analyst_reads_and_changes_nothing(signed_in: SignIn) -> None:
    segment, who = Segment.objects.create(name="Lapsing", rule=LAPSING), buyer(1, 100, 70)
    client = signed_in("analyst")
    for path in ("", f"{segment.pk}/", f"{segment.pk}/why/{who.pk}/", f"customer/{who.pk}/", f"{segment.pk}/why/"):
        assert client.get(f"/segments/{path}").status_code == 200
    for path in ("new/", f"{segment.pk}/edit/", f"{segment.pk}/delete/"):
        assert client.get(f"/segments/{path}").status_code == 403
    for path in ("new/", "preview/", f"{segment.pk}/edit/", f"{segment.pk}/delete/", f"{segment.pk}/refresh/"):
        assert client.post(f"/segments/{path}", TYPED).status_code == 403
    assert "New segment" not in client.get("/segments/").content.decode()
    assert list(Segment.objects.values_list("name", "rule")) == [("Lapsing", LAPSING)]


def test_a_get_changes_nothing(signed_in: SignIn) -> None:
    segment = Segment.objects.create(name="Lapsing", rule=LAPSING)
    client = signed_in("administrator")
    assert client.get(f"/segments/{segment.pk}/delete/").status_code == 200
    assert client.get(f"/segments/{segment.pk}/refresh/").status_code == 405
    assert client.get("/segments/preview/").status_code == 405
    assert Segment.objects.count() == 1


class TestPreview:
    def test_it_counts_and_shows_ten(self, signed_in: SignIn) -> None:
        for number in range(12):
            buyer(number, 100 + number, 70)
        buyer(50, 3)
        text = signed_in("marketer").post("/segments/preview/", TYPED).content.decode()
        assert "<strong>12</strong> of 13 customers" in text
        assert text.count("<li>") == 10

    def test_unfinished_conditions_are_left_out_and_said_to_be(self, signed_in: SignIn) -> None:
        buyer(1, 70)
        client = signed_in("marketer")
        text = client.post("/segments/preview/", TYPED | {"r-0.value": ""}).content.decode()
        assert "<strong>1</strong> of 1 customer " in text
        assert "Without 1 condition still to fill in" in text
        text = client.post("/segments/preview/", TYPED | {"r-0.value": "", "r-1-0.value": ""}).content.decode()
        assert "Fill in a condition" in text

    def test_what_takes_too_long_is_stopped(self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
        buyer(1, 100, 70)
        monkeypatch.setattr(patience, "PATIENCE_MS", 50)
        monkeypatch.setattr(preview, "SAMPLE", "(SELECT 10 FROM pg_sleep(5))")
        text = signed_in("marketer").post("/segments/preview/", TYPED).content.decode()
        assert "takes too long" in text
        assert Segment.objects.count() == 0, "the connection works on"


class TestChanging:
    def test_a_changed_rule_moves_members_also_of_those_who_refer(self, signed_in: SignIn) -> None:
        who = buyer(1, 100, 70)
        first = Segment.objects.create(name="First", rule=LAPSING)
        second = Segment.objects.create(name="Second", rule={"field": "segment", "op": "is_not_in", "value": first.pk})
        membership.refresh()
        assert list(SegmentMembership.objects.values_list("segment", flat=True)) == [first.pk]
        response = signed_in("marketer").post(f"/segments/{first.pk}/edit/", TYPED | {"r-0.value": "3"})
        assert response.status_code == 302
        present = SegmentMembership.objects.filter(left_at=None)
        assert list(present.values_list("segment", "customer")) == [(second.pk, who.pk)]

    def test_a_rule_that_somebody_else_changed_meanwhile_is_not_lost(self, signed_in: SignIn) -> None:
        segment = Segment.objects.create(name="Old", rule=SAID)
        client, url = signed_in("marketer"), f"/segments/{segment.pk}/edit/"
        mark = re.compile(r'name="opened" value="([^"]+)"')
        opened = mark.findall(client.get(url).content.decode())[0]
        Segment.objects.filter(pk=segment.pk).update(rule=LAPSING)
        adding = client.post(url, TYPED | {"opened": opened, "do": "add-row:r"}).content.decode()
        assert mark.findall(adding) == [opened], "a row more is no reason to forget what was opened"
        refused = client.post(url, TYPED | {"opened": opened})
        assert refused.status_code == 422
        assert "Somebody else saved this" in refused.content.decode()
        segment.refresh_from_db()
        assert segment.rule == LAPSING
        again = mark.findall(refused.content.decode())[0]
        assert client.post(url, TYPED | {"opened": again}).status_code == 302

    def test_a_changed_name_alone_computes_nothing(self, signed_in: SignIn, at: Callable[[datetime], None]) -> None:
        segment = Segment.objects.create(name="Old", rule=SAID, computed_at=NOW)
        at(NOW + DAY)
        signed_in("marketer").post(f"/segments/{segment.pk}/edit/", TYPED)
        segment.refresh_from_db()
        assert (segment.name, segment.computed_at) == ("Lapsing", NOW)

    def test_a_large_one_is_worked_out_by_a_job(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        monkeypatch.setattr(saving, "SMALL", 1)
        buyer(1, 100, 70)
        buyer(2, 100, 70)
        client = signed_in("marketer")
        client.post("/segments/new/", TYPED)
        segment, job = Segment.objects.get(), Job.objects.get()
        assert (segment.size, segment.computed_at) == (0, None)
        assert f"job-{job.pk}" in client.get(f"/segments/{segment.pk}/").content.decode()
        client.post(f"/segments/{segment.pk}/refresh/")
        assert Job.objects.count() == 1, "the open job does it"
        jobs.run(job.pk)
        segment.refresh_from_db()
        job.refresh_from_db()
        assert (segment.size, job.summary) == (2, {"members": 2})
        assert "2 customers are in it now" in client.get(f"/jobs/{job.pk}/").content.decode()

    def test_a_job_that_runs_may_have_read_the_rule_before(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(saving, "SMALL", 0)
        buyer(1, 100, 70)
        by = User.objects.get_or_create(email="a@example.test")[0]
        segment = Segment(name="Said", rule=SAID)
        running = saving.save(segment, by)
        assert running is not None
        Job.objects.update(state=Job.State.RUNNING)
        segment.rule = LAPSING
        later = saving.save(segment, by)
        assert later not in (None, running)
        assert saving.recompute(segment, by) == later

    def test_a_broken_rule_says_so_and_can_be_built_anew(self, signed_in: SignIn) -> None:
        segment = Segment.objects.create(name="Broken", rule={"field": "gone", "op": "is", "value": 1})
        client = signed_in("marketer")
        assert "no longer works" in client.get(f"/segments/{segment.pk}/").content.decode()
        assert client.get(f"/segments/{segment.pk}/edit/").status_code == 200

    def test_deleting(self, signed_in: SignIn) -> None:
        segment = Segment.objects.create(name="Lapsing", rule=LAPSING)
        response = signed_in("marketer").post(f"/segments/{segment.pk}/delete/")
        assert response.status_code == 302
        assert not Segment.objects.exists()

    @pytest.mark.parametrize("field", ["segment", "not_in"])
    def test_a_segment_that_a_campaign_uses_stays(self, signed_in: SignIn, field: str) -> None:
        used, other = (Segment.objects.create(name=name, rule=LAPSING) for name in ("Used", "Other"))
        Campaign.objects.create(name="Win back", **({"segment": other} | {field: used}))
        client = signed_in("administrator")
        response = client.post(f"/segments/{used.pk}/delete/")
        assert response.status_code == 409
        assert "Win back" in response.content.decode()
        assert Segment.objects.filter(pk=used.pk).exists()
        assert "Win back" in client.get("/segments/").content.decode()

    def test_a_segment_that_another_refers_to_stays(self, signed_in: SignIn) -> None:
        used = Segment.objects.create(name="Used", rule=LAPSING)
        Segment.objects.create(name="Other", rule={"not": {"field": "segment", "op": "is_in", "value": used.pk}})
        response = signed_in("administrator").post(f"/segments/{used.pk}/delete/")
        assert response.status_code == 409
        assert Segment.objects.count() == 2


def test_who_was_in_it_on_a_day(signed_in: SignIn, at: Callable[[datetime], None]) -> None:
    segment = Segment.objects.create(name="French", rule={"field": "country", "op": "is", "value": "France"})
    who = buyer(1)
    for day, country in ((1, "France"), (3, "")):
        at(NOW + day * DAY)
        Customer.objects.update(country=country)
        dirty.mark([who.pk])
        route()
    client = signed_in("analyst")
    shown = [
        "Customer 1" in client.get(f"/segments/{segment.pk}/?on=2026-05-{day}").content.decode()
        for day in range(14, 20)
    ]
    assert shown == [False, False, True, True, False, False]
    for odd in ("", "yesterday", "2026-02-31", "9999-12-31", "0001-01-01"):
        assert client.get(f"/segments/{segment.pk}/?on={odd}").status_code == 200


class TestExplaining:
    def test_in_and_out(self, signed_in: SignIn) -> None:
        segment = Segment.objects.create(name="Lapsing", rule=LAPSING)
        inside, outside = buyer(1, 100, 70), buyer(2, 100, 5)
        client = signed_in("analyst")
        text = client.get(f"/segments/{segment.pk}/why/{inside.pk}/").content.decode()
        assert "Why Customer 1 is in “Lapsing”" in text
        text = client.get(f"/segments/{segment.pk}/why/{outside.pk}/").content.decode()
        assert "Why Customer 2 is not in “Lapsing”" in text
        assert "5 days ago" in text

    def test_the_panel_of_a_customers_page(self, signed_in: SignIn) -> None:
        lapsing = Segment.objects.create(name="Lapsing", rule=LAPSING)
        Segment.objects.create(name="Never ordered", rule={"field": "orders", "op": "equals", "value": 0})
        who = buyer(1, 100, 70)
        client = signed_in("analyst")
        panel = client.get(f"/segments/customer/{who.pk}/", HTTP_HX_REQUEST="true").content.decode()
        assert "<html" not in panel
        assert "Not in 1 other" in panel
        why = client.get(f"/segments/{lapsing.pk}/why/{who.pk}/", HTTP_HX_REQUEST="true").content.decode()
        assert "<html" not in why
        assert "2" in why

    def test_finding_the_customer(self, signed_in: SignIn) -> None:
        segment = Segment.objects.create(name="Lapsing", rule=LAPSING)
        who = buyer(1, 100)
        buyer(11, 100)
        Customer.objects.filter(pk=who.pk).update(email="Ada@Example.test")
        client, find = signed_in("analyst"), f"/segments/{segment.pk}/why/"
        for asked in ("c1", "ada@example.TEST"):
            assert client.get(find, {"customer": asked}).headers["Location"] == f"{find}{who.pk}/"
        assert client.get(find, {"customer": "customer"}).content.decode().count(find) >= 2
        assert "Nobody goes by that" in client.get(find, {"customer": "%"}).content.decode()


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    client = signed_in("marketer")
    for start in (0, 10):
        segments = [Segment.objects.create(name=f"Segment {start + number}", rule=LAPSING) for number in range(5)]
        people = [buyer(start + number, 100, 70) for number in range(5)]
        Campaign.objects.create(name=f"Win back {start}", segment=segments[0])
        one, who = segments[0].pk, people[0].pk
        assert_query_count("segments list", client, "/segments/")
        assert_query_count("segment", client, f"/segments/{one}/")
        assert_query_count("segment builder", client, f"/segments/{one}/edit/")
        assert_query_count("segment explained", client, f"/segments/{one}/why/{who}/")
        assert_query_count("segments of a customer", client, f"/segments/customer/{who}/")
