"""What a marketer does on the pages, and what others may not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from campaigns.audit import audit
from campaigns.bouncing import Report, take
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Campaign, EmailStep, Enrolment, Message, Suppression
from campaigns.sweeping import sweep_until_idle
from campaigns.tracking.leaving import unsubscribe
from customers.models import Customer, Event, Segment
from retention.common import clock
from surveys.models import Answer, Invitation, Survey
from tests.baseline import assert_query_count
from tests.campaigns import people
from tests.campaigns.sink import Sink

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


def test_the_outbox_shows_what_the_recipient_would_see(signed_in: SignIn, segment: Segment) -> None:
    take_in(people.campaign(segment))
    deliver(30)
    analyst = signed_in("analyst")
    listed = analyst.get("/campaigns/outbox/").content.decode()
    assert listed.count("We miss you, Customer") == 8
    name = analyst.get("/campaigns/outbox/?page=0").context["mails"][0][0].name
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


def test_why_a_customer_did_or_did_not_get_it(signed_in: SignIn, segment: Segment, plain_sink: Sink) -> None:
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
    assert 'it took it, <span class="soft">and said “250' in why(first)
    assert "Was not taken in. The address is on the suppression list." in why(listed)
    assert "complained" in why(listed)
    assert "Is not in the segment “Lapsing”." in why(outside)
    panel = analyst.get(f"/campaigns/customer/{listed.pk}/").content.decode()
    assert "Win back" in panel
    assert "suppression list" in panel


def test_the_suppression_list(signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    Customer.objects.create(external_id="rude", email="rude@example.test")
    marketer.post("/campaigns/suppressions/add/", {"address": "Rude@Example.test", "note": "asked by phone"})
    entry = Suppression.objects.get()
    assert (entry.reason, entry.note) == ("manual", "asked by phone · by marketer@example.test")
    again = marketer.post("/campaigns/suppressions/add/", {"address": "rude@example.TEST"})
    assert again.status_code == 422
    assert b"on the list already" in again.content
    assert b"Rude@Example.test" in marketer.get("/campaigns/suppressions/?q=rude").content
    marketer.post(f"/campaigns/suppressions/{entry.pk}/remove/")
    assert not Suppression.objects.exists()
    on, off = Event.objects.order_by("pk")
    assert (on.kind, on.payload["why"]) == ("address.suppressed", "added by hand")
    assert (off.kind, off.payload) == ("address.released", {"by": "marketer@example.test"})


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
    written_to = Message.objects.values_list("customer", flat=True)[0]
    assert_query_count("campaigns customer panel", client, f"/campaigns/customer/{written_to}/")


def test_a_mail_is_found_by_whom_it_went_to(signed_in: SignIn, segment: Segment) -> None:
    take_in(people.campaign(segment))
    deliver(10)
    client = signed_in("marketer")
    client.post("/campaigns/test/", {"subject": "Hi", "body": "<p>x</p>"})
    assert len(client.get("/campaigns/outbox/").context["mails"]) == 9
    for query, whom in {
        "q=customer+3": "c3@example.test",
        "q=C4@": "c4@example.test",
        "tests=1": "marketer@example.test",
    }.items():
        ((mail, _),) = client.get(f"/campaigns/outbox/?{query}").context["mails"]
        assert mail.to == whom
    assert b"No such e-mail" in client.get("/campaigns/outbox/?q=nobody").content


def answered(message: Message) -> None:
    """The customer answers the survey that this message asked."""
    survey = Survey.objects.create(name="After", question="How likely?")
    ref = f"message:{message.pk}"
    asked = Invitation.objects.create(
        survey=survey, customer=message.customer, origin=ref, expires_at=clock.now() + timedelta(days=1)
    )
    Answer.objects.create(survey=survey, customer=message.customer, invitation=asked, score=9, answered_at=clock.now())


def test_what_came_back_opens_to_customers(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment)
    take_in(campaign)
    deliver(10)
    one, two, three, four, *_ = Message.objects.order_by("id")
    Message.objects.filter(pk__in=[one.pk, two.pk]).update(opened_at=clock.now())
    Message.objects.filter(pk=one.pk).update(clicked_at=clock.now())
    unsubscribe(two, "unsubscribe page", clock.now())
    take(Report(three.dedupe_key[:40], "5.1.1", "unknown"), clock.now())
    answered(four)
    client = signed_in("analyst")
    shown = client.get(f"/campaigns/{campaign.pk}/").context["responses"]
    assert {each.kind.name: (each.messages, each.sent) for each in shown} == {
        "opened": (2, 8), "clicked": (1, 8), "unsubscribed": (1, 8), "bounced": (1, 8)
    }  # fmt: skip
    for group, who in {"clicked": one, "unsubscribed": two, "bounced": three, "answered": four}.items():
        rows = client.get(f"/campaigns/{campaign.pk}/customers/?group={group}").context["rows"]
        assert [row["customer"] for row in rows] == [who.customer]
    assert client.get(f"/campaigns/{campaign.pk}/customers/?group=liked").status_code == 404


def test_entries_are_told_from_customers(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment, rest_days=0)
    take_in(campaign)
    client = signed_in("analyst")
    assert "entries of" not in client.get(f"/campaigns/{campaign.pk}/").content.decode()
    Enrolment.objects.update(left_at=clock.now())
    segment.memberships.update(left_at=clock.now())
    people.join(segment, list(Customer.objects.order_by("id")[:3]))
    segment.memberships.filter(left_at=None).update(entered_at=clock.now())
    take_in(campaign)
    assert "11 entries of 8 customers" in client.get(f"/campaigns/{campaign.pk}/").content.decode()


def test_the_effect_beside_is_the_effects_own(signed_in: SignIn, segment: Segment) -> None:
    campaign = people.campaign(segment, holdout_share=Decimal(50))
    take_in(campaign)
    client = signed_in("analyst")
    assert f'hx-get="/metrics/campaigns/{campaign.pk}/"' in client.get(f"/campaigns/{campaign.pk}/").content.decode()
    part = client.get(f"/metrics/campaigns/{campaign.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Too early to tell" in part


def test_a_placeholder_link_is_not_launched(signed_in: SignIn, segment: Segment) -> None:
    for body, fine in (
        ("https://example.com/", False),
        ("https://www.example.org/x", False),
        ("https://x.example/", True),
    ):
        campaign = people.campaign(
            segment, running=False, name=body, step={"body": f'<p><a href="{body}">Look</a></p>'}
        )
        shown = signed_in("marketer").get(f"/campaigns/{campaign.pk}/launch/")
        assert shown.context["problems"] == ([] if fine else [f"The link to {body} is only a placeholder"])


def test_a_launch_warns_of_links_that_stay_here(signed_in: SignIn, segment: Segment, settings: Any) -> None:
    campaign = people.campaign(segment, running=False)
    for address, warned in (("http://localhost:8000", True), ("https://crm.example", False)):
        settings.PUBLIC_URL = address
        text = signed_in("marketer").get(f"/campaigns/{campaign.pk}/launch/").content.decode()
        assert ("which only this computer can open" in text) == warned
