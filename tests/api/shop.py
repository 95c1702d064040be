"""What the examples of the documentation suppose to be there."""

from customers.models import Segment
from tests.customers.custom.defining import one_of_each


def a_shop() -> None:
    """Custom fields and a segment."""
    one_of_each()
    Segment.objects.create(name="Everybody", rule={"all": []})
