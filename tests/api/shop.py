"""What the examples of the documentation suppose to be there."""

from tests.customers.custom.defining import one_of_each


def a_shop() -> None:
    one_of_each()
