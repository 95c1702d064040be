"""Making offers, deciding on them and setting limits, as people of each role meet it."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from customers.models import Customer, Event
from loyalty.deciding import approve, decline, expire
from loyalty.granting import mark_used, withdraw
from loyalty.models import Authority, Offer, Policy
from retention.common import clock
from retention.workspace.models import User
from tests.baseline import assert_query_count
from tests.loyalty.giving import credit, limits, offer, paying

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
ONCE = "7d4cbf4e-7d9d-4f5c-8a35-0a4f4a7e5b11"
WISH = {"kind": "discount", "percent": "20", "months": "3", "reason": "price", "note": "Long with us", "once": ONCE}


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def listed(text: str) -> list[str]:
    """The credits in the list's own column."""
    return re.findall(r'class="wide"><a href="[^"]+">A credit of (\d+)', text)


def part(client: Client, url: str) -> str:
    return str(client.get(url, headers={"HX-Request": "true"}).content.decode())


def test_it_works(signed_in: SignIn, anna: User, boreal: Customer) -> None:
    limits(offer_most=100, discount_most=20, month_most=500, margin_floor=30)
    client = signed_in("account_manager")
    assert "Make an offer" in part(client, f"/loyalty/customer/{boreal.pk}/")
    weighed = client.get(f"/loyalty/customer/{boreal.pk}/weigh/", WISH).content.decode()
    assert "20 % of 100.00 EUR MRR × 3 months = 60.00 EUR" in weighed
    assert "40.0 % → <strong>35.0 %</strong>" in weighed
    assert "440.00 EUR left" in weighed
    agreed = re.findall(r'name="agreed" value="([^"]+)"', weighed)[0]
    done = client.post(f"/loyalty/customer/{boreal.pk}/new/", WISH | {"agreed": agreed}, follow=True)
    assert done.redirect_chain[-1][0] == f"/customers/{boreal.pk}/"
    assert "Granted: 20 % off for 3 months." in done.content.decode()
    made = Offer.objects.get()
    assert (made.state, made.note, made.percent, made.months) == ("granted", "Long with us", Decimal(20), 3)
    assert "20 % off for 3 months" in page(client, f"/loyalty/customer/{boreal.pk}/")
    timeline = page(client, f"/customers/{boreal.pk}/")
    assert "Anna gave 20 % off for 3 months, at a cost of 60.00 EUR" in timeline
    assert f'href="/loyalty/{made.pk}/"' in timeline


def test_above_the_limits_the_approver_is_asked_and_sees_why_on_today(
    signed_in: SignIn, anna: User, boss: User, boreal: Customer
) -> None:
    limits(offer_most=50)
    client, boss_client = signed_in("account_manager"), signed_in("administrator")
    weighed = client.get(f"/loyalty/customer/{boreal.pk}/weigh/", WISH).content.decode()
    assert "10.00 EUR too much" in weighed
    assert "Ask for approval" in weighed
    done = client.post(f"/loyalty/customer/{boreal.pk}/new/", WISH | {"agreed": "60.00 ask"}, follow=True)
    assert "Asked an administrator to approve" in done.content.decode()
    made = Offer.objects.get()
    assert 'hx-get="/loyalty/waiting/"' in page(boss_client, "/today/")
    waits = part(boss_client, "/loyalty/waiting/")
    assert "Cost of one offer: 60.00 EUR is 10.00 EUR above 50.00 EUR" in waits
    assert "Long with us" in waits
    assert "Approve" not in part(client, "/loyalty/waiting/")
    assert "For others to decide" in page(client, "/loyalty/waiting/")
    assert client.post(f"/loyalty/{made.pk}/decide/", {"act": "approve"}).status_code == 403
    told = boss_client.post(
        f"/loyalty/{made.pk}/decide/", {"act": "approve", "answer": "Fine"}, headers={"HX-Request": "true"}
    )
    assert "Long with us" not in told.content.decode()
    assert "Give them 20 % off for 3 months" in page(client, "/today/")
    assert Offer.objects.get().state == "granted"


def test_to_say_no_takes_a_word(signed_in: SignIn, anna: User, boss: User, boreal: Customer) -> None:
    made = offer(boreal, anna, credit(10))
    client = signed_in("administrator")
    assert "Yours to decide" in page(client, f"/loyalty/{made.pk}/")
    refused = client.post(f"/loyalty/{made.pk}/decide/", {"act": "decline"})
    assert refused.status_code == 422
    assert "Say in a word why not" in refused.content.decode()
    panel = client.post(f"/loyalty/{made.pk}/decide/", {"act": "decline"}, headers={"HX-Request": "true"})
    assert "Say in a word why not" in panel.content.decode()
    client.post(f"/loyalty/{made.pk}/decide/", {"act": "decline", "answer": "Not now"})
    assert Offer.objects.get().answer == "Not now"
    again = client.post(f"/loyalty/{made.pk}/decide/", {"act": "approve"})
    assert "does not wait any more" in again.content.decode()


