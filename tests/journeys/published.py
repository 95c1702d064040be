"""The published cohort grids of Online Retail: which of the product's conventions each one follows, and its cells."""

import csv
from pathlib import Path

#: The product's name of the convention, and the letter by which REFERENCE §5 calls it.
CONVENTIONS = (("all", "A"), ("kept", "B"), ("paid", "C"))
MONTHS = {"from": "2010-12-01", "to": "2012-01-01"}


def grid(shared: Path, letter: str) -> list[list[int]]:
    """Per cohort how many customers ordered in month 0, 1, 2 …"""
    with (shared / "online_retail" / f"cohort_{letter}.csv").open() as file:
        return [[int(float(cell)) for cell in row[1:] if cell] for row in list(csv.reader(file))[1:]]
