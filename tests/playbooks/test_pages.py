"""The pages of playbooks: made, changed, switched on, started, looked at, stopped; by those who may."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from customers.models import Customer, Event, Playbook, PlaybookRun, Segment, Stage, Task
from customers.playbooks import ready_made
from retention.workspace import jobs
from retention.workspace.models import Job, User
from tests.baseline import assert_query_count
from tests.playbooks.conftest import Make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.usefixtures("monday")


@pytest.fixture
def client(anna: User, signed_in: SignIn) -> Client:
    return signed_in("account_manager")


def post(client: Client, url: str, **said: object) -> str:
    return client.post(url, said, follow=True).content.decode()


def test_it_works(client: Client, customers: list[Customer]) -> None:
    assert "No playbooks yet" in client.get("/playbooks/").content.decode()
    made = post(client, "/playbooks/new/", name="Save", rule="stage", stage="at_risk", ends_early="on")
    assert "When a customer reaches the stage at risk" in made
    playbook = Playbook.objects.get()
    assert "It has no steps yet: add one first." in post(client, f"/playbooks/{playbook.pk}/act/", do="on")
    step = {"title": "Call", "reason": "They went quiet", "offset_days": 0, "whose": "owner"}
    post(client, f"/playbooks/{playbook.pk}/steps/new/", **step)
    page = post(client, f"/playbooks/{playbook.pk}/steps/new/", **step | {"title": "Ask again", "offset_days": 14})
    assert page.index("The day of the start") < page.index("14 days after the start")
    assert "It is on" in post(client, f"/playbooks/{playbook.pk}/act/", do="on")
    start = f"/customers/{customers[0].pk}/playbooks/start/"
    assert "“Save” has begun for C0." in post(client, start, playbook=playbook.pk)
    assert "“Save” runs for C0 already." in post(client, start, playbook=playbook.pk)
    page = client.get(f"/playbooks/{playbook.pk}/").content.decode()
    assert "0 of 2 tasks done" in page
    run = PlaybookRun.objects.get()
    assert re.search(r"Opens on <time[^>]*>30 Nov 2026", client.get(f"/playbooks/runs/{run.pk}/").content.decode())
    assert "1 open task dropped" in post(client, f"/playbooks/runs/{run.pk}/stop/")
    assert "It has ended already." in post(client, f"/playbooks/runs/{run.pk}/stop/")
    assert "Stopped by Anna" in client.get(f"/playbooks/{playbook.pk}/?show=ended").content.decode()
    timeline = client.get(f"/customers/{customers[0].pk}/").content.decode()
    assert "The playbook “Save” was stopped: Stopped by Anna" in timeline


def test_a_rule_has_what_it_needs(client: Client) -> None:
    for rule, says in (
        ("segment", "a segment"),
        ("stage", "a stage"),
        ("renewal", "1 to 365"),
        ("quarter", "a segment"),
    ):
        answer = client.post("/playbooks/new/", {"name": "Kept", "rule": rule})
        assert answer.status_code == 422
        assert says in answer.content.decode()
        assert 'value="Kept"' in answer.content.decode()
    Playbook.objects.create(name="Onboarding")
    assert "Another playbook has this name." in post(client, "/playbooks/new/", name="ONBOARDING", rule="hand")


def test_a_step_has_its_day_and_person(client: Client, playbook: Make) -> None:
    url = f"/playbooks/{playbook(0).pk}/steps/new/"
    wrong = post(client, url, title="Call", offset_days=-3, whose="person")
    assert "Give 0 to 365 days." in wrong
    assert "Choose somebody." in wrong
    renewal = playbook(-30, name="Renewal", rule="renewal", days_before=60)
    page = post(client, f"/playbooks/{renewal.pk}/steps/new/", title="Offer", offset_days=-3, whose="lead")
    assert "3 days before the renewal · the lead of the customer" in page


def test_steps_move_and_go(client: Client, playbook: Make) -> None:
    made = playbook(0, 1, 2)
    first, second, third = made.steps.all()

    def order() -> list[int]:
        return list(made.steps.values_list("pk", flat=True))

    post(client, f"/playbooks/steps/{first.pk}/act/", do="down")
    assert order() == [second.pk, first.pk, third.pk]
    post(client, f"/playbooks/steps/{second.pk}/act/", do="up")
    assert order() == [second.pk, first.pk, third.pk]
    for step in (first, second):
        post(client, f"/playbooks/steps/{step.pk}/act/", do="remove")
    assert "switch it off first" in post(client, f"/playbooks/steps/{third.pk}/act/", do="remove")
    assert list(made.steps.values_list("pk", "position")) == [(third.pk, 1)]


def test_the_second_of_two_editors_is_told(client: Client, playbook: Make) -> None:
    made = playbook(0)
    for url, field in ((f"/playbooks/{made.pk}/edit/", "name"), (f"/playbooks/steps/{made.steps.get().pk}/", "title")):
        page = client.get(url).content.decode()
        opened = re.search(r'name="opened" value="([^"]+)"', page)
        assert opened
        rest = {"rule": "hand"} if field == "name" else {"offset_days": 0, "whose": "owner"}
        client.post(url, rest | {field: "Theirs", "opened": opened[1]})
        second = client.post(url, rest | {field: "Mine", "opened": opened[1]})
        assert second.status_code == 422
        assert "Somebody else saved this" in second.content.decode()
        assert "“Theirs”" in second.content.decode()
        assert 'value="Mine"' in second.content.decode()
    made.refresh_from_db()
    assert made.name == "Theirs"
    assert made.on_since is None  # only by hand, so no rule is on


@pytest.mark.parametrize("key", ready_made.SHELF)
def test_a_ready_made_one_is_ones_own_with_one_click(client: Client, key: str) -> None:
    page = post(client, f"/playbooks/ready-made/{key}/")
    made = Playbook.objects.get()
    assert made.steps.count() == len(ready_made.SHELF[key].steps)
    assert "Look through it, then switch it on." in page
    assert "already: this is it." in post(client, f"/playbooks/ready-made/{key}/")
    assert "It is on" in post(client, f"/playbooks/{made.pk}/act/", do="on")
    assert "Open yours" in client.get("/playbooks/").content.decode()
    assert client.post("/playbooks/ready-made/other/").status_code == 404


def test_many_from_the_list(client: Client, customers: list[Customer], playbook: Make) -> None:
    made, url = playbook(0), "/customers/playbooks/start/"
    assert f'<option value="{made.pk}">Onboarding' in client.get("/customers/").content.decode()
    assert "Choose a playbook" in post(client, url, pick=[customers[0].pk])
    picked = {"playbook": made.pk, "pick": [customers[0].pk, customers[1].pk], "query": "q=c"}
    assert "has begun for 2 customers." in post(client, url, **picked)
    assert "has begun for 0 customers. For 2 it runs already" in post(client, url, **picked)
    asked = post(client, url, playbook=made.pk, scope="all", query="")
    assert "<strong>3 customers</strong>" in asked
    post(client, url, playbook=made.pk, scope="all", query="", confirmed="1")
    job = Job.objects.get()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.summary["matched"], job.summary["started"]) == (3, 1)
    assert "See how it goes" in client.get(f"/jobs/{job.pk}/").content.decode()
    assert "3 stopped; 3 of their open tasks are dropped." in post(client, f"/playbooks/{made.pk}/act/", do="stop")


def test_what_has_run_is_not_removed_and_what_stands_on_a_segment_keeps_it(
    client: Client, customers: list[Customer], playbook: Make
) -> None:
    segment = Segment.objects.create(name="Key", rule={"all": []})
    made = playbook(0, rule="segment", segment=segment)
    assert f'href="/playbooks/{made.pk}/"' in client.get(f"/segments/{segment.pk}/delete/").content.decode()
    post(client, f"/customers/{customers[0].pk}/playbooks/start/", playbook=made.pk)
    assert "switch it off instead" in post(client, f"/playbooks/{made.pk}/act/", do="remove")
    other = playbook(0, name="Other")
    assert "“Other” is removed." in post(client, f"/playbooks/{other.pk}/act/", do="remove")
    assert list(Playbook.objects.all()) == [made]


def test_who_may_only_read_is_refused(signed_in: SignIn, customers: list[Customer], playbook: Make) -> None:
    made, analyst = playbook(0), signed_in("analyst")
    page = analyst.get(f"/playbooks/{made.pk}/").content.decode()
    assert "Step 1" in page
    assert "/act/" not in page
    start = f"/customers/{customers[0].pk}/playbooks/start/"
    for url in (f"/playbooks/{made.pk}/act/", start, "/customers/playbooks/start/", "/playbooks/ready-made/save/"):
        assert analyst.post(url, {"do": "on", "playbook": made.pk}).status_code == 403
    assert analyst.get("/playbooks/new/").status_code == 403
    panel = analyst.get(f"/customers/{customers[0].pk}/playbooks/").content.decode()
    assert "None has run for them yet." in panel
    assert start not in panel
    assert not Task.objects.exists()


def test_pages_take_a_fixed_number_of_queries(client: Client, customers: list[Customer], playbook: Make) -> None:
    made = playbook(0, 5, stage=Stage.AT_RISK, rule="stage")
    for number, customer in enumerate(customers):
        post(client, f"/customers/{customer.pk}/playbooks/start/", playbook=made.pk)
        if number == 1:
            continue
        playbook(0, name=f"Another {number}")
        run = PlaybookRun.objects.first()
        assert run
        assert_query_count("playbooks", client, "/playbooks/")
        assert_query_count("playbook", client, f"/playbooks/{made.pk}/")
        assert_query_count("playbook run", client, f"/playbooks/runs/{run.pk}/")
        assert_query_count("playbooks panel", client, f"/customers/{customers[0].pk}/playbooks/")
    assert Event.objects.filter(kind="playbook.started").count() == 3


def test_the_second_is_told_in_words_what_the_first_said(client: Client) -> None:
    key, other = (Segment.objects.create(name=name, rule={"all": []}) for name in ("Key accounts", "Others"))
    playbook = Playbook.objects.create(name="Save", rule="segment", segment=key)
    url = f"/playbooks/{playbook.pk}/edit/"
    opened = re.search(r'name="opened" value="([^"]+)"', client.get(url).content.decode())
    assert opened
    said = {"name": "Save", "rule": "segment", "segment": key.pk, "opened": opened[1]}
    client.post(url, said | {"name": "Theirs"})
    told = client.post(url, said | {"name": "Mine"}).content.decode()
    assert "Theirs says: Name “Theirs”. What" in told  # and not the segment, which is the same
    client.post(url, {"name": "Theirs", "rule": "stage", "stage": "at_risk"})
    told = client.post(url, said | {"segment": other.pk, "name": "Theirs"}).content.decode()
    assert "Theirs says: Segment “nothing”. What" in told
    for value in ("stage", "at_risk", str(other.pk)):  # theirs where nothing was changed here, and mine
        assert re.search(rf'<option value="{value}"\s+selected', told), value
