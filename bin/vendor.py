"""Copy the few third-party front-end files that the pages use from node_modules into static/vendor.

Whole packages would be 95 MB of files to serve, and their source maps name files that are not there. The icons that
`bin/icons.txt` names become one file: `<svg class="icon"><use href="{% static 'vendor/icons.svg' %}#NAME"/></svg>`.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parent / "node_modules"
VENDOR = HERE.parent / "static" / "vendor"
FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "echarts.min.js": "echarts/dist/echarts.min.js",
}
ICONS = "@tabler/icons/icons/outline"
SOURCE_MAP = re.compile(r"\n?/[/*]# sourceMappingURL=\S+( ?\*/)?\s*$")
DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
#: The invisible square that every Tabler icon begins with.
FRAME = re.compile(r'\s*<path stroke="none"[^>]*/>')
STROKES = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'


def symbol(name: str) -> str:
    path = PACKAGES / ICONS / f"{name}.svg"
    drawing = DRAWING.search(path.read_text()) if path.exists() else None
    if drawing is None:
        sys.exit(f"bin/icons.txt names {name}, which is no outline icon of @tabler/icons")
    shapes = " ".join(FRAME.sub("", drawing[1]).split())
    return f'<symbol id="{name}" viewBox="0 0 24 24" {STROKES}>{shapes}</symbol>'


def sprite(names: list[str]) -> str:
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(map(symbol, names)) + "\n</svg>\n"


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        text = (PACKAGES / source).read_text(encoding="utf-8")
        (VENDOR / name).write_text(SOURCE_MAP.sub("", text), encoding="utf-8")
    names = (HERE / "icons.txt").read_text().split()
    (VENDOR / "icons.svg").write_text(sprite(sorted(set(names))))


if __name__ == "__main__":
    main()
