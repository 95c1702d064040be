"""Asking customers: in bulk, once per origin, by a link of their own."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Event
from retention.common import clock
from retention.common.links import LinkRefused, sign
from surveys.answering import Said, answer
from surveys.invitations import find, invitation_url, invite, record_asked, take_back, token_of
from surveys.models import Invitation, Survey

pytestmark = pytest.mark.django_db


def test_it_works(survey: Survey, customer: Customer) -> None:
    at = clock.now()
    invitation = invite(survey, [customer.pk], ["message:7"], at)["message:7"]
    assert invitation.expires_at == at + timedelta(days=30)
    url = invitation_url(invitation, score=9)
    assert url.startswith("http://testserver/s/")
    assert url.endswith("/?score=9")
    assert find(url.split("/")[4]) == invitation
    assert not Event.objects.filter(kind="survey.invited").exists(), "it has not left yet"
    record_asked([invitation])
    record_asked([invitation])
    event = Event.objects.get(customer=customer, kind="survey.invited")
    assert event.payload == {"survey": survey.pk, "invitation": invitation.pk}


def test_asking_again_from_the_same_origin_is_the_same_invitation(survey: Survey, customer: Customer) -> None:
    first = invite(survey, [customer.pk], ["message:7"], clock.now())
    again = invite(survey, [customer.pk], ["message:7"], clock.now() + timedelta(days=5))
    assert again["message:7"] == first["message:7"]
    assert again["message:7"].expires_at == first["message:7"].expires_at


def test_what_never_leaves_is_taken_back_but_not_an_answer(survey: Survey, invitation: Invitation) -> None:
    answered = invite(survey, [invitation.customer_id], ["message:8"], clock.now())["message:8"]
    answer(answered, Said(9), clock.now())
    take_back([invitation, answered])
    assert list(Invitation.objects.all()) == [answered]


def test_a_thousand_take_as_many_queries_as_one(survey: Survey) -> None:
    everyone = Customer.objects.bulk_create(Customer(external_id=f"b{i}") for i in range(1_000))
    invite(survey, [everyone[0].pk], ["message:0"], clock.now())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = invite(survey, [c.pk for c in everyone], [f"message:{i}" for i in range(1_000)], clock.now())
        record_asked(found.values())
    assert len(queries) <= 6
    assert len(found) == Invitation.objects.count() == Event.objects.filter(kind="survey.invited").count() == 1_000
    assert all(found[f"message:{i}"].customer_id == c.pk for i, c in enumerate(everyone))


@pytest.mark.parametrize("damage", [lambda t: t[:-1], lambda t: t + "x", lambda t: "x", lambda t: t.replace(":", "::")])
def test_a_damaged_link_is_refused(invitation: Invitation, damage) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LinkRefused):
        find(damage(token_of(invitation)))


def test_a_link_for_another_purpose_is_refused(invitation: Invitation) -> None:
    with pytest.raises(LinkRefused):
        find(sign("unsubscribe", invitation.pk))
    with pytest.raises(LinkRefused):
        find(sign("survey", 0))
