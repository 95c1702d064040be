"""What a page sends as text, though it is meant as something else. Anybody may send anything."""


def whole(text: str) -> int | None:
    """A whole number that a row's id can be, or a count; None where the text is none, or too long for one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
