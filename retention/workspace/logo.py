"""The workspace's logo: which pictures are taken, and how they are served again."""

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.files.base import File

LARGEST = 256 * 1024


class Picture(NamedTuple):
    """A kind of picture that carries no script. SVG does, so it is not among them."""

    suffix: str
    content_type: str
    start: bytes
    marker: bytes = b""


PICTURES = (
    Picture(".png", "image/png", b"\x89PNG\r\n\x1a\n"),
    Picture(".jpg", "image/jpeg", b"\xff\xd8\xff"),
    Picture(".webp", "image/webp", b"RIFF", b"WEBP"),
)


def picture(head: bytes) -> Picture | None:
    """What kind of picture begins with these bytes; its name is not asked."""
    return next((kind for kind in PICTURES if head.startswith(kind.start) and kind.marker in head[8:12]), None)


def check_logo(file: "File[bytes]") -> Picture:
    """What kind of picture the file is. Raises ValidationError where it may not be a logo."""
    if file.size > LARGEST:
        raise ValidationError(f"The file has {file.size // 1024} KB; a logo may have {LARGEST // 1024} KB.")
    head = file.read(12)
    file.seek(0)
    kind = picture(head)
    if kind is None:
        raise ValidationError("That is no PNG, JPEG or WebP picture. Save the logo as one of these.")
    return kind
