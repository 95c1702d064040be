"""Who pays in other currencies than the workspace's, and so has no MRR though they are subscribed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Q

from customers.models import SubscriptionTerm
from retention.common import clock


def paid_elsewhere(rows: Iterable[Mapping[str, Any]], currency: str) -> dict[int, str]:
    """The currencies, by customer. One query where any row of the list is in question, which is seldom; else none."""
    asked = [row["pk"] for row in rows if _is_in_question(row)]
    if not asked:
        return {}
    now = clock.now()
    terms = SubscriptionTerm.objects.filter(customer__in=asked, valid_from__lte=now).exclude(currency=currency)
    running = terms.filter(Q(valid_to=None) | Q(valid_to__gt=now)).order_by()
    return dict(running.values_list("customer").annotate(all=StringAgg("currency", ", ", distinct=True)))


def _is_in_question(row: Mapping[str, Any]) -> bool:
    return bool(row["facts__subscribed_at"]) and row["facts__churned_at"] is None and not row["facts__mrr"]
