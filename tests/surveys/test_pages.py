"""The pages about surveys, for the people who work here."""

import csv
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from customers.events.recording import Happening, record
from customers.models import Customer, Task
from retention.common import clock
from surveys.answering import Said, answer
from surveys.invitations import find, invite, token_of
from surveys.models import Answer, Invitation, Survey
from surveys.reading import by_month, by_score, last_months, responses
from tests.baseline import assert_query_count

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def customers(count: int) -> list[Customer]:
    start = Customer.objects.count()
    return Customer.objects.bulk_create(Customer(external_id=f"p{start + i}", name=f"C {i}") for i in range(count))


def say(survey: Survey, scores: list[int], days_ago: int = 1, comment: str = "Because") -> None:
    at = clock.now() - timedelta(days=days_ago)
    Answer.objects.bulk_create(
        Answer(survey=survey, customer=customer, score=score, comment=comment, answered_at=at)
        for customer, score in zip(customers(len(scores)), scores, strict=True)
    )


def test_it_works(signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    assert "Ask your customers" in marketer.get("/surveys/").content.decode()
    new = marketer.get("/surveys/new/")
    assert "How likely are you to recommend" in new.content.decode()
    texts = {"name": "Spring", "question": "How?", "follow_up": "Why?", "thanks": "Thanks", "open_days": 14}
    made = marketer.post("/surveys/new/", texts, follow=True).content.decode()
    assert "The survey is ready" in made
    assert "No answers in this period" in made
    survey = Survey.objects.get(name="Spring", open_days=14)
    say(survey, [10, 9, 9, 7, 2], comment="Late again <i>")
    page = marketer.get(f"/surveys/{survey.pk}/").content.decode()
    assert "Late again &lt;i&gt;" in page
    assert "60.0 %" in page
    assert "5 answers" in page
    assert "few answers" in page


def test_a_bad_form_says_where_and_keeps_what_was_typed(signed_in: SignIn, survey: Survey) -> None:
    texts = {"name": "Spring", "question": "", "follow_up": "Tell us", "thanks": "Thanks", "open_days": 0}
    page = signed_in("marketer").post("/surveys/new/", texts)
    assert page.status_code == 422
    assert "Survey with this Name already exists." in page.content.decode()
    assert "This field is required." in page.content.decode()
    assert "Between 1 and 365 days." in page.content.decode()
    assert "Tell us" in page.content.decode()
    assert Survey.objects.count() == 1


def test_the_list_of_answers_is_filtered_by_group_and_period(signed_in: SignIn, survey: Survey) -> None:
    say(survey, [10, 9], comment="Lovely")
    say(survey, [8], comment="Decent")
    say(survey, [3], comment="Dreadful")
    say(survey, [0], comment="Long ago", days_ago=200)
    analyst = signed_in("analyst")
    page = analyst.get(f"/surveys/{survey.pk}/?group=detractor").content.decode()
    assert "Dreadful" in page
    assert "Lovely" not in page
    assert "Decent" not in page
    assert "Long ago" not in page
    assert "Long ago" in analyst.get(f"/surveys/{survey.pk}/?group=detractor&window=all").content.decode()
    assert analyst.get(f"/surveys/{survey.pk}/?group=x&window=y&page=z").status_code == 200


def test_what_does_not_count_is_listed_with_its_reason(signed_in: SignIn, survey: Survey) -> None:
    (one,) = customers(1)
    now = clock.now()
    Answer.objects.create(survey=survey, customer=one, score=1, answered_at=now - timedelta(days=9))
    Answer.objects.create(survey=survey, customer=one, score=10, answered_at=now - timedelta(days=5))
    Answer.objects.create(survey=survey, customer=one, score=0, answered_at=now, typed_in=True)
    page = signed_in("analyst").get(f"/surveys/{survey.pk}/").content.decode()
    assert page.count("Answered again later: not in the score") == 1
    assert page.count("Typed in by staff: not in the score") == 1
    assert '<a href="#answers">+100.0</a>' in page
    assert "±" not in page.partition("How the score is worked out")[0].partition("tile-note")[2].partition("</div>")[0]
    detractors = signed_in("analyst").get(f"/surveys/{survey.pk}/?group=detractor").content.decode()
    assert detractors.count("not in the score") == 2


def test_answers_with_a_comment_and_all_of_them_as_a_file(signed_in: SignIn, survey: Survey) -> None:
    one, two = customers(2)
    now = clock.now()
    Answer.objects.create(survey=survey, customer=one, score=3, answered_at=now, comment="=Slow")
    Answer.objects.create(survey=survey, customer=two, score=9, answered_at=now)
    client = signed_in("analyst")
    shown = client.get(f"/surveys/{survey.pk}/?comment=1").context["answers"]
    assert [answer.customer for answer in shown] == [one]
    file = client.get(f"/surveys/{survey.pk}/?format=csv")
    rows = list(csv.reader(b"".join(file).decode().splitlines()))
    assert [row[:6] for row in rows[1:]] == [
        [two.external_id, two.name, two.email, "9", "promoter", ""],
        [one.external_id, one.name, one.email, "3", "detractor", "'=Slow"],
    ]
    only = client.get(f"/surveys/{survey.pk}/?format=csv&group=promoter&comment=1")
    assert b"".join(only).count(b"\n") == 1


def test_the_response_rate_is_the_windows(signed_in: SignIn, survey: Survey, invitation: Invitation) -> None:
    Answer.objects.create(
        survey=survey, customer=invitation.customer, invitation=invitation, score=9, answered_at=clock.now()
    )
    client = signed_in("analyst")
    assert client.get(f"/surveys/{survey.pk}/").context["responses"].asked == 1
    Invitation.objects.update(created_at=clock.now() - timedelta(days=100))
    assert client.get(f"/surveys/{survey.pk}/").context["responses"].asked == 0
    assert client.get(f"/surveys/{survey.pk}/?window=all").context["responses"].asked == 1


def test_a_survey_closes_and_opens_again(signed_in: SignIn, survey: Survey) -> None:
    marketer = signed_in("marketer")
    marketer.post(f"/surveys/{survey.pk}/close/")
    survey.refresh_from_db()
    assert survey.closed_at
    assert "Open again" in marketer.get(f"/surveys/{survey.pk}/").content.decode()
    marketer.post(f"/surveys/{survey.pk}/reopen/")
    survey.refresh_from_db()
    assert survey.closed_at is None


def test_the_preview_is_the_customers_page_and_sends_nothing(signed_in: SignIn, survey: Survey) -> None:
    page = signed_in("analyst").get(f"/surveys/{survey.pk}/preview/")
    assert survey.question in page.content.decode()
    assert 'type="button"' in page.content.decode()
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert signed_in("analyst").post(f"/surveys/{survey.pk}/preview/", {"score": "9"}).status_code == 405


def test_staff_type_in_what_they_heard(signed_in: SignIn, survey: Survey, customer: Customer) -> None:
    manager = signed_in("account_manager")
    heard = {"customer": "c1", "survey": survey.pk, "score": "3", "comment": "On the phone"}
    page = manager.post("/surveys/heard/", heard, follow=True).content.decode()
    assert "It is marked, and left out of the score." in page
    given = Answer.objects.get(typed_in=True)
    assert given.customer == customer
    assert given.entered_by is not None
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("nobody", "No customer goes by this name, ID or e-mail address."),
        ("twin@example.test", "More than one customer goes by this"),
        ("", "This field is required."),
    ],
)
def test_an_answer_of_nobody_is_not_kept(signed_in: SignIn, survey: Survey, text: str, trouble: str) -> None:
    for number in range(2):
        Customer.objects.create(external_id=f"twin{number}", email="Twin@example.test")
    heard = {"customer": text, "survey": survey.pk, "score": "3"}
    page = signed_in("account_manager").post("/surveys/heard/", heard)
    assert page.status_code == 422
    assert trouble in page.content.decode()
    assert not Answer.objects.exists()


