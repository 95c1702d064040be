"""The workspace's one accent colour, made readable on light and dark ground.

Contrast is WCAG 2.2's: (L1 + 0.05) / (L2 + 0.05) of the relative luminances; text needs 4.5.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

READABLE = 4.5
HEX = re.compile(r"#[0-9a-fA-F]{6}")
#: The lightest and the darkest ground that the accent stands on as text.
LIGHT_GROUND, DARK_GROUND = "#f2f2f2", "#262626"


class Colour(NamedTuple):
    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> "Colour":
        """A colour from `#rrggbb`. Raises ValueError where it is anything else."""
        if not HEX.fullmatch(text):
            raise ValueError(f"{text!r} is no colour like #206bc4.")
        return cls(*bytes.fromhex(text[1:]))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """Relative luminance of sRGB, 0 (black) to 1 (white)."""
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in self)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def towards(self, other: "Colour", share: float) -> "Colour":
        return Colour(*(round(a + (b - a) * share) for a, b in zip(self, other, strict=True)))


WHITE, BLACK = Colour(255, 255, 255), Colour(0, 0, 0)


def contrast(one: Colour, other: Colour) -> float:
    """WCAG contrast, 1 to 21."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: Colour, ground: Colour) -> Colour:
    """The colour itself, or the nearest shade of it towards black or white that reads on `ground`."""
    end = BLACK if contrast(BLACK, ground) > contrast(WHITE, ground) else WHITE
    shades = (colour.towards(end, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, ground) >= READABLE)


def text_on(colour: Colour) -> Colour:
    return WHITE if contrast(WHITE, colour) >= READABLE else readable(WHITE, colour)


def declarations(colour: Colour) -> Iterator[str]:
    light, dark = readable(colour, Colour.parse(LIGHT_GROUND)), readable(colour, Colour.parse(DARK_GROUND))
    yield f"--brand:{colour}"
    yield f"--brand-fg:{text_on(colour)}"
    yield f"--brand-text:light-dark({light},{dark})"


@lru_cache(maxsize=16)
def stylesheet(colour: str) -> str:
    """The custom properties that carry a workspace's colour, `#rrggbb`, into every page."""
    return ":root{" + ";".join(declarations(Colour.parse(colour))) + "}"