def test_what_is_typed_is_kept_and_the_error_is_beside_its_field(
    signed_in: SignIn, anna: User, boreal: Customer
) -> None:
    limits()
    client = signed_in("account_manager")
    url = f"/loyalty/customer/{boreal.pk}/new/"
    wrong = client.post(url, WISH | {"percent": "140", "reason": ""})
    assert wrong.status_code == 422
    text = wrong.content.decode()
    assert "less than or equal to 100" in text
    assert "Long with us" in text
    missing = client.post(url, WISH | {"kind": "upgrade", "agreed": "60.00 grant"})
    assert missing.status_code == 422
    assert "This field is required." in missing.content.decode()
    harmless = client.post(url, WISH | {"amount": "minus", "agreed": "60.00 grant"})
    assert harmless.status_code == 302  # a field of another kind of offer says nothing


def test_a_button_that_said_something_else_grants_nothing(signed_in: SignIn, anna: User, boreal: Customer) -> None:
    limits(month_most=70)
    client = signed_in("account_manager")
    url = f"/loyalty/customer/{boreal.pk}/new/"
    for agreed in ("", "1.00 grant", "60.00 ask", "60.00", "NaN grant", "x grant"):
        shown = client.post(url, WISH | {"agreed": agreed})
        assert shown.status_code == 409
        assert "Nothing was granted yet." in shown.content.decode()
    offer(boreal, anna, credit(50))
    shown = client.post(url, WISH | {"agreed": "60.00 grant"})
    assert "40.00 EUR too much" in shown.content.decode()
    assert Offer.objects.count() == 1
    client.post(url, WISH | {"agreed": "60.00 ask"})
    client.post(url, WISH | {"agreed": "60.00 ask"})
    assert Offer.objects.filter(state="asked").count() == 1


def test_no_price_to_take_it_off(signed_in: SignIn, anna: User) -> None:
    free = paying("Free", mrr=0)
    client = signed_in("account_manager")
    assert "no subscription in EUR" in client.get(f"/loyalty/customer/{free.pk}/weigh/", WISH).content.decode()
    refused = client.post(f"/loyalty/customer/{free.pk}/new/", WISH | {"agreed": "60.00 grant"})
    assert refused.status_code == 422
    assert not Offer.objects.exists()


def test_withdrawing_and_using(signed_in: SignIn, anna: User, boreal: Customer) -> None:
    limits()
    client = signed_in("account_manager")
    made = offer(boreal, anna, credit(10))
    assert "10.00 EUR goes back into the budgets" in page(client, f"/loyalty/{made.pk}/")
    assert "Withdrawn" in client.post(f"/loyalty/{made.pk}/withdraw/", follow=True).content.decode()
    used = offer(boreal, anna, credit(10))
    client.post(f"/loyalty/{used.pk}/use/")
    assert "Withdraw…" not in page(client, f"/loyalty/{used.pk}/")
    client.post(f"/loyalty/{used.pk}/withdraw/")
    assert Offer.objects.get(pk=used.pk).state == "granted"


def test_the_answer_leads_to_the_offer_and_a_no_to_another_like_it(
    signed_in: SignIn, anna: User, boss: User, boreal: Customer
) -> None:
    limits(offer_most=50)
    yes, no = (offer(boreal, anna, credit(amount)).pk for amount in (60, 70))
    approve(yes, boss, "")
    decline(no, boss, "Too much.")
    client = signed_in("account_manager")
    today = page(client, "/today/")
    assert f'<a href="/loyalty/{yes}/">Give them a credit of 60.00 EUR</a>' in today
    assert f'<a href="/loyalty/{no}/">Find another way to keep them</a>' in today
    assert "Make another offer" not in page(client, f"/loyalty/{yes}/")
    another = f"/loyalty/customer/{boreal.pk}/new/?like={no}"
    assert f'href="{another}">Make another offer' in page(client, f"/loyalty/{no}/")
    form = page(client, another)
    assert re.search(r'value="credit"[^>]* checked', form)
    amount = re.search(r'<input[^>]*name="amount"[^>]*>', form)
    assert amount
    assert 'value="70"' in amount[0]
    assert "70.00 EUR" in form  # on the scales
    others = paying("Other")
    assert 'value="70"' not in page(client, f"/loyalty/customer/{others.pk}/new/?like={no}")


