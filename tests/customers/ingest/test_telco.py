"""Telco: the shipped mappings give the data set's reference (section 3) by import and by the figures of metrics."""

import io
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Count, Q

from customers.facts.folding import fold
from customers.models import Customer, CustomerFacts, Event, SubscriptionTerm
from retention.workspace.models import Basis, Workspace

pytestmark = pytest.mark.django_db


def command(*args: str, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*args, **options, json=True, stdout=out, stderr=io.StringIO())
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def bring_in(shared: Path, kind: str) -> dict[str, Any]:
    path = str(shared / "telco" / "Telco-Customer-Churn.csv")
    return command("import", kind, path, mapping=f"telco_{kind}")


def test_it_works(shared: Path) -> None:
    Workspace.objects.update(currency="USD", basis=Basis.CONTRACTUAL)
    customers, subscriptions = bring_in(shared, "customers"), bring_in(shared, "subscriptions")
    assert (customers["rows"], customers["rejected"], subscriptions["rejected"]) == (7_043, 0, 0)
    assert customers["customers"]["created"] == subscriptions["subscriptions"]["created"] == 7_043
    assert subscriptions["customers"]["unchanged"] == 7_043
    assert Customer.objects.filter(attributes__InternetService="Fiber optic").count() == 3_096
    _counts_by_contract()
    assert Counter(Event.objects.values_list("kind", flat=True)) == {
        "customer.created": 7_043,
        "subscription.started": 7_043,
        "subscription.ended": 1_869,
    }
    again = bring_in(shared, "subscriptions")
    assert (again["subscriptions"]["unchanged"], Event.objects.count()) == (7_043, 15_955)
    fold(list(Customer.objects.values_list("pk", flat=True)))
    assert CustomerFacts.objects.filter(mrr__gt=0).count() == 7_043 - 1_869
    _figures()


def _counts_by_contract() -> None:
    """Churn by contract, and tenure in whole months."""
    ended = Count("pk", filter=Q(valid_to__isnull=False))
    rows = SubscriptionTerm.objects.values("plan").annotate(all=Count("pk"), ended=ended).order_by("plan")
    assert [tuple(row.values()) for row in rows] == [
        ("Month-to-month", 3_875, 1_655),
        ("One year", 1_473, 166),
        ("Two year", 1_695, 48),
    ]
    starts = [start.date() for start in SubscriptionTerm.objects.values_list("valid_from", flat=True)]
    tenures = sorted(12 * (2025 - start.year) + 12 - start.month for start in starts)
    assert (tenures.count(0), tenures[len(tenures) // 2]) == (11, 29)
    assert sum(tenures) / len(tenures) == pytest.approx(32.37114865824223)


def _figures() -> None:
    """January 2026 begins as the day ends that the file tells of."""
    report = command("report", "revenue", **{"from": "2026-01-01", "to": "2026-02-01"})
    figures = {figure["figure"]: figure for figure in report["figures"]}
    kept = figures["net_revenue_retention"]
    assert (kept["denominator"]["customers"], Decimal(kept["denominator"]["amount"])) == (7_043, Decimal("456116.60"))
    assert (kept["numerator"]["customers"], Decimal(kept["numerator"]["amount"])) == (5_174, Decimal("316985.75"))
    assert Decimal(figures["gross_revenue_retention"]["value"]) == Decimal(kept["value"])
    assert float(kept["value"]) == pytest.approx(316_985.75 / 456_116.60)
    assert Decimal(figures["churned_mrr"]["value"]) == Decimal("139130.85")
    steps = {step["step"]: Decimal(step["amount"]) for step in report["movement"]}
    assert steps == {
        "At the start": Decimal("456116.60"),
        "New": 0,
        "Expansion": 0,
        "Reactivation": 0,
        "Contraction": 0,
        "Churn": Decimal("-139130.85"),
        "At the end": Decimal("316985.75"),
    }
    overview = command("report", "overview", **{"from": "2026-01-01", "to": "2026-02-01"})
    churn = next(figure for figure in overview["figures"] if figure["figure"] == "churn_rate")
    assert (churn["numerator"]["customers"], churn["denominator"]["customers"]) == (1_869, 7_043)
    assert churn["value"] == pytest.approx(0.2653698707936959)