def test_the_customers_panel_tells_what_was_asked_and_said(signed_in: SignIn, invitation: Invitation) -> None:
    url = f"/surveys/customer/{invitation.customer_id}/"
    analyst = signed_in("analyst")
    assert "not answered yet" in analyst.get(url, headers={"hx-request": "true"}).content.decode()
    answer(invitation, Said(9, "Good rolls"), clock.now())
    panel = analyst.get(url, headers={"hx-request": "true"}).content.decode()
    assert "Good rolls" in panel
    assert "<html" not in panel
    assert "<html" in analyst.get(url).content.decode()


@pytest.mark.parametrize(
    ("role", "path", "method"),
    [
        ("analyst", "new/", "get"),
        ("analyst", "new/", "post"),
        ("account_manager", "{pk}/edit/", "post"),
        ("account_manager", "{pk}/close/", "post"),
        ("analyst", "{pk}/reopen/", "post"),
        ("analyst", "heard/", "post"),
        ("marketer", "heard/", "post"),
    ],
)
def test_who_may_not_is_refused(signed_in: SignIn, survey: Survey, role: str, path: str, method: str) -> None:
    response = getattr(signed_in(role), method)("/surveys/" + path.format(pk=survey.pk))
    assert response.status_code == 403
    survey.refresh_from_db()
    assert survey.closed_at is None


