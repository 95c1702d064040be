"""The whole business in memory: each customer with what they subscribed to, used, bought and answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from retention.demo.buying import Purchase, purchases
from retention.demo.helping import Request, requests
from retention.demo.listening import Ask, asks
from retention.demo.people import Person, people
from retention.demo.subscriptions import Contract, contracts
from retention.demo.usage import usage


@dataclass(frozen=True)
class Life:
    """One customer's two years."""

    person: Person
    contracts: list[Contract]
    uses: list[tuple[float, str]]
    purchases: list[Purchase]
    asks: list[Ask]
    requests: list[Request]


def simulate(rng: Random, count: int, managers: int) -> list[Life]:
    """`count` lives in the order in which the customers became known."""
    return [_life(rng, person) for person in people(rng, count, managers)]


def _life(rng: Random, person: Person) -> Life:
    subscribed = contracts(rng, person)
    bought = purchases(rng, person, subscribed)
    uses = sorted(each for contract in subscribed for each in usage(rng, contract))
    return Life(person, subscribed, uses, bought, list(asks(rng, person, subscribed, bought)), requests(person))


def bought(lives: list[Life]) -> Iterator[tuple[Person, Purchase]]:
    """Everything anybody ordered, in order of time."""
    pairs = ((life.person, purchase) for life in lives for purchase in life.purchases)
    return iter(sorted(pairs, key=lambda pair: (pair[1].day, pair[0].key)))
