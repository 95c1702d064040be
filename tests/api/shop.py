"""What the examples of the documentation suppose to be there."""

from datetime import timedelta

from customers.events.recording import Happening, record
from customers.models import (
    Case,
    Contact,
    ContactConsent,
    Customer,
    Interaction,
    Order,
    OrderLine,
    Product,
    Segment,
    SegmentMembership,
    Subscription,
    Task,
    Team,
)
from retention.common import clock
from tests.api.program import a_person
from tests.customers.custom.defining import one_of_each
from tests.customers.known import crowd
from tests.customers.subscribing import term


def a_shop() -> None:
    """Custom fields and a segment."""
    one_of_each()
    Segment.objects.create(name="Everybody", rule={"all": []})


def more_of_each(number: int) -> None:
    """Five more of everything that lists tell, the most of it below the customer of this number."""
    now, one = clock.now(), Customer.objects.get(pk=number)
    crowd(5)
    for n in range(5):
        at = now + timedelta(seconds=n)
        eve = Contact.objects.create(customer=one, name=f"Eve {n}")
        ContactConsent.objects.create(contact=eve, channel="phone", state="granted", source="Call")
        Interaction.objects.create(customer=one, kind="note", text="Moved", happened_at=at)
        Task.objects.create(customer=one, title="Call", due_at=at)
        Case.objects.create(customer=one, external_id=f"more-{n}", subject="Late", opened_at=at)
        term(Subscription.objects.create(customer=one, external_id=f"more-{n}"), now)
        order = Order.objects.create(external_id=f"more-{n}", customer=one, ordered_at=at, currency="EUR")
        OrderLine.objects.create(order=order, position=1, quantity=1, unit_price=1)
        product = Product.objects.create(sku=f"more-{n}", name="Bell")
        product.goes_with.add(Product.objects.get(pk=number))
        Team.objects.create(name=f"Team {n}").members.add(a_person())
        Segment.objects.create(name=f"More {n}", rule={"all": []})
    for customer in Customer.objects.exclude(memberships__segment=number):
        SegmentMembership.objects.create(segment_id=number, customer=customer, entered_at=now)
    record(Happening(number, "usage", now) for _ in range(5))
