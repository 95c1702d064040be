"""The main job on real orders without page and without worker: import, sweep and report are commands.

`online_retail` is what `manage.py import` made of the file in an empty database.
"""

import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command

from campaigns import life
from campaigns.audit import audit
from campaigns.models import Campaign, EmailStep
from campaigns.ready_made import WIN_BACK
from customers.models import Segment
from customers.segments.ready_made import READY_MADE
from retention.workspace.models import User
from tests.campaigns.sink import Sink
from tests.journeys import published
from tests.online_retail import DAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("online_retail")]


LAPSING = 903  # counted from the file itself in tests/customers/segments


def manage(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def win_back() -> Campaign:
    """To those with two or more orders and none for 60 days, one in ten held out; launched."""
    lapsing = READY_MADE["lapsing"]
    segment = Segment.objects.create(name=lapsing.name, rule=lapsing.rule)
    campaign = Campaign.objects.create(name=WIN_BACK.title, segment=segment)
    EmailStep.objects.create(campaign=campaign, subject=WIN_BACK.subject, body=WIN_BACK.body)
    life.launch(campaign, User.objects.create(email="robin@example.test"))
    return campaign


def test_it_works(plain_sink: Sink, shared: Path) -> None:
    with time_machine.travel(DAY):
        campaign = win_back()
        told = manage("sweep", "--until-idle")
        found = audit(campaign)
        assert found.enrolled == found["held_out"] + found["sent"] == LAPSING
        assert 0.06 < found["held_out"] / found.enrolled < 0.14
        assert f"{found['sent']} sent" in told
        assert manage("sweep").strip() == "Nothing was due."
        assert_everyone_got_it_once(plain_sink, found["sent"])
        the_reports_are_right(campaign, shared)


def assert_everyone_got_it_once(sink: Sink, sent: int) -> None:
    assert len(sink.recipients) == sent
    assert set(Counter(sink.recipients).values()) == {1}
    assert len({message["Message-ID"] for message in sink.messages()}) == sent


def the_reports_are_right(campaign: Campaign, shared: Path) -> None:
    months = [word for key, day in published.MONTHS.items() for word in (f"--{key}", day)]
    for convention, letter in published.CONVENTIONS:
        grid = json.loads(manage("report", "cohorts", "--orders", convention, *months, "--json"))
        cells = [[cell["customers"] for cell in cohort["cells"]] for cohort in grid["cohorts"]]
        assert cells == published.grid(shared, letter)
    assert "65.6" in manage("report", "overview", "--from", "2010-12-01", "--to", "2011-12-10")
    assert "no data" in manage("report", "overview", "--from", "2009-01-01", "--to", "2009-02-01")
    assert "no answers" in manage("report", "nps")
    assert manage("report", "campaign-effect", "--campaign", campaign.name).startswith("Too early to tell")
