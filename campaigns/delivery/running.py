"""The delivery loop of one worker: claim, prepare, let go in small chunks, send, record."""

import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from campaigns.delivery.channels import Channel, Fate, Letter, Outcome, Unreachable
from campaigns.delivery.channels.chosen import email_channel
from campaigns.delivery.claiming import Claim, claim, release
from campaigns.delivery.departure import depart
from campaigns.delivery.preparing import Prepared, Preparing
from campaigns.delivery.recording import record, tally
from campaigns.rendering.composing import BadAddress
from campaigns.rendering.sandbox import Broken, Sandbox
from retention.common.alone import DELIVERING, alone
from retention.workspace.models import Workspace
from surveys.invitations import record_asked, take_back

LANES = 2
"""So many workers deliver at once, however many are woken."""
CHUNK_SECONDS = 0.5
SHARE_OF_LEASE = 1 / 3
"""So much of the lease a chunk may take on the wire: what is not begun by then goes back while it is still ours."""
SMALLEST, LARGEST = 10, 500
CLAIM_CHUNKS = 4
LATER = timedelta(minutes=1)
_sandbox = Sandbox()  # stays from run to run: to start it takes as long as to send some hundred messages


@dataclass
class Delivered:
    """What a run did: messages by fate, and those that were stopped before the wire."""

    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    stopped: int = 0
    trouble: str = ""

    def add(self, outcomes: list[Outcome], stopped: int) -> None:
        self.fates = {fate: self.fates[fate] + count for fate, count in tally(outcomes).items()}
        self.stopped += stopped

    @property
    def handled(self) -> int:
        return sum(self.fates.values()) + self.stopped


class Pace:
    """How many messages are half a second's work: what a killed worker leaves in doubt stays small."""

    def __init__(self) -> None:
        self.chunk = SMALLEST * 5

    def took(self, messages: int, seconds: float) -> None:
        wanted = messages * CHUNK_SECONDS / max(seconds, 0.001)
        self.chunk = max(SMALLEST, min(LARGEST, int(wanted), 2 * self.chunk))


def deliver(seconds: float) -> Delivered:
    """Send what is due for up to `seconds`; at once nothing where enough workers are at it already."""
    done = Delivered()
    with alone(DELIVERING, LANES) as free:
        if free:
            with closing(email_channel()) as channel:
                Run(channel, _sandbox, done).until(time.monotonic() + seconds)
    return done


class Run:
    """One worker's channel and rendering process, and what they have done."""

    def __init__(self, channel: Channel, sandbox: Sandbox, done: Delivered) -> None:
        self._channel = channel
        self._preparing = Preparing(sandbox)
        self._pace = Pace()
        self.done = done

    def until(self, end: float) -> None:
        """Go on until `end` (monotonic), until nothing is due, or until the channel is in trouble."""
        while time.monotonic() < end and not self.done.trouble:
            held = claim(self._pace.chunk * CLAIM_CHUNKS)
            if not held.messages:
                return
            self._batch(held)

    def _batch(self, held: Claim) -> None:
        """Send a claim's messages; whatever did not get its turn goes back."""
        workspace = Workspace.current()
        waiting = {each.message_id for each in held.messages}
        wait = LATER  # also on an error of ours: whoever is behind these gets their turn before they come again
        try:
            prepared = self._preparing.prepare(held.messages, workspace)
            while prepared and not self.done.trouble:
                chunk, prepared = prepared[: self._pace.chunk], prepared[self._pace.chunk :]
                if self._opened():
                    waiting -= {each.ready.message_id for each in chunk}
                    self._chunk(held, chunk, workspace)
            wait = LATER if self.done.trouble else timedelta()
        except BadAddress as sender:
            self.done.trouble = f"The workspace's sender address {sender} is not one that mail can come from."
        except Broken as trouble:
            self.done.trouble = str(trouble)
        finally:
            release(held, waiting, wait=wait, why=self.done.trouble)

    def _opened(self) -> bool:
        try:
            self._channel.open()
        except Unreachable as trouble:
            self.done.trouble = str(trouble)
        return not self.done.trouble

    def _chunk(self, held: Claim, chunk: list[Prepared], workspace: Workspace) -> None:
        """Past the point of no return, onto the wire, and written down."""
        begun = time.monotonic()
        departed = depart(held, [each.ready for each in chunk], workspace)
        leaving = [each for each in chunk if each.ready.message_id in departed.gone]
        record_asked(each.invitation for each in leaving if each.invitation)
        take_back(each.invitation for each in chunk if each.invitation and each.ready.message_id in departed.ended)
        outcomes = [_impossible(each) for each in leaving if each.letter is None]
        letters: list[Letter] = [each.letter for each in leaving if each.letter is not None]
        sent = self._channel.send(letters, settings.DELIVERY_LEASE.total_seconds() * SHARE_OF_LEASE)
        record(held.token, outcomes + sent)
        self.done.add(outcomes + sent, len(chunk) - len(leaving))
        if sent and all(each.fate == Fate.RETRY for each in sent):
            self.done.trouble = sent[-1].reply or "The mail server takes nothing at present."
        self._pace.took(len(chunk), time.monotonic() - begun)


def _impossible(message: Prepared) -> Outcome:
    return Outcome(message.ready.message_id, Fate.FAILED, reply=message.problem)
