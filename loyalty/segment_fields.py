"""What segments can ask about offers. Each change of an offer records an event, so that they follow."""

from customers.segments import catalogue
from customers.segments.counting import choice, count, instant, number, person, text, total, yes_no
from customers.segments.fields import Related
from customers.segments.operators import Sql
from loyalty.models import Kind, Offer, Outcome, Reason

_OFFERS = Related(
    "loyalty_offer r",
    "COALESCE(r.granted_at, r.asked_at)",
    (
        choice("kind", "Kind", "r.kind", tuple(Kind.choices)),
        choice("state", "State", "r.state", tuple(Offer.State.choices)),
        choice("outcome", "Outcome after 90 days", "r.outcome", tuple(Outcome.choices)),
        choice("reason", "Reason", "r.reason", tuple(Reason.choices)),
        number("cost", "Cost", "r.cost", "money"),
        number("percent", "Discount", "r.percent", "percent"),
        number("months", "Months", "r.months"),
        text("plan", "Plan", "r.plan"),
        yes_no("used", "Was used", "r.used_at IS NOT NULL"),
        instant("used_at", "Used", "r.used_at"),
        instant("settled_at", "Outcome known", "r.settled_at"),
        person("asked_by", "Made by", "r.asked_by_id"),
        instant("at", "Granted or asked for", "COALESCE(r.granted_at, r.asked_at)"),
    ),
    unless_asked=(("state", Sql("r.state = 'granted'")),),
)

catalogue.add(
    count("offer_count", "Save offers", "Loyalty", _OFFERS),
    total("offer_cost", "Cost of save offers", "Loyalty", _OFFERS, "r.cost", "money"),
)
