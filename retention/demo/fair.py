"""Addresses from a trade fair, brought in through the product's own import; three of the rows cannot be used.

Three visitors came from one roastery, and three are customers already, written down in other words: they are the
duplicates that there are to be found.
"""

import csv
import io
from itertools import combinations
from random import Random

from customers.ingest.imports import remove, run_here, take_in
from customers.ingest.mapping import from_json
from customers.models import Customer, Import
from retention.demo.people import FAMILY, GIVEN, PLACES

FILENAME = "coffee-fair.csv"
VISITORS, COLLEAGUES, KNOWN = 40, 2, 3
COLUMNS = ("Badge", "Company", "Contact", "E-mail", "Country", "Visited", "Newsletter")
MAPPING = {
    "kind": "customers",
    "dates": "dmy",
    "fields": {
        "customer_id": {"text": "FAIR-{Badge}"},
        "name": {"column": "Company"},
        "email": {"column": "E-mail"},
        "country": {"column": "Country"},
        "joined_at": {"column": "Visited"},
        "consent": {"column": "Newsletter"},
        "consent_source": {"text": "Coffee fair"},
        "kind": {"text": "company"},
        "source": {"text": "demo"},
    },
}


def bring_in(rng: Random, day: str) -> None:
    """The file and its import; `day` (31/12/2011) is when the fair was."""
    file = io.BytesIO(_file(rng, day).encode())
    run_here(take_in(file, FILENAME, from_json(MAPPING)), dry_run=False, tell=lambda *_: None)


def forget() -> None:
    for each in Import.objects.filter(filename=FILENAME):
        remove(each)


def _file(rng: Random, day: str) -> str:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for badge, (company, domain) in enumerate(_companies(rng), start=1001):
        rows.writerow(_visitor(rng, badge, company, domain, day))
    for badge, (company, address) in enumerate(_known(), start=1001 + VISITORS - KNOWN):
        rows.writerow((str(badge), company, "", address, "Germany", day, "yes"))
    return written.getvalue()


def _companies(rng: Random) -> list[tuple[str, str]]:
    """Names and domains of roasteries, no two alike, and then one of them twice more."""
    pairs = rng.sample(list(combinations(PLACES, 2)), VISITORS - KNOWN - COLLEAGUES)
    named = [
        (f"{first} & {second} Roasters", f"{first}-{second}-roasters.example.test".lower()) for first, second in pairs
    ]
    return named[:2] + named[1:2] * COLLEAGUES + named[2:]


def _known() -> list[tuple[str, str]]:
    """Companies that are customers: in capitals, with a legal form, and under an address that is somebody's there."""
    one, other, third = Customer.objects.filter(kind=Customer.Kind.COMPANY).order_by("external_id")[:KNOWN]
    return [
        (one.name.upper(), one.email.upper()),
        (f"{other.name} Ltd", f"fair@{PLACES[0]}.example.test".lower()),
        (f"Visitor of {third.name}", third.email),
    ]


def _visitor(rng: Random, badge: int, company: str, domain: str, day: str) -> tuple[str, ...]:
    """A visitor; a few times somebody has written nonsense."""
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    address = f"{given}.{family}@{domain}".lower()
    if badge % 15 == 1:
        address, day = address.replace("@", " at "), "soon"
    country = rng.choice(("Germany", "France", "Spain"))
    return str(badge), company, f"{given} {family}", address, country, day, rng.choice(("yes", "yes", ""))
