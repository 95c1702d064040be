"""Without a mail server: every message lands as a file, whole or not at all, and a page shows them."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from campaigns.delivery.channels import Fate, Letter, Outcome
from retention.common import clock


class OutboxChannel:
    """Writes `<day>/<time>-<message id>.eml` below a folder. A message written twice would be seen twice."""

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    def send(self, letters: Sequence[Letter], seconds: float) -> list[Outcome]:  # noqa: ARG002  # files take no time
        return [self._write(letter) for letter in letters]

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, letter: Letter) -> Outcome:
        now = clock.now()
        place = self._folder / f"{now:%Y-%m-%d}" / f"{now:%H%M%S%f}-{letter.message_id}.eml"
        draft = place.with_suffix(f".{secrets.token_hex(4)}")
        try:
            place.parent.mkdir(exist_ok=True)
            draft.write_bytes(letter.content)
            draft.rename(place)
        except OSError as error:
            return Outcome(letter.message_id, Fate.RETRY, reply=f"The outbox folder: {error.strerror}")
        return Outcome(letter.message_id, Fate.SENT, reply=f"{place.parent.name}/{place.name}")
