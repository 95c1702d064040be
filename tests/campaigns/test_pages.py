"""What a marketer does on the pages, and what others may not."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from campaigns.audit import audit
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Campaign, EmailStep, Message, Suppression
from campaigns.sweeping import sweep_until_idle
from customers.models import Customer, Event, Segment
from surveys.models import Survey
from tests.baseline import assert_query_count
from tests.campaigns import people

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
EVERYBODY = {"all": [{"field": "email", "op": "is_not", "value": "nobody"}]}


@pytest.fixture(autouse=True)
def outbox(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_URL, settings.OUTBOX_DIR = "", tmp_path
    return tmp_path


@pytest.fixture
def segment() -> Segment:
    return people.segment("Lapsing", people.customers(8))


def typed(segment: Segment, **changes: Any) -> dict[str, Any]:
    """The form as somebody fills it in."""
    return {
        "name": "Win back",
        "segment": segment.pk,
        "take_present": "on",
        "rest_days": 7,
        "spare_controls": "on",
        "again_days": 90,
        "holdout_share": "25",
        "goal_days": 30,
        "version": "",
        "wait": 0,
        "wait_unit": "days",
        "subject": "We miss you, {{ customer.name }}",
        "preheader": "",
        "body": people.BODY,
        "survey": "",
        "give_up_days": 7,
    } | changes


def test_it_works(signed_in: SignIn, segment: Segment) -> None:
    marketer = signed_in("marketer")
    assert b"Win customers back" in marketer.get("/campaigns/").content
    begin = marketer.get("/campaigns/new/")
    assert b"Begin with" in begin.content
    form = marketer.get("/campaigns/new/?from=win-back")
    assert b"We miss you" in form.content
    saved = marketer.post("/campaigns/new/", typed(segment))
    campaign = Campaign.objects.get()
    assert saved["Location"] == f"/campaigns/{campaign.pk}/"
    rehearsal = marketer.get(f"/campaigns/{campaign.pk}/launch/").content.decode()
    assert "Nothing has been sent" in rehearsal
    assert not campaign.enrolments.exists()
    marketer.post(f"/campaigns/{campaign.pk}/launch/", {"version": campaign.version})
    Segment.objects.update(rule=EVERYBODY)
    sweep_until_idle()
    found = audit(campaign)
    assert found.enrolled == 8
    assert found.balanced
    assert found["sent"] + found["held_out"] == 8
    page = marketer.get(f"/campaigns/{campaign.pk}/").content.decode()
    assert "Where everybody is" in page
    for term in found.terms:
        behind = marketer.get(f"/campaigns/{campaign.pk}/customers/?group={term.group.name}")
        assert behind.context["page"].paginator.count == term.customers


def test_what_was_typed_is_kept_and_errors_stand_beside_their_field(signed_in: SignIn, segment: Segment) -> None:
    answer = signed_in("marketer").post(
        "/campaigns/new/", typed(segment, body="<p>{{ customer.name </p>", holdout_share="95", subject="Kept")
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The Liquid can&#x27;t be read" in page
    assert "less than or equal to 90" in page
    assert 'value="Kept"' in page
    assert not Campaign.objects.exists()


def test_the_second_of_two_editors_is_told(signed_in: SignIn, segment: Segment) -> None:
    marketer, administrator = signed_in("marketer"), signed_in("administrator")
    marketer.post("/campaigns/new/", typed(segment))
    campaign = Campaign.objects.get()
    both_opened = campaign.version
    first = administrator.post(f"/campaigns/{campaign.pk}/edit/", typed(segment, subject="Theirs", version=both_opened))
    assert first.status_code == 302
    second = marketer.post(f"/campaigns/{campaign.pk}/edit/", typed(segment, subject="Mine", version=both_opened))
    assert second.status_code == 422
    assert b"administrator@example.test saved this draft" in second.content
    assert b'value="Mine"' in second.content
    assert EmailStep.objects.get().subject == "Theirs"


def test_a_launched_campaign_is_not_edited(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment)
    marketer = signed_in("marketer")
    answer = marketer.post(f"/campaigns/{campaign.pk}/edit/", typed(segment, subject="Other"))
    assert answer["Location"] == f"/campaigns/{campaign.pk}/"
    assert EmailStep.objects.get().subject.startswith("We miss you")
    marketer.post(f"/campaigns/{campaign.pk}/delete/")
    assert Campaign.objects.exists()


def test_a_text_that_cannot_be_filled_in_is_not_launched(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment, running=False, step={"body": "{{ customer.nmae }}"})
    marketer = signed_in("marketer")
    answer = marketer.post(f"/campaigns/{campaign.pk}/launch/", {"version": campaign.version})
    assert answer.status_code == 422
    assert b"nmae" in answer.content
    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_a_draft_changed_after_the_rehearsal_is_looked_at_again(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment, running=False)
    Campaign.objects.update(version=4)
    signed_in("marketer").post(f"/campaigns/{campaign.pk}/launch/", {"version": 3})
    campaign.refresh_from_db()
    assert campaign.state == "draft"


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
    assert b"Sent to marketer@example.test" in answer.content
    (mail,) = outbox.rglob("*.eml")
    content = mail.read_bytes()
    assert b"To: marketer@example.test" in content
    assert b"[Test] Hi" in content
    assert b"https://a.example/" in content, "links are not tracked"
    assert not Message.objects.exists()
    shown = marketer.get("/campaigns/outbox/").content.decode()
    assert "[Test] Hi" in shown


def test_the_outbox_shows_what_the_recipient_would_see(signed_in: SignIn, segment: Segment) -> None:
    take_in(people.campaign(segment))
    deliver(30)
    analyst = signed_in("analyst")
    listed = analyst.get("/campaigns/outbox/").content.decode()
    assert listed.count("We miss you, Customer") == 8
    name = analyst.get("/campaigns/outbox/").context["mails"][0][0].name
    frame = analyst.get(f"/campaigns/outbox/{name}/frame/")
    assert "default-src 'none'" in frame["Content-Security-Policy"]
    assert "/o/" not in frame.content.decode(), "reading it here is not counted"
    assert "/c/" in frame.content.decode()
    assert analyst.get(f"/campaigns/outbox/{name}/").status_code == 200


@pytest.mark.parametrize("name", ["../../etc/passwd", "2026-01-01/../../x.eml", "2026-01-01/000000000000-1.eml", "x"])
def test_the_outbox_opens_nothing_else(signed_in: SignIn, name: str) -> None:
    assert signed_in("analyst").get(f"/campaigns/outbox/{name}/frame/").status_code == 404


def test_unconfirmed_messages_are_settled_by_a_person(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment)
    take_in(campaign)
    first, second = Message.objects.order_by("id")[:2]
    for state in ("claimed", "sending", "unknown"):
        Message.objects.filter(pk__in=[first.pk, second.pk]).update(state=state)
    marketer = signed_in("marketer")
    listed = marketer.get(f"/campaigns/{campaign.pk}/customers/?group=unknown").content.decode()
    assert listed.count("Send it again</button>") == 2
    marketer.post(f"/campaigns/messages/{first.pk}/mark-sent/")
    for _ in range(2):
        marketer.post(f"/campaigns/messages/{second.pk}/resend/")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.reason) == ("sent", "Marked as sent by marketer@example.test.")
    assert (second.state, second.reason) == ("failed", "Given up and sent again by marketer@example.test.")
    assert Message.objects.filter(resend_of=second).count() == 1
    assert audit(campaign).balanced
    deliver(30)
    assert audit(campaign)["sent"] == 8
    reasons = Event.objects.filter(kind__in=["message.sent", "message.failed"], payload__has_key="reason")
    assert reasons.count() == 2


def test_why_a_customer_did_or_did_not_get_it(signed_in: SignIn, segment: Segment) -> None:
    listed = Customer.objects.order_by("id")[1]
    Suppression.objects.create(channel="email", address=listed.email, reason="complained")
    outside = people.customers(1, start=50)[0]
    campaign = people.campaign(segment)
    take_in(campaign)
    deliver(30)
    analyst = signed_in("analyst")

    def why(customer: Customer) -> str:
        return analyst.get(f"/campaigns/{campaign.pk}/customers/{customer.pk}/").content.decode()

    first = Customer.objects.order_by("id").first()
    assert first is not None
    assert "Got it." in why(first)
    assert "Put on the wire" in why(first)
    assert "Was not taken in. The address is on the suppression list." in why(listed)
    assert "complained" in why(listed)
    assert "Is not in the segment “Lapsing”." in why(outside)
    panel = analyst.get(f"/campaigns/customer/{listed.pk}/").content.decode()
    assert "Win back" in panel
    assert "suppression list" in panel


def test_the_suppression_list(signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    marketer.post("/campaigns/suppressions/add/", {"address": "Rude@Example.test", "note": "asked by phone"})
    entry = Suppression.objects.get()
    assert (entry.reason, entry.note) == ("manual", "asked by phone · by marketer@example.test")
    again = marketer.post("/campaigns/suppressions/add/", {"address": "rude@example.TEST"})
    assert again.status_code == 422
    assert b"on the list already" in again.content
    assert b"Rude@Example.test" in marketer.get("/campaigns/suppressions/?q=rude").content
    marketer.post(f"/campaigns/suppressions/{entry.pk}/remove/")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("role", ["analyst", "account_manager"])
def test_who_may_not_change_campaigns_sees_no_buttons_and_is_refused(
    signed_in: SignIn, segment: Segment, role: str
) -> None:
    campaign = people.campaign(segment)
    client = signed_in(role)
    page = client.get(f"/campaigns/{campaign.pk}/").content.decode()
    assert "Pause" not in page
    assert "New campaign" not in client.get("/campaigns/").content.decode()
    for path in ("pause", "finish", "launch", "delete", "edit"):
        assert client.post(f"/campaigns/{campaign.pk}/{path}/").status_code == 403
    for path in ("new", "preview", "test", "suppressions/add"):
        assert client.post(f"/campaigns/{path}/", {}).status_code == 403
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, segment: Segment) -> None:
    client = signed_in("marketer")
    for n in range(2):
        take_in(people.campaign(segment, name=f"C{n}", holdout_share=Decimal(30), rest_days=0))
    campaign = Campaign.objects.first()
    assert campaign is not None
    assert_query_count("campaigns list", client, "/campaigns/")
    assert_query_count("campaign detail", client, f"/campaigns/{campaign.pk}/")
    assert_query_count("campaign people", client, f"/campaigns/{campaign.pk}/customers/")
    assert_query_count("campaigns suppressions", client, "/campaigns/suppressions/")
    customer = Customer.objects.first()
    assert customer is not None
    assert_query_count("campaigns customer panel", client, f"/campaigns/customer/{customer.pk}/")
