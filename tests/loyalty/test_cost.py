"""What an offer costs, and what it leaves of margin and limits."""

from decimal import Decimal

import pytest

from customers.models import Customer
from loyalty.authorising import authority_of
from loyalty.costing import NoPrice, Terms, cost_of
from loyalty.granting import weighed_for
from loyalty.models import Authority, Kind
from loyalty.spending import Spent
from loyalty.weighing import Ground, weigh
from retention.workspace.models import User, Workspace
from tests.loyalty.giving import credit, limits, offer, paying

MRR, SESSION = Decimal("119.90"), Decimal(150)


@pytest.mark.parametrize(
    ("terms", "cost", "formula"),
    [
        (Terms(Kind.DISCOUNT, percent=Decimal(20), months=3), "71.94", "20 % of 119.90 EUR MRR × 3 months = 71.94 EUR"),
        (Terms(Kind.FREE_MONTHS, months=1), "119.90", "119.90 EUR MRR × 1 month = 119.90 EUR"),
        (Terms(Kind.CREDIT, amount=Decimal(50)), "50.00", "The credit itself = 50.00 EUR"),
        (
            Terms(Kind.UPGRADE, plan="House", amount=Decimal("12.5"), months=6),
            "75.00",
            "12.50 EUR a month for House, not charged, × 6 months = 75.00 EUR",
        ),
        (Terms(Kind.TRAINING, sessions=2), "300.00", "150.00 EUR each × 2 = 300.00 EUR"),
    ],
)
def test_it_works(terms: Terms, cost: str, formula: str) -> None:
    found = cost_of(terms, MRR, SESSION, "EUR")
    assert (str(found.amount), found.formula) == (cost, formula)


def test_who_pays_nothing_monthly_gets_nothing_off_it() -> None:
    for terms in (Terms(Kind.DISCOUNT, percent=Decimal(20), months=3), Terms(Kind.FREE_MONTHS, months=1)):
        with pytest.raises(NoPrice, match="no subscription in EUR"):
            cost_of(terms, Decimal(0), SESSION, "EUR")
    assert cost_of(credit(10), Decimal(0), SESSION, "EUR").amount == 10


def test_the_margin_counts_what_was_given_before(anna: User, boreal: Customer) -> None:
    Workspace.objects.update(margin_share=40)
    limits()
    first = weighed_for(anna, authority_of(anna), boreal.pk, credit(120))
    assert (first.margin_before, first.margin_after) == (Decimal(40), Decimal(30))  # 120 of 12 × 100
    offer(boreal, anna, credit(120))
    second = weighed_for(anna, authority_of(anna), boreal.pk, credit(60))
    assert (second.margin_before, second.margin_after) == (Decimal(30), Decimal(25))


def test_without_subscription_the_margin_is_of_a_years_orders(db: None, anna: User) -> None:
    buyer = paying("Buyer", mrr=0, revenue_365d=Decimal(200))
    assert weighed_for(anna, Authority(), buyer.pk, credit(20)).margin_after == 30
    stranger = Customer.objects.create(external_id="new")
    weighed = weighed_for(anna, Authority(margin_floor=Decimal(10)), stranger.pk, credit(20))
    assert weighed.margin_after is None
    assert len(weighed.over) == 1


def test_each_limit_says_by_how_much() -> None:
    ground = Ground(mrr=Decimal(100), revenue=Decimal(1200), margin=Decimal(40), currency="EUR")
    terms = Terms(Kind.DISCOUNT, percent=Decimal(25), months=4)
    most = Authority(
        discount_most=Decimal(20),
        offer_most=Decimal(80),
        customer_year_most=Decimal(150),
        month_most=Decimal(300),
        margin_floor=Decimal(30),
    )
    cost = cost_of(terms, ground.mrr, SESSION, "EUR")
    weighed = weigh(terms, cost, ground, Spent(Decimal(60), Decimal(200)), most)
    assert weighed.over == [
        "Discount in one offer: 25 % is 5 points above 20 %",
        "Cost of one offer: 100.00 EUR is 20.00 EUR above 80.00 EUR",
        "For this customer this year: 100.00 EUR with 60.00 EUR given before is 10.00 EUR above 150.00 EUR",
        "Before the margin falls below 30 %: 100.00 EUR with 60.00 EUR given before is 40.00 EUR above 120.00 EUR",
    ]
    assert weighed.customer_ceiling == 120  # what the margin floor leaves is less than the year's limit
    assert [gauge.left_said for gauge in weighed.gauges if not gauge.over] == ["0.00 EUR"]
    fits = weigh(terms, cost, ground, Spent(Decimal(0), Decimal(200)), Authority(month_most=Decimal(300)))
    assert fits.over == []


def test_authority_is_the_persons_own_else_their_roles(anna: User, bea: User, boss: User) -> None:
    assert authority_of(anna).offer_most == 0  # nothing is set: everything is asked for
    assert authority_of(boss).offer_most is None
    limits(offer_most=100)
    limits(bea, offer_most=900)
    assert [authority_of(user).offer_most for user in (anna, bea)] == [100, 900]
