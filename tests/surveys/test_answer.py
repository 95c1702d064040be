"""The page a customer answers on."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer, Event, Task
from retention.common import clock
from retention.workspace.models import User
from surveys.answering import AlreadyAnswered, InvitationExpired, Said, SurveyClosed, answer, type_in
from surveys.invitations import find, invitation_url, token_of
from surveys.models import Answer, Invitation, Survey

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


@pytest.fixture
def browser() -> Client:
    """A browser that refuses cookies' protection to be skipped: CSRF checks on, no cookie kept from anywhere."""
    return Client(enforce_csrf_checks=True)


def checked(page: "Response") -> list[str]:
    """The scores that come filled in."""
    return re.findall(r'<input type="radio"[^>]*value="(\d+)"[^>]* checked>', page.content.decode())


def test_it_works(browser: Client, invitation: Invitation) -> None:
    url = invitation_url(invitation)
    page = browser.get(url)
    assert page.status_code == 200
    assert "How likely are you to recommend us?" in page.content.decode()
    sent = browser.post(url, {"score": "9", "comment": "Fresh bread."}, follow=True)
    assert "That helps us a lot." in sent.content.decode()
    given = Answer.objects.get()
    assert (given.score, given.comment, given.customer_id) == (9, "Fresh bread.", invitation.customer_id)
    event = Event.objects.get(kind="survey.answered")
    assert event.payload == {"score": 9, "survey": invitation.survey_id, "answer": given.pk}
    assert not Task.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_a_one_click_link_fills_the_score_in_and_changes_nothing(
    browser: Client, invitation: Invitation, method: str
) -> None:
    page = getattr(browser, method)(invitation_url(invitation, score=7))
    if method == "get":
        assert checked(page) == ["7"]
    assert not Answer.objects.exists()
    assert not Event.objects.exclude(kind="survey.invited").exists()


@pytest.mark.parametrize("score", ["11", "-1", "seven", "7.5", "", "7<script>"])
def test_a_made_up_score_in_the_link_fills_nothing_in(browser: Client, invitation: Invitation, score: str) -> None:
    page = browser.get(invitation_url(invitation), {"score": score})
    assert page.status_code == 200
    assert checked(page) == []


@pytest.mark.parametrize("score", [None, "11", "-1", "seven", "7.5", "٧"])
def test_without_a_good_score_nothing_counts_and_what_was_typed_stays(
    browser: Client, invitation: Invitation, score: str | None
) -> None:
    page = browser.post(invitation_url(invitation), {"comment": "Fresh <b>"} | ({"score": score} if score else {}))
    assert page.status_code == 422
    assert "Please choose a number from 0 to 10." in page.content.decode()
    assert "Fresh &lt;b&gt;" in page.content.decode()
    assert not Answer.objects.exists()


def test_a_comment_too_long_keeps_score_and_comment(browser: Client, invitation: Invitation) -> None:
    page = browser.post(invitation_url(invitation), {"score": "3", "comment": "long " * 1_001})
    assert page.status_code == 422
    assert page.content.decode().count("long ") == 1_001
    assert checked(page) == ["3"]
    assert not Answer.objects.exists()


def test_a_detractor_becomes_a_task_for_the_owner(invitation: Invitation, owner: User) -> None:
    answer(invitation, Said(2, "Cold bread."), clock.now())
    task = Task.objects.get()
    assert (task.assignee, task.reason, task.title) == (owner, "Cold bread.", "Call about their score of 2")
    assert timedelta(days=2) <= task.due_at - clock.now() + timedelta(minutes=1) <= timedelta(days=4, minutes=1)
    assert Event.objects.filter(kind="task.opened", ref=f"task:{task.pk}").count() == 1


@pytest.mark.parametrize(("score", "tasks"), [(0, 1), (6, 1), (7, 0), (10, 0)])
def test_only_zero_to_six_makes_a_task(invitation: Invitation, score: int, tasks: int) -> None:
    answer(invitation, Said(score), clock.now())
    assert Task.objects.count() == tasks


def test_without_an_owner_the_task_is_nobodys(invitation: Invitation) -> None:
    Customer.objects.update(owner=None)
    answer(find(token_of(invitation)), Said(1), clock.now())
    task = Task.objects.get()
    assert task.assignee is None
    assert task.reason == "They left no comment."


def test_a_used_link_says_so(browser: Client, invitation: Invitation) -> None:
    url = invitation_url(invitation)
    browser.post(url, {"score": "9"})
    for page in (browser.get(url), browser.post(url, {"score": "1"})):
        assert page.status_code == 410
        assert "We have your answer" in page.content.decode()
    assert Answer.objects.get().score == 9
    with pytest.raises(AlreadyAnswered):
        answer(find(token_of(invitation)), Said(1), clock.now())


def test_an_expired_link_says_so(browser: Client, invitation: Invitation) -> None:
    Invitation.objects.update(expires_at=clock.now())
    page = browser.post(invitation_url(invitation), {"score": "9"})
    assert page.status_code == 410
    assert "This survey has ended" in page.content.decode()
    with pytest.raises(InvitationExpired):
        answer(find(token_of(invitation)), Said(1), clock.now())


def test_a_closed_survey_says_so(browser: Client, invitation: Invitation) -> None:
    Survey.objects.update(closed_at=clock.now())
    page = browser.get(invitation_url(invitation))
    assert page.status_code == 410
    assert "closed" in page.content.decode()
    with pytest.raises(SurveyClosed):
        answer(find(token_of(invitation)), Said(1), clock.now())


def test_a_wrong_link_says_so_and_asks_the_database_only_for_the_brand(
    browser: Client, django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(1):
        page = browser.get("/s/nonsense/")
    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()
    assert browser.get("/s/nonsense/thanks/").status_code == 404


def test_thanks_comes_only_after_an_answer(browser: Client, invitation: Invitation) -> None:
    page = browser.get(f"/s/{token_of(invitation)}/thanks/")
    assert page.status_code == 302
    assert "score" not in page.headers["Location"]


def test_no_cache_and_no_search_engine_keeps_the_pages(browser: Client, invitation: Invitation) -> None:
    url = invitation_url(invitation)
    pages = [browser.get(url), browser.post(url, {}), browser.post(url, {"score": "9"}), browser.get(url)]
    pages += [browser.get(f"{url}thanks/"), browser.get("/s/nonsense/")]
    for page in pages:
        assert page.headers["Cache-Control"] == "private, no-store"
        assert "noindex" in page.headers["X-Robots-Tag"]
        assert not page.cookies


def test_what_staff_typed_in_is_marked_and_still_somebodys_work(
    survey: Survey, customer: Customer, owner: User
) -> None:
    given = type_in(survey, customer, Said(4, "Told me on the phone"), owner, clock.now())
    assert given.typed_in
    assert Event.objects.get(kind="survey.answered").source == "staff"
    assert Task.objects.get().origin == f"answer:{given.pk}"
    owner.delete()
    given.refresh_from_db()
    assert given.typed_in
    assert given.entered_by is None


@pytest.mark.django_db(transaction=True)
def test_of_posts_at_the_same_time_one_counts(invitation: Invitation) -> None:
    url = invitation_url(invitation)

    def post(score: int) -> int:
        try:
            return Client().post(url, {"score": str(score)}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(8)))
    assert sorted(statuses) == [302] + 7 * [410]
    assert Answer.objects.count() == 1
    assert Event.objects.filter(kind="survey.answered").count() == 1
    assert Task.objects.count() == (1 if Answer.objects.get().score <= 6 else 0)
