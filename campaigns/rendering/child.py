"""The process that renders what users wrote. It is started alone: no Django, no environment, no secrets.

Once it is ready it says so, by a frame on standard output: four bytes of length, then JSON. Then it reads frames on
standard input and answers each:
    {"texts": {key: [subject, preheader, html]}, "jobs": [[key, variables], …], "strict": bool, "seconds": float}
    [[subject, preheader, pieces, text] | "what is wrong", …]
`pieces` is the HTML cut at its link targets: text, address, text, address, …, text.
When a frame takes more CPU time than its `seconds`, the kernel ends the process.
"""

import gc
import html
import json
import re
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

import css_inline
from liquid import Environment, StrictDefaultUndefined, Undefined
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

MEMORY = 512 * 1024 * 1024
TEMPLATES_KEPT = 64
LINK = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)

Texts = tuple[str, str, str]


class Plain:
    """A text without Liquid: it is what it says."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render(self, _: dict[str, Any]) -> str:
        return self._text


Compiled = tuple[BoundTemplate | Plain, BoundTemplate | Plain, BoundTemplate | Plain]


class Limited(Environment):
    """Liquid with an end to everything."""

    loop_iteration_limit = 1_000
    output_stream_limit = 300_000
    local_namespace_limit = 300_000
    context_depth_limit = 20


def _environment(*, strict: bool, autoescape: bool) -> Environment:
    undefined = StrictDefaultUndefined if strict else Undefined
    environment = Limited(autoescape=autoescape, undefined=undefined)
    for other_template in ("include", "render"):
        del environment.tags[other_template]
    return environment


_environments = {
    (strict, markup): _environment(strict=strict, autoescape=markup)
    for strict in (True, False)
    for markup in (True, False)
}
_compiled: dict[tuple[bool, Texts], Compiled | str] = {}


def compiled(texts: Texts, *, strict: bool) -> Compiled | str:
    """The templates of a step, compiled once, or what is wrong with them."""
    key = (strict, texts)
    if key not in _compiled:
        if len(_compiled) >= TEMPLATES_KEPT:
            _compiled.pop(next(iter(_compiled)))
        _compiled[key] = _compile(texts, strict=strict)
    return _compiled[key]


def _compile(texts: Texts, *, strict: bool) -> Compiled | str:
    plain, markup = _environments[strict, False], _environments[strict, True]
    subject, preheader, body = texts
    try:
        return _template(plain, subject), _template(plain, preheader), _template(markup, body)
    except LiquidError as error:
        return _in_words(error)


def _template(environment: Environment, text: str) -> BoundTemplate | Plain:
    return environment.from_string(text) if "{" in text else Plain(text)


def _in_words(error: LiquidError) -> str:
    """The message, with the line it is about where that is known."""
    about = str(error.args[0]) if error.args else type(error).__name__
    where = error.context()
    return f"{about} (line {where[0]})" if where else about


def render(templates: Compiled | str, variables: dict[str, Any]) -> list[Any] | str:
    """Subject, preheader, HTML cut at its links and plain text; or what is wrong."""
    if isinstance(templates, str):
        return templates
    subject, preheader, body = templates
    try:
        filled = (part.render(variables) for part in (subject, preheader, body))
        # A filter can make a NUL ({{ "%00" | url_decode }}), which neither mail nor database takes.
        heading, teaser, markup = (text.replace("\0", "") for text in filled)
    except LiquidError as error:
        return _in_words(error)
    if "<style" in markup:
        markup = css_inline.inline_fragment(markup, "")
    return [" ".join(heading.split()), " ".join(teaser.split()), cut(markup), plain_text(markup)]


def cut(markup: str) -> list[str]:
    """The HTML as text, address, text, …; addresses without HTML escapes."""
    pieces: list[str] = []
    end = 0
    for link in LINK.finditer(markup):
        quoted = 2 if link.group(2) is not None else 3
        pieces += [markup[end : link.start(quoted)], html.unescape(link.group(quoted))]
        end = link.end(quoted)
    return [*pieces, markup[end:]]


_HIDDEN = re.compile(r"<(style|head|script|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_ANCHOR = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>(.*?)</a\s*>""", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<(?:br|/li|/tr)\b[^>]*>", re.IGNORECASE)
_PARAGRAPH = re.compile(r"</(?:p|div|h[1-6]|table|ul|ol|blockquote)\s*>", re.IGNORECASE)
_ITEM = re.compile(r"<li\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_LINE = re.compile(r"[ \t]*\n[ \t]*")
_LINES = re.compile(r"\n{3,}")


def plain_text(markup: str) -> str:
    """The same words for those who read no HTML; a link is its label and, behind it, its address."""
    text = _HIDDEN.sub("", markup)
    text = " ".join(text.split())
    text = _ANCHOR.sub(_spelled_out, text)
    text = _PARAGRAPH.sub("\n\n", _BREAK.sub("\n", _ITEM.sub("- ", text)))
    text = html.unescape(_TAG.sub("", text))
    return _LINES.sub("\n\n", _LINE.sub("\n", text)).strip()


def _spelled_out(link: re.Match[str]) -> str:
    address, label = link.group(1) or link.group(2) or "", _TAG.sub("", link.group(3)).strip()
    return label if not address or label == address else f"{label} ({address})"


def answer(frame: dict[str, Any]) -> list[Any]:
    strict = frame["strict"]
    texts = {key: tuple(given) for key, given in frame["texts"].items()}
    return [render(compiled(texts[key], strict=strict), variables) for key, variables in frame["jobs"]]


def read(stream: BinaryIO) -> Any:
    """The next frame, or None where the other side has gone."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return json.loads(stream.read(struct.unpack("!I", head)[0]))


def write(stream: BinaryIO, content: Any) -> None:
    data = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    stream.write(struct.pack("!I", len(data)) + data)
    stream.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.disable()  # a frame's leavings are collected once it is answered
    write(sys.stdout.buffer, "ready")
    while (frame := read(sys.stdin.buffer)) is not None:
        signal.setitimer(signal.ITIMER_PROF, frame["seconds"])
        answered = answer(frame)
        signal.setitimer(signal.ITIMER_PROF, 0)
        write(sys.stdout.buffer, answered)
        del frame, answered
        gc.collect()


if __name__ == "__main__":
    main()
