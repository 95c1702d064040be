"""Who reads page after page while others come and go sees nobody twice, and everybody who stood there throughout."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Lower
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from customers.models import Customer
from customers.records import listing
from customers.records.listing import Cut
from customers.records.ordering import ORDERS
from retention.common import keyset
from retention.workspace.api import paging
from tests.customers.known import customer

pytestmark = pytest.mark.django_db

SIZE = 2
#: Gives the ids of a page and the mark of the next, "" at the end.
Reader = Callable[[str], tuple[list[int], str]]


def of_the_list(down: bool) -> Reader:
    def read(mark: str) -> tuple[list[int], str]:
        page = listing.page(Customer.objects.all(), Cut(ORDERS["name"], down, SIZE, after=mark))
        return [row["pk"] for row in page.rows], page.next

    return read


def of_the_api(down: bool) -> Reader:
    def read(mark: str) -> tuple[list[int], str]:
        request = Request(APIRequestFactory().get("/", {"size": str(SIZE), "after": mark}))
        rows, mark = paging.page(Customer.objects.all(), request, ("name", "id"), down=down)
        return [row.pk for row in rows], mark

    return read


def of_a_turn(down: bool) -> Reader:
    keys = (keyset.Key(Lower("name"), str), keyset.Key(F("pk"), int))

    def read(mark: str) -> tuple[list[int], str]:
        at = keyset.turn(Customer.objects.all(), keys, SIZE, mark, "", down=down)
        return [row.pk for row in at.rows], at.next

    return read


#: Names with equals among them, and what happens before each page: who comes, and which of those there goes.
NAMES = st.lists(st.sampled_from("AaBbCcÄ"), min_size=1, max_size=9)
MEANWHILE = st.lists(st.tuples(st.lists(st.sampled_from("AaBbCcÄ"), max_size=2), st.integers(0, 20)), max_size=8)


def read_on(read: Reader, names: list[str], meanwhile: list[tuple[list[str], int]]) -> None:
    """Read to the end; before each page some come, and somebody may go."""
    there = [customer(f"first-{place}", name=name).pk for place, name in enumerate(names)]
    stood, seen = set(there), list[int]()
    mark, turns = "", iter(meanwhile)
    while True:
        found, mark = read(mark)
        seen += found
        if not mark:
            break
        come, goes = next(turns, ([], len(there)))
        there += [customer(f"later-{len(there)}-{place}", name=name).pk for place, name in enumerate(come)]
        for gone in there[goes : goes + 1]:
            Customer.objects.filter(pk=gone).delete()
            stood.discard(gone)
    assert len(seen) == len(set(seen)), "somebody is seen twice"
    assert stood <= set(seen), "somebody who stood there throughout is left out"


@pytest.mark.parametrize("reader", [of_the_list, of_the_api, of_a_turn])
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(names=NAMES, meanwhile=MEANWHILE, down=st.booleans())
def test_it_works(
    reader: Callable[[bool], Reader], names: list[str], meanwhile: list[tuple[list[str], int]], down: bool
) -> None:
    with transaction.atomic():
        read_on(reader(down), names, meanwhile)
        transaction.set_rollback(True)


def by_number(mark: str) -> tuple[list[int], str]:
    """Planted: pages by how many rows come before."""
    begin = int(mark or 0)
    rows = list(Customer.objects.order_by(Lower("name"), "pk").values_list("pk", flat=True)[begin : begin + SIZE + 1])
    return rows[:SIZE], str(begin + SIZE) if len(rows) > SIZE else ""


@pytest.mark.parametrize("meanwhile", [[(["A"], 9)], [([], 0)]], ids=["somebody comes", "somebody goes"])
def test_pages_by_number_are_found_out(meanwhile: list[tuple[list[str], int]]) -> None:
    with pytest.raises(AssertionError):
        read_on(by_number, list("BBCC"), meanwhile)
