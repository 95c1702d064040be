"""Every address of the project, for what must hold of all of them."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

SAMPLES = {
    "int": "900001",  # a number that no sequence has come to
    "uuid": "00000000-0000-4000-8000-000000000001",
    "str": "x",
    "slug": "x",
    "path": "x",
}


def patterns(resolver: URLResolver | None = None, before: str = "/") -> Iterator[tuple[URLPattern, str]]:
    """Every address of the project, with a sample of each of its parts."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, before + sample(entry))
        else:
            yield entry, before + sample(entry)


def sample(entry: URLPattern | URLResolver) -> str:
    text = str(entry.pattern)
    for name, converter in entry.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            text = text.replace(written, SAMPLES[kind])
    return text
