"""A text as a customer would see it, before anything is sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Message
from campaigns.previewing import preview as fill_in
from campaigns.ready_made import WIN_BACK
from campaigns.rendering.sandbox import Texts
from campaigns.rendering.variables import about
from customers.models import Customer
from retention.common import clock
from retention.workspace.models import Workspace
from surveys.models import Survey
from tests.campaigns import people

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def outbox(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_URL, settings.OUTBOX_DIR = "", tmp_path
    return tmp_path


def preview(client: Client, **typed: str) -> Any:
    return client.post("/campaigns/preview/", {"subject": "S", "preheader": "", "body": "", "survey": ""} | typed)


def test_a_preview_is_filled_in_for_the_customer_one_means(signed_in: SignIn) -> None:
    people.customers(3)
    marketer = signed_in("marketer")
    for meant in ("c2", "C2@example.test", "customer 2"):
        answer = preview(marketer, body="Dear {{ customer.name }}", preview_as=meant)
        assert b"Dear Customer 2" in answer.content
    assert b"No customer has this" in preview(marketer, preview_as="nobody").content
    assert b"undefined" in preview(marketer, body="{{ nothing }}").content


def test_a_preview_can_run_nothing(signed_in: SignIn) -> None:
    people.customers(1)
    answer = preview(signed_in("marketer"), body="<script>alert(1)</script>")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert b"<script>" not in answer.content, "it stands escaped in the inner frame"


def test_a_survey_shows_its_links_in_the_preview(signed_in: SignIn) -> None:
    people.customers(1)
    survey = Survey.objects.create(name="NPS", question="?", follow_up="Why?", thanks="Thanks")
    body = "{% for url in survey.score_urls %}{{ url }} {% endfor %}"
    assert b"score=10" in preview(signed_in("marketer"), body=body, survey=str(survey.pk)).content
    assert b"undefined" in preview(signed_in("marketer"), body="{{ survey.url }}").content


def test_a_test_message_goes_to_oneself(signed_in: SignIn, outbox: Path) -> None:
    people.customers(1)
    marketer = signed_in("marketer")
    answer = marketer.post(
        "/campaigns/test/",
        {"subject": "Hi", "body": "<a href='https://a.example/'>x</a>"},
        headers={"HX-Request": "true"},
    )
    (mail,) = outbox.rglob("*.eml")
    kept = f"/campaigns/outbox/{mail.parent.name}/{mail.name}/"
    assert f'Kept in the outbox, as Customer 1 would get it. <a href="{kept}">' in answer.content.decode()
    assert marketer.get(kept).status_code == 200
    content = mail.read_bytes()
    assert b"To: marketer@example.test" in content
    assert b"[Test] Hi" in content
    assert b"https://a.example/" in content, "links are not tracked"
    assert not Message.objects.exists()
    shown = marketer.get("/campaigns/outbox/").content.decode()
    assert "[Test] Hi" in shown


def test_a_company_has_no_first_name() -> None:
    people.customers(2)
    Customer.objects.filter(external_id="c1").update(kind=Customer.Kind.COMPANY, name="Copper Kettle Ltd")
    ids = list(
        Customer.objects.filter(external_id__in=["c1", "c2"]).order_by("external_id").values_list("id", flat=True)
    )
    found = about(ids, Workspace.current(), clock.now())
    assert [found[pk]["customer"]["first_name"] for pk in ids] == ["", "Customer"]
    shown = fill_in(Texts(WIN_BACK.subject, "", WIN_BACK.body), Customer.objects.get(external_id="c1"), asks=False)
    assert shown.subject == "We miss you, Copper Kettle Ltd"
