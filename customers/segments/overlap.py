"""Overlap: how many customers two segments share, and who they are; as their present members say."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from customers.models import Segment, SegmentMembership
from customers.segments.patience import patiently


class Part(StrEnum):
    BOTH = "both"
    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True)
class Overlap:
    """Customers in both segments, and in one of them alone."""

    both: int
    first: int
    second: int

    @property
    def either(self) -> int:
        return self.both + self.first + self.second

    def of(self, part: Part) -> int:
        return int(getattr(self, part.value))


def overlap(first: Segment, second: Segment) -> Overlap:
    """One query over the present members of both."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERLAP, {"first": first.pk, "second": second.pk})
        return Overlap(*cursor.fetchone())


def stays(first: Segment, second: Segment, part: Part) -> QuerySet[SegmentMembership]:
    """The present stays behind a count: in the second segment where the customer is in it alone, else in the first."""
    here, there = (second, first) if part is Part.SECOND else (first, second)
    present = SegmentMembership.objects.filter(segment=here, left_at=None)
    elsewhere = Exists(SegmentMembership.objects.filter(segment=there, left_at=None, customer=OuterRef("customer")))
    return present.filter(elsewhere if part is Part.BOTH else ~elsewhere)


def shared_with_all(segment: Segment) -> dict[int, int]:
    """How many of its customers each other segment has too. Raises TooSlow."""
    with patiently() as cursor:
        cursor.execute(_SHARED, {"segment": segment.pk})
        return dict(cursor.fetchall())


_OVERLAP = """
    SELECT count(*) FILTER (WHERE a AND b), count(*) FILTER (WHERE a AND NOT b), count(*) FILTER (WHERE b AND NOT a)
    FROM (SELECT bool_or(segment_id = %(first)s) AS a, bool_or(segment_id = %(second)s) AS b
          FROM customers_segmentmembership
          WHERE segment_id IN (%(first)s, %(second)s) AND left_at IS NULL GROUP BY customer_id) members
"""
_SHARED = """
    SELECT other.segment_id, count(*) FROM customers_segmentmembership own
    JOIN customers_segmentmembership other ON other.customer_id = own.customer_id
    WHERE own.segment_id = %(segment)s AND own.left_at IS NULL
      AND other.segment_id <> %(segment)s AND other.left_at IS NULL
    GROUP BY other.segment_id
"""
