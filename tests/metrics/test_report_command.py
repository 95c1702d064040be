"""`manage.py report` gives the same figures as the pages, and says what is wrong in a sentence."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client

from campaigns.models import Campaign

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
WINDOW = {"from": "2026-03-01", "to": "2026-06-01", "segment": "Every third"}


def report(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command("report", *words, stdout=out, **options)
    return out.getvalue()


def options(more: dict[str, str]) -> list[str]:
    return [word for key, value in more.items() for word in (f"--{key}", value)]


CASES: list[tuple[str, str, dict[str, str]]] = [
    ("overview", "/metrics/", {}),
    ("overview", "/metrics/", {"from": "2026-03-01", "to": "2026-06-01"}),
    ("overview", "/metrics/", WINDOW),
    ("overview", "/metrics/", {"window": "quarter"}),
    ("revenue", "/metrics/revenue/", {}),
    ("revenue", "/metrics/revenue/", {"window": "quarter"}),
    ("cohorts", "/metrics/cohorts/", {}),
    ("cohorts", "/metrics/cohorts/", {"measure": "cumulative", "orders": "all"}),
    ("cohorts", "/metrics/cohorts/", {"measure": "on_or_after", **WINDOW}),
    ("nps", "/metrics/nps/", {}),
    ("nps", "/metrics/nps/", WINDOW),
    ("campaign-effect", "/metrics/campaigns/{campaign}/", {"campaign": "Win back"}),
    ("campaign-effect", "/metrics/campaigns/{campaign}/", {"campaign": "Win back", **WINDOW}),
]


@pytest.mark.parametrize(("name", "address", "asked"), CASES)
def test_it_says_what_the_page_says(
    company: Campaign, signed_in: SignIn, name: str, address: str, asked: dict[str, str]
) -> None:
    client, place = signed_in("analyst"), address.format(campaign=company.pk)
    shown = client.get(place, asked).context["report"].as_dict()
    printed = json.loads(report(name, *options(asked), "--json"))
    assert printed == json.loads(json.dumps(shown, cls=DjangoJSONEncoder))
    assert report(name, *options(asked), "--csv") == client.get(place, {**asked, "format": "csv"}).content.decode()


def test_a_person_can_read_it(company: Campaign) -> None:
    lines = report("overview").splitlines()
    assert lines[0] == "3 Mar 2026 to 31 May 2026"
    assert lines[1].startswith("Customer retention rate  ")
    assert report("campaign-effect", "--campaign", str(company.pk)).startswith("No effect shown")
    assert "without cancelled and refunded orders" in report("cohorts")
    assert "Score 10" in report("nps")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["overview", "--from", "2026-01-01"], "both dates"),
        (["overview", "--from", "2026-02-01", "--to", "2026-01-01"], "end after it begins"),
        (["overview", "--segment", "Somebody"], "no segment Somebody"),
        (["campaign-effect"], "Say which campaign"),
        (["campaign-effect", "--campaign", "Nothing"], "no campaign Nothing"),
        (["everything"], "invalid choice"),
    ],
)
def test_what_is_wrong_is_said(company: Campaign, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        report(*words)
