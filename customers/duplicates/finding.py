"""Finding customers who may be the same: those who changed are compared with those who share a trait, nobody else.

A trait that many have in common (a switchboard's number, a name that everybody has) tells nobody from anybody and is
passed over. What somebody said is no duplicate stays said.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from customers.duplicates import traits
from customers.models import Contact, Customer, MatchKey
from retention.common import clock
from retention.common.alone import MATCHING, alone

Trait = MatchKey.Trait
BATCH = 2_000
#: A value that more customers have says nothing of two of them.
CROWD = 8
#: Of 100: how sure a pair must be to be suggested. Reasons add up as independent ones: 100 × (1 − Π(1 − weight)).
ENOUGH = 40
#: How alike two plain names must be to count as similar, by the share of letters in common (Ratcliff/Obershelp).
ALIKE = 0.86
LIKELY, VERY_LIKELY = 60, 85


class Reason(NamedTuple):
    """Why two may be the same: in words, and what of theirs says so. `weight`: of 100."""

    why: str
    what: str
    weight: int


@dataclass(frozen=True)
class Side:
    """One of two customers, as far as they are compared."""

    kind: str
    name: str
    email: str
    phone: str
    country: str
    people: str = ""

    @property
    def addresses(self) -> set[str]:
        """Their own e-mail address and those of their contacts (`people`: with spaces between), in plain form."""
        return {traits.email(each) for each in (self.email, *self.people.split()) if each}


def look_for(seconds: float) -> int:
    """Compare whoever is marked, batch by batch, for about so long; how many were. Nothing while somebody else does."""
    done, until = 0, time.monotonic() + seconds
    with alone(MATCHING) as free:
        while free and (batch := look()):
            done += batch
            if time.monotonic() > until:
                break
    return done


@transaction.atomic
def look(limit: int = BATCH) -> int:
    """Compare up to `limit` marked customers with all who share a trait with them; gives how many marks that were."""
    marked = _rows(_TAKE, {"limit": limit})
    ids = sorted({customer_id for (customer_id,) in marked})
    if ids:
        _write_keys(ids)
        _write_pairs(ids, list(_judged(_rows(_PAIRS, {"ids": ids, "crowd": CROWD, "email": Trait.EMAIL.value}))))
    return len(marked)


def _write_keys(ids: Sequence[int]) -> None:
    fields = ("pk", "kind", "name", "email", "phone", "country")
    people: dict[int, list[str]] = {}
    there = Contact.objects.filter(customer__in=ids, removed_at=None).exclude(email="")
    for customer_id, address in there.values_list("customer", "email"):
        people.setdefault(customer_id, []).append(address)
    keys = [
        (customer.pk, trait, value)
        for customer in Customer.objects.filter(pk__in=ids).only(*fields).order_by("pk")
        for trait, value in sorted(traits.keys_of(customer, people.get(customer.pk, ())))
    ]
    _run("DELETE FROM customers_matchkey WHERE customer_id = ANY(%(ids)s)", {"ids": list(ids)})
    into = "COPY customers_matchkey (customer_id, trait, value) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for key in keys:
            copy.write_row(key)


def _judged(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[int, int, int, list[Reason]]]:
    """Those pairs that are sure enough, with their score and reasons."""
    for low, high, shared, one, other in rows:
        reasons = weigh({Trait(trait) for trait in shared}, Side(*one), Side(*other))
        if (score := score_of(reasons)) >= ENOUGH:
            yield low, high, score, reasons


def weigh(shared: set[Trait], one: Side, other: Side) -> list[Reason]:
    """The reasons that two customers who share these traits may be the same, the weightiest first."""
    companies = one.kind == other.kind == Customer.Kind.COMPANY
    reasons = []
    same = traits.email(one.email) if one.email else ""
    if Trait.EMAIL in shared and same and same == traits.email(other.email):
        reasons.append(Reason("Same e-mail address", same, 90))
    elif Trait.EMAIL in shared and (both := one.addresses & other.addresses):
        reasons.append(Reason("Same e-mail address of a person there", min(both), 50))
    if Trait.DOMAIN in shared and not reasons:
        reasons.append(Reason("Same company domain", traits.domain(one.email), 45 if companies else 25))
    if Trait.PHONE in shared:
        reasons.append(Reason("Same phone number", traits.phone(one.phone, one.country), 60))
    if Trait.NAME in shared:
        reasons.append(Reason("Same name", one.name, 50 if companies else 40))
    elif Trait.SOUND in shared and (companies or reasons) and similar(one.name, other.name):
        reasons.append(Reason("Similar name", f"{one.name} / {other.name}", 45 if companies else 25))
    return sorted(reasons, key=lambda reason: -reason.weight)


def similar(one: str, other: str) -> bool:
    """Whether two names are nearly the same once what tells nobody apart is left out."""
    first, second = (" ".join(traits.name_words(name)) for name in (one, other))
    match = SequenceMatcher(None, first, second, autojunk=False)
    return match.real_quick_ratio() >= ALIKE and match.quick_ratio() >= ALIKE and match.ratio() >= ALIKE


def score_of(reasons: Iterable[Reason]) -> int:
    doubt = 1.0
    for reason in reasons:
        doubt *= 1 - reason.weight / 100
    return round(100 * (1 - doubt))


def _write_pairs(ids: Sequence[int], found: Sequence[tuple[int, int, int, list[Reason]]]) -> None:
    """Make the suggestions about these customers those found; what was dismissed stays so."""
    params = {
        "ids": list(ids),
        "lows": [low for low, *_ in found],
        "highs": [high for _, high, *_ in found],
        "scores": [score for *_, score, _ in found],
        "reasons": [Jsonb([{"why": each.why, "what": each.what} for each in reasons]) for *_, reasons in found],
        "now": clock.now(),
    }
    _run(_FORGET, params)
    _run(_SUGGEST, params)


def _run(statement: str, params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def _rows(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


# As an array the marks are found once, and then by their index; as IN (…) they could be found again for every row.
_TAKE = """
    DELETE FROM customers_unmatched WHERE id = ANY(ARRAY(
        SELECT id FROM customers_unmatched ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )) RETURNING customer_id
