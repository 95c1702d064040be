"""Addresses from a trade fair, brought in through the product's own import; three of the rows cannot be used."""

import csv
import io
from random import Random

from customers.ingest.imports import remove, run_here, take_in
from customers.ingest.mapping import from_json
from customers.models import Import
from retention.demo.people import FAMILY, GIVEN, PLACES

FILENAME = "coffee-fair.csv"
VISITORS = 40
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
    for badge in range(1001, 1001 + VISITORS):
        rows.writerow(_visitor(rng, badge, day))
    return written.getvalue()


def _visitor(rng: Random, badge: int, day: str) -> tuple[str, ...]:
    """A visitor; a few times somebody has written nonsense."""
    given, family, place = rng.choice(GIVEN), rng.choice(FAMILY), rng.choice(PLACES)
    address = f"{given}.{family}@{place}-roasters.example.test".lower()
    if badge % 15 == 1:
        address, day = address.replace("@", " at "), "soon"
    country = rng.choice(("Germany", "France", "Spain"))
    return str(badge), f"{place} Roasters", f"{given} {family}", address, country, day, rng.choice(("yes", "yes", ""))
