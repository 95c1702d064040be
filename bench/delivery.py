"""Delivery of a campaign over SMTP to a sink on this machine, against bare loops that do no more than send."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from itertools import count

from django.conf import settings
from django.db import connection
from django.template import Context, Template

from bench.delivery_worker import BODY, SUBJECT, letter
from bench.harness import Race
from campaigns.enrolment import take_in
from campaigns.models import Campaign, EmailStep
from customers.models import Consent, Customer, Segment, SegmentMembership
from retention.common import clock

MESSAGES = 10_000
WORKERS = 2
LISTMONK = 0.42
"""listmonk's rate as a share of the second floor's, measured side by side (20 connections, no row per recipient)."""
EMPTIED = (
    "campaigns_attempt, campaigns_contactslot, campaigns_recipient, campaigns_message, campaigns_link, "
    "campaigns_enrolment, campaigns_refusal, customers_event, bench_log"
)
_numbers = count(1)


def races() -> Iterator[Race]:
    """One worker against one plain loop; two workers against two bare processes of four connections each."""
    segment = _people()
    with ExitStack() as running:
        sink = running.enter_context(_process("bench.smtp_sink"))
        port = _line(sink)
        ours, floor = (
            [
                running.enter_context(_process("bench.delivery_worker", what, _database(), port, n, WORKERS))
                for n in range(WORKERS)
            ]
            for what in ("ours", "floor")
        )
        for worker in (*ours, *floor):
            _line(worker)
        yield Race(
            f"{MESSAGES:,} messages, one worker",
            "smtplib in a loop, the same e-mail from a Django template, nothing kept",
            ours=lambda: _tell(ours[:1]),
            floor=lambda: _plain_loop(int(port)),
            goal=2,
            units=MESSAGES,
            prepare=lambda: _launch(segment),
        )
        yield Race(
            f"{MESSAGES:,} messages, two workers",
            "two processes × four connections, pipelined, the same e-mail from a Django template, log rows by COPY",
            ours=lambda: _tell(ours),
            floor=lambda: _tell(floor),
            goal=round(1 / LISTMONK, 2),
            units=MESSAGES,
            prepare=lambda: _launch(segment),
        )


def _people() -> Segment:
    """The customers, who have agreed, in a segment."""
    rows = Customer.objects.bulk_create(
        (
            Customer(external_id=str(n), name=f"Customer {n}", email=f"c{n}@example.test", country="France")
            for n in range(MESSAGES)
        ),
        batch_size=2_000,
    )
    Consent.objects.bulk_create(
        (Consent(customer=row, channel="email", state="granted", source="bench") for row in rows), batch_size=2_000
    )
    segment = Segment.objects.create(name="Everybody", rule={"all": []})
    SegmentMembership.objects.bulk_create(
        (SegmentMembership(segment=segment, customer=row, entered_at=clock.now()) for row in rows), batch_size=2_000
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_log (customer_id bigint, state text)")
        cursor.execute("VACUUM ANALYZE")
    return segment


def _launch(segment: Segment) -> None:
    """A new campaign with a message for everybody, and nothing left of the one before."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {EMPTIED} RESTART IDENTITY")
    Campaign.objects.exclude(state__in=["draft", "finished"]).update(state="finished")
    campaign = Campaign.objects.create(
        name=f"Bench {next(_numbers)}", segment=segment, holdout_share=Decimal(0), rest_days=0
    )
    EmailStep.objects.create(campaign=campaign, subject=SUBJECT, body=BODY)
    campaign.state, campaign.launched_at = Campaign.State.RUNNING, clock.now()
    campaign.save()
    taken = take_in(campaign)
    if taken.messages != MESSAGES:
        raise RuntimeError(taken)


def _plain_loop(port: int) -> None:
    template = Template(letter())
    with smtplib.SMTP("127.0.0.1", port) as server:
        for person in Customer.objects.order_by("id").values("id", "name", "email", "country").iterator(1_000):
            text = template.render(Context({"customer": person}))
            server.sendmail("hello@example.test", [person["email"]], text)


def _tell(workers: Sequence["subprocess.Popen[str]"]) -> None:
    """Have the workers send, and wait until they have; together they send everything."""
    for worker in workers:
        _input(worker)
    sent = sum(int(_line(worker)) for worker in workers)
    if sent != MESSAGES:
        raise RuntimeError(f"{sent} of {MESSAGES} were sent")


@contextmanager
def _process(module: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=settings.BASE_DIR) as process:
        try:
            yield process
        finally:
            process.kill()


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _input(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
