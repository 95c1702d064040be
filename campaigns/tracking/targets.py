"""Click targets are stored, so that no address of ours sends anybody to a place a stranger chose."""

from collections.abc import Iterable

from django.conf import settings

from campaigns.models import Link

LONGEST = 2_000


def is_tracked(address: str) -> bool:
    """Links to the outside are; our own pages, mailto: and the like go as they are."""
    return address.startswith(("https://", "http://")) and not is_ours(address) and len(address) <= LONGEST


def is_ours(address: str) -> bool:
    return address.startswith(f"{settings.PUBLIC_URL}/")


class Targets:
    """The stored links of steps, remembered for as long as a worker runs. At most `KEPT` are kept in memory."""

    KEPT = 50_000

    def __init__(self) -> None:
        self._ids: dict[tuple[int, str], int] = {}

    def ids(self, step_id: int, addresses: Iterable[str]) -> dict[str, int]:
        """The id of each address's link, stored where it is new."""
        wanted = {address for address in addresses if is_tracked(address)}
        unseen = [address for address in wanted if (step_id, address) not in self._ids]
        if len(self._ids) + len(unseen) > self.KEPT:
            self._ids.clear()
            unseen = list(wanted)
        if unseen:
            self._store(step_id, sorted(unseen))
        return {address: self._ids[step_id, address] for address in wanted}

    def _store(self, step_id: int, addresses: list[str]) -> None:
        Link.objects.bulk_create(
            (Link(step_id=step_id, url=address) for address in addresses), ignore_conflicts=True, batch_size=1_000
        )
        stored = Link.objects.filter(step=step_id, url__in=addresses).values_list("url", "id")
        self._ids.update({(step_id, address): link_id for address, link_id in stored})
