"""People: two thousand customers, companies and persons, who become known over two years.

Each has a satisfaction that nobody sees. It is what usage, answers and leaving have in common, and so the reason why
each tells something about the others.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from retention.demo.span import DAYS, waking

GIVEN, FAMILY, PLACES = (line.split() for line in Path(__file__).with_name("names.txt").read_text().splitlines())
TRADES = {
    "café": ("Café", "Coffee Bar", "Bakery", "Patisserie"),
    "hotel": ("Hotel", "Guesthouse", "Inn"),
    "office": ("Studios", "Partners", "Labs", "Works", "Group"),
    "shop": ("Market", "Grocers", "Books", "Cycles"),
}
# Country, its language, its time zone, its share.
COUNTRIES = (
    ("Germany", "de", "Europe/Berlin", 30),
    ("United Kingdom", "en", "Europe/London", 20),
    ("France", "fr", "Europe/Paris", 13),
    ("Netherlands", "nl", "Europe/Amsterdam", 10),
    ("Spain", "es", "Europe/Madrid", 9),
    ("Sweden", "sv", "Europe/Stockholm", 7),
    ("Italy", "it", "Europe/Rome", 7),
    ("Ireland", "en", "Europe/Dublin", 4),
)
COMPANIES, SUBSCRIBERS, AGREED = 0.45, 0.45, 0.86
OWNED, OWNED_PERSONS = 0.85, 0.1
DRAWS = 30


@dataclass(frozen=True)
class Person:
    """A customer. `owner` is the number of the account manager who looks after them, or None."""

    key: str
    is_company: bool
    name: str
    email: str
    phone: str
    country: str
    language: str
    time_zone: str
    trade: str
    joined: float
    satisfaction: float  # standard normal
    size: float  # 1 is a private household
    subscribes: bool
    agreed: bool
    owner: int | None


def people(rng: Random, count: int, managers: int) -> list[Person]:
    """`count` customers in the order in which they became known; more of them in the second year than in the first."""
    joined = sorted(waking(rng, (DAYS - 8) * rng.random() ** 0.8) for _ in range(count))
    taken: dict[str, int] = {}
    return [_person(rng, number, day, managers, taken) for number, day in enumerate(joined, start=1)]


def _person(rng: Random, number: int, joined: float, managers: int, taken: dict[str, int]) -> Person:
    country, language, time_zone, _ = rng.choices(COUNTRIES, [share for *_, share in COUNTRIES])[0]
    is_company = rng.random() < COMPANIES
    trade = rng.choice(list(TRADES)) if is_company else ""
    name = _new(_company(rng, trade) if is_company else _named(rng), trade, number, taken)
    phone = _free(rng.randrange(10_000), taken) if is_company else ""
    return Person(
        key=f"HF-{number:05}",
        is_company=is_company,
        name=name,
        email=_address(name, taken),
        phone=phone,
        country=country,
        language=language,
        time_zone=time_zone,
        trade=trade,
        joined=joined,
        satisfaction=rng.gauss(0, 1),
        size=rng.lognormvariate(1.1, 0.5) if is_company else 1,
        subscribes=rng.random() < SUBSCRIBERS,
        agreed=rng.random() < AGREED,
        owner=rng.randrange(managers) if rng.random() < (OWNED if is_company else OWNED_PERSONS) else None,
    )


def _new(name: str, trade: str, number: int, taken: dict[str, int]) -> str:
    """The name, or another one where it is taken, in whatever order: whoever looks like another mostly is one."""
    rng = Random(number)  # noqa: S311 - a simulation
    for _ in range(DRAWS):
        if _words(name) not in taken:
            break
        name = _company(rng, trade) if trade else _named(rng)
    taken[_words(name)] = 1
    return name


def _free(number: int, taken: dict[str, int]) -> str:
    """A phone number that nobody else has, as long as there are any."""
    tried = (f"+44 1632 96{(number + more) % 10_000:04}" for more in range(DRAWS))
    phone = next((each for each in tried if each not in taken), f"+44 1632 96{number:04}")
    taken[phone] = 1
    return phone


def _named(rng: Random) -> str:
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"


def _company(rng: Random, trade: str) -> str:
    first, second = rng.sample(PLACES, 2)
    named = first if rng.random() < 0.5 else f"{first} & {second}"
    return f"{named} {rng.choice(TRADES[trade])}"


def _address(name: str, taken: dict[str, int]) -> str:
    """One that leads nowhere (RFC 2606), and no other customer has."""
    plain = _plain(name)
    taken[plain] = taken.get(plain, 0) + 1
    return f"{plain}{taken[plain] if taken[plain] > 1 else ''}@example.test"


def _words(name: str) -> str:
    return " ".join(sorted(name.split()))


def _plain(name: str) -> str:
    return ".".join(name.lower().replace("é", "e").replace("& ", "").split())
