"""A customer's answer on a phone, with and without script; the pages about surveys."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer, Task
from retention.common import clock
from surveys.invitations import invite, token_of
from surveys.models import Answer, Survey
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll

pytestmark = pytest.mark.django_db(transaction=True)
FINGER = 44  # px


@pytest.fixture
def survey(live_server: object) -> Survey:
    return Survey.objects.create(
        name="Spring",
        question="How likely are you to recommend Harbour & Finch to a friend or colleague?",
        follow_up="What is the main reason for your score?",
        thanks="That helps us a lot.",
    )


@pytest.fixture
def link(survey: Survey) -> str:
    """The customer's own address, without the site."""
    customer = Customer.objects.create(external_id="c1", name="Boreal Bakery")
    return f"/s/{token_of(invite(survey, [customer.pk], ['message:1'], clock.now())['message:1'])}/"


def score(page: Page, number: int) -> None:
    page.locator(f".score input[value='{number}']").check()


@pytest.mark.parametrize("script", [False, True])
def test_it_works(as_role: AsRole, link: str, script: bool) -> None:
    page = as_role("", phone=True, script=script)
    page.goto(f"{link}?score=7")
    expect(page.get_by_role("radio", name="7")).to_be_checked()
    assert not Answer.objects.exists()
    score(page, 4)
    page.get_by_label("What is the main reason").fill("Late again.")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_text("That helps us a lot.")).to_be_visible()
    answer = Answer.objects.get()
    assert (answer.score, answer.comment) == (4, "Late again.")
    assert Task.objects.get().reason == "Late again."
    page.goto(link)
    expect(page.get_by_role("heading", name="We have your answer")).to_be_visible()


def test_it_loads_in_one_round_trip_with_fingers_in_mind(as_role: AsRole, link: str) -> None:
    page = as_role("", phone=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link)
    assert [url for url in asked if not url.startswith("data:")] == [page.url]
    for box in (label.bounding_box() for label in page.locator(".score label").all()):
        assert box is not None
        assert min(box["width"], box["height"]) >= FINGER
    assert page.context.cookies() == []
    no_sideways_scroll(page)


@pytest.mark.parametrize(("phone", "dark"), [(True, False), (True, True), (False, False)])
def test_it_is_accessible_and_keeps_what_was_typed(as_role: AsRole, link: str, phone: bool, dark: bool) -> None:
    page = as_role("", phone=phone, dark=dark)
    page.goto(link)
    accessible(page)
    page.get_by_label("What is the main reason").fill("No score yet")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("alert")).to_have_text("Please choose a number from 0 to 10.")
    expect(page.get_by_label("What is the main reason")).to_have_value("No score yet")
    accessible(page)
    score(page, 10)
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    accessible(page)


def test_it_is_answered_by_keyboard(as_role: AsRole, link: str) -> None:
    page = as_role("")
    page.goto(link)
    page.keyboard.press("Tab")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="9")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Lovely")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Answer.objects.get().score == 9


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_the_pages_about_surveys(as_role: AsRole, survey: Survey, phone: bool, dark: bool) -> None:
    customers = Customer.objects.bulk_create(Customer(external_id=f"p{i}", name=f"C {i}") for i in range(40))
    Answer.objects.bulk_create(
        Answer(
            survey=survey,
            customer=each,
            score=(each.pk * 7) % 11,
            comment="Word " * 12,
            answered_at=clock.now() - timedelta(days=each.pk % 80, hours=1),
        )
        for each in customers
    )
    page = as_role("administrator", phone=phone, dark=dark)
    page.goto("/surveys/")
    page.get_by_role("link", name="Spring").click()
    expect(page.get_by_role("heading", name="What they said")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("link", name="Detractors (0–6)").click()
    expect(page.get_by_text("Nobody here said that")).to_have_count(0)
    page.get_by_text("As a customer sees it on a phone").click()
    preview = page.frame_locator("iframe")
    expect(preview.get_by_role("button", name="Send my answer")).to_be_visible()
    for path in ("/surveys/", "/surveys/new/", "/surveys/heard/"):
        page.goto(path)
        accessible(page)
        no_sideways_scroll(page)