def test_many_are_marked_as_used_at_once(signed_in: SignIn, anna: User, boreal: Customer) -> None:
    limits(offer_most=50)
    first, second, third, asked = (offer(boreal, anna, credit(amount)).pk for amount in (10, 20, 30, 60))
    client = signed_in("account_manager")
    assert "Pick every offer on this page" in page(client, "/loyalty/")
    sent = {"query": "sort=cost", "pick": [first, asked, 999_999, "x"]}
    assert "Marked as used: 1 offer." in client.post("/loyalty/use/", sent, follow=True).content.decode()
    told = client.post("/loyalty/use/", {"query": "q=bor&kind=credit", "scope": "all"}, follow=True)
    assert "Marked as used: 2 offers." in told.content.decode()
    assert set(Offer.objects.exclude(used_at=None).values_list("pk", flat=True)) == {first, second, third}
    assert Event.objects.filter(kind="offer.used").count() == 3
    assert "Pick every offer" not in page(signed_in("analyst"), "/loyalty/")
    assert signed_in("analyst").post("/loyalty/use/", sent).status_code == 403


def test_who_may_only_read_is_refused_by_the_server(signed_in: SignIn, anna: User, boreal: Customer) -> None:
    made = offer(boreal, anna, credit(10))
    for role in ("analyst", "marketer"):
        client = signed_in(role)
        assert "Make an offer" not in part(client, f"/loyalty/customer/{boreal.pk}/")
        assert "A credit of 10.00 EUR" in page(client, "/loyalty/")
        assert "/decide/" not in page(client, f"/loyalty/{made.pk}/")
        assert client.get(f"/loyalty/customer/{boreal.pk}/new/").status_code == 403
        for url in ("decide", "withdraw", "use"):
            assert client.post(f"/loyalty/{made.pk}/{url}/").status_code == 403
    for role in ("analyst", "marketer", "account_manager"):
        assert signed_in(role).get("/loyalty/limits/").status_code == 403
        assert signed_in(role).post("/loyalty/limits/new/", {"whose": "role:account_manager"}).status_code == 403
    bea_client = signed_in("account_manager")
    User.objects.filter(email="account_manager@example.test").update(email="anna@example.test")
    bea_client = signed_in("account_manager")
    assert bea_client.post(f"/loyalty/{made.pk}/withdraw/").status_code == 403
    assert bea_client.post("/loyalty/999999/withdraw/").status_code == 404
    assert bea_client.get("/loyalty/999999/").status_code == 404
    assert bea_client.get("/loyalty/customer/999999/new/").status_code == 404


def test_the_list_is_searched_filtered_sorted_and_exported(
    signed_in: SignIn, anna: User, bea: User, boreal: Customer
) -> None:
    limits(offer_most=100)
    other = paying("=Café")
    for customer, by, amount in ((boreal, anna, 10), (other, bea, 30), (other, anna, 500)):
        offer(customer, by, credit(amount), reason="service" if amount == 30 else "price")
    client = signed_in("analyst")

    def shown(query: str) -> list[str]:
        return listed(page(client, f"/loyalty/?{query}"))

    assert shown("") == ["500", "30", "10"]
    assert shown("q=bor") == ["10"]
    assert shown("state=asked") == ["500"]
    assert shown("reason=service") == ["30"]
    assert shown(f"by={anna.pk}&sort=cost") == ["10", "500"]
    assert shown("sort=-cost") == ["500", "30", "10"]
    assert shown("outcome=open") == ["30", "10"]
    assert shown("sort=nonsense&size=7&state=x&by=x") == ["500", "30", "10"]
    assert "No offer matches" in page(client, "/loyalty/?outcome=kept")
    text = b"".join(client.get("/loyalty/?state=granted&sort=cost&format=csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Cost"], row["Customer"], row["By"]) for row in rows] == [
        ("10.00", "Boreal", "Anna"),
        ("30.00", "'=Café", "Bea"),
    ]


