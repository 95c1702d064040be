"""How many of a thing, in words."""

_MANY = {"person": "people", "person's consent": "people's consents"}


def counted(count: int, noun: str) -> str:
    """1 order, 1,200 people."""
    return f"{count:,} {noun if count == 1 else _MANY.get(noun, f'{noun}s')}"