"""
# People are read only where an address is what two have in common: whose it is decides how much it says.
# Of each value one more than a crowd is read at most, however many have it.
_PAIRS = """
    WITH mine AS (SELECT DISTINCT trait, value FROM customers_matchkey WHERE customer_id = ANY(%(ids)s)),
    groups AS (
        SELECT mine.trait, held.ids FROM mine CROSS JOIN LATERAL (
            SELECT array_agg(customer_id) AS ids FROM (
                SELECT customer_id FROM customers_matchkey
                WHERE value = mine.value AND trait = mine.trait LIMIT %(crowd)s + 1) AS few
        ) AS held WHERE cardinality(held.ids) BETWEEN 2 AND %(crowd)s
    ),
    pairs AS (
        SELECT one AS low, other AS high, array_agg(DISTINCT trait) AS shared
        FROM groups, UNNEST(ids) AS one, UNNEST(ids) AS other
        WHERE one < other AND (one = ANY(%(ids)s) OR other = ANY(%(ids)s))
        GROUP BY one, other
    )
    SELECT low, high, shared, ARRAY[a.kind, a.name, a.email, a.phone, a.country, COALESCE(of_low.people, '')],
           ARRAY[b.kind, b.name, b.email, b.phone, b.country, COALESCE(of_high.people, '')]
    FROM pairs JOIN customers_customer a ON a.id = low JOIN customers_customer b ON b.id = high
    LEFT JOIN LATERAL (SELECT STRING_AGG(email, ' ') AS people FROM customers_contact
                       WHERE customer_id = low AND removed_at IS NULL) AS of_low ON %(email)s = ANY(shared)
    LEFT JOIN LATERAL (SELECT STRING_AGG(email, ' ') AS people FROM customers_contact
                       WHERE customer_id = high AND removed_at IS NULL) AS of_high ON %(email)s = ANY(shared)
    ORDER BY low, high
"""
_FORGET = """
    DELETE FROM customers_likeness gone
    WHERE (low_id = ANY(%(ids)s) OR high_id = ANY(%(ids)s)) AND dismissed_at IS NULL
      AND NOT EXISTS (SELECT FROM UNNEST(%(lows)s::bigint[], %(highs)s::bigint[]) AS found(low, high)
                      WHERE found.low = gone.low_id AND found.high = gone.high_id)
"""
_SUGGEST = """
    INSERT INTO customers_likeness AS stands (low_id, high_id, score, reasons, found_at)
    SELECT low, high, score, reasons, %(now)s
    FROM UNNEST(%(lows)s::bigint[], %(highs)s::bigint[], %(scores)s::int[], %(reasons)s::jsonb[])
        AS found(low, high, score, reasons)
    ON CONFLICT (low_id, high_id) DO UPDATE SET score = EXCLUDED.score, reasons = EXCLUDED.reasons
    WHERE (stands.score, stands.reasons) IS DISTINCT FROM (EXCLUDED.score, EXCLUDED.reasons)
"""