def test_nobody_gets_in_without_signing_in(survey: Survey) -> None:
    for path in ("", "new/", f"{survey.pk}/", f"{survey.pk}/preview/", "heard/", "customer/1/"):
        assert Client().get(f"/surveys/{path}").status_code == 302


def test_responses_are_answers_over_what_was_delivered(survey: Survey) -> None:
    people = customers(5)
    origins = [f"message:{i}" for i in range(5)]
    asked = invite(survey, [c.pk for c in people], origins, clock.now())
    happened = [(0, "sent"), (1, "sent"), (2, "sent"), (2, "bounced"), (3, "failed")]  # the answer proves 4 arrived
    record(
        Happening(people[i].pk, f"message.{what}", clock.now(), ref=origins[i], dedup_key=f"{what}:{i}")
        for i, what in happened
    )
    for origin in ("message:0", "message:4"):
        answer(find(token_of(asked[origin])), Said(10), clock.now())
    found = responses(Invitation.objects.all())[survey.pk]
    assert (found.asked, found.delivered, found.answered) == (5, 3, 2)
    assert found.rate == pytest.approx(200 / 3)


def test_months_are_those_of_the_workspaces_zone(survey: Survey) -> None:
    zone = ZoneInfo("Pacific/Auckland")
    months = last_months(clock.now(), zone, 12)
    assert len(months) == 12
    assert all(month.day == 1 and month.hour == 0 for month in months)
    (one,) = customers(1)
    for score, at in ((10, months[-1]), (0, months[-1] - timedelta(seconds=1))):
        Answer.objects.create(survey=survey, customer=one, score=score, answered_at=at)
    found = by_month(Answer.objects.all(), zone, months)
    assert [month.nps.score for month in found[-2:]] == [-100, 100]
    assert by_score(Answer.objects.all()) == 10 * [0] + [1]


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, survey: Survey, invitation: Invitation) -> None:
    say(survey, [10, 8, 2])
    analyst = signed_in("analyst")
    pages = {"list": "", "detail": f"{survey.pk}/", "customer panel": f"customer/{invitation.customer_id}/"}
    for name, path in pages.items():
        assert_query_count(f"surveys {name}", analyst, f"/surveys/{path}")
    say(survey, [1, 9, 5] * 20)
    for number in range(10):
        Survey.objects.create(name=f"More {number}")
    for name, path in pages.items():
        assert_query_count(f"surveys {name}", analyst, f"/surveys/{path}")
