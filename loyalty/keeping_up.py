"""What time alone does to offers."""

from loyalty.deciding import expire
from loyalty.settling import settle


def keep_up() -> int:
    """Close requests nobody answered and write down outcomes, until none is due. Gives how many offers moved."""
    moved = 0
    while count := expire() + settle():
        moved += count
    return moved