def test_pages_hold_a_part_each(signed_in: SignIn, anna: User, boreal: Customer) -> None:
    limits()
    for number in range(1, 28):
        offer(boreal, anna, credit(number))
    client = signed_in("analyst")
    first = page(client, "/loyalty/?size=25")
    assert "27 offers" in first
    (further,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = page(client, f"/loyalty/{html.unescape(further)}")
    assert listed(second) == ["2", "1"]
    (back,) = re.findall(r'rel="prev" href="([^"]+)"', second)
    assert listed(page(client, f"/loyalty/{html.unescape(back)}")) == listed(first)
    assert len(listed(page(client, "/loyalty/"))) == 27


def test_setting_limits(signed_in: SignIn, anna: User, bea: User, boss: User, boreal: Customer) -> None:
    client = signed_in("administrator")
    assert "Nobody may grant an offer alone yet" in page(client, "/loyalty/limits/")
    most = {"discount_most": "20", "offer_most": "100", "margin_floor": "25", "approver": bea.pk}
    assert client.post("/loyalty/limits/new/", most | {"whose": "role:account_manager"}).status_code == 302
    assert client.post("/loyalty/limits/new/", most | {"whose": "role:account_manager"}).status_code == 422
    own = client.post("/loyalty/limits/new/", most | {"whose": f"person:{bea.pk}"})
    assert "Nobody approves their own offers" in own.content.decode()
    assert client.post("/loyalty/limits/new/", {"whose": f"person:{bea.pk}", "month_most": "900"}).status_code == 302
    row = Authority.objects.get(role="account_manager")
    assert (row.discount_most, row.offer_most, row.month_most) == (Decimal(20), Decimal(100), None)
    assert row.approver == bea
    shown = page(client, "/loyalty/limits/")
    assert "20 %" in shown
    assert "900.00 EUR" in shown
    wrong = client.post(f"/loyalty/limits/{row.pk}/", {"discount_most": "101", "offer_most": "-1"})
    assert wrong.status_code == 422
    assert offer(boreal, anna, credit(101)).approver == bea
    client.post(f"/loyalty/limits/{row.pk}/drop/")
    assert offer(boreal, anna, credit(1)).over == [
        "Credit in one offer: 1.00 EUR is 1.00 EUR above 0.00 EUR",
        "Cost of one offer: 1.00 EUR is 1.00 EUR above 0.00 EUR",
        "For this customer this year: 1.00 EUR is 1.00 EUR above 0.00 EUR",
        "For all customers this month: 1.00 EUR is 1.00 EUR above 0.00 EUR",
    ]
    client.post("/loyalty/limits/", {"training_cost": "80", "days_to_answer": "2"})
    assert Policy.current().training_cost == 80


def test_empty_states_say_what_to_do_first(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    assert "No offers yet" in page(client, "/loyalty/")
    assert "Nothing waits for approval" in page(client, "/loyalty/waiting/")
    assert "Nothing to tell yet" in page(client, "/loyalty/outcomes/")


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, anna: User, boss: User, boreal: Customer) -> None:
    limits(offer_most=1000, month_most=10_000)
    client = signed_in("account_manager")
    urls = {
        "loyalty list": "/loyalty/",
        "loyalty waiting": "/loyalty/waiting/",
        "loyalty outcomes": "/loyalty/outcomes/",
        "loyalty customer panel": f"/loyalty/customer/{boreal.pk}/",
        "loyalty new": f"/loyalty/customer/{boreal.pk}/new/",
        "loyalty weigh": f"/loyalty/customer/{boreal.pk}/weigh/",
    }
    for size in (1, 8):
        for number in range(size):
            customer = paying(f"C{size}-{number}")
            mark_used(offer(customer, anna, credit(1)).pk, anna)
            offer(boreal, anna, credit(2 + number))
            offer(customer, anna, credit(2000))
        for name, url in urls.items():
            assert_query_count(name, client, url)
    made = Offer.objects.filter(state="asked").latest("pk")
    assert_query_count("loyalty offer to decide", signed_in("administrator"), f"/loyalty/{made.pk}/")


def test_every_event_of_an_offer_has_its_sentence(signed_in: SignIn, anna: User, boss: User, boreal: Customer) -> None:
    approve(offer(boreal, anna, credit(1)).pk, boss, "")
    decline(offer(boreal, anna, credit(2)).pk, boss, "No")
    withdraw(offer(boreal, anna, credit(3)).pk, anna)
    offer(boreal, anna, credit(4))
    with clock.at(clock.now() + timedelta(days=9)):
        expire()
    timeline = page(signed_in("analyst"), f"/customers/{boreal.pk}/?show=Offers")
    for sentence in (
        "Anna asked for approval to give a credit of 1.00 EUR",
        "Olga approved a credit of 1.00 EUR",
        "Olga declined a credit of 2.00 EUR",
        "Anna withdrew a credit of 3.00 EUR",
        "Nobody decided in time on a credit of 4.00 EUR",
    ):
        assert sentence in timeline
    assert Event.objects.filter(kind__startswith="offer.").count() == 9
