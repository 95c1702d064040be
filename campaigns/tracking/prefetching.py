"""Telling people from machines that open everything: mail scanners, link previews, proxies that fetch ahead."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

TOO_SOON = timedelta(seconds=5)
"""A person needs longer than that from the sending of a message to a click in it."""
BURST = timedelta(seconds=2)
"""Different links of one message clicked within it: a machine tries them all."""

_SCANNERS = re.compile(
    r"bot\b|crawl|spider|scan|preview|fetch|monitor|barracuda|proofpoint|mimecast|symantec|messagelabs|trendmicro|"
    r"forcepoint|sophos|ironport|safelinks|urldefense|yahoomailproxy|googleimageproxy.*prefetch|"
    r"curl/|wget/|python-|aiohttp|httpx|go-http-client|okhttp|java/|libwww|headless|phantomjs|facebookexternalhit|"
    r"slack|whatsapp|telegram|discord|skypeuri",
    re.IGNORECASE,
)


def machine(method: str, headers: Mapping[str, str], sent_at: datetime | None, now: datetime) -> str:
    """Why this request is not a person's, in a word; empty where it may well be one."""
    agent = headers.get("User-Agent", "").strip()
    if method == "HEAD":
        return "head"
    if (
        "prefetch"
        in f"{headers.get('Purpose', '')} {headers.get('Sec-Purpose', '')} {headers.get('X-Moz', '')}".lower()
    ):
        return "prefetch"
    if not agent or agent == "Mozilla/5.0" or _SCANNERS.search(agent):
        return "scanner"
    if sent_at is None or now - sent_at < TOO_SOON:
        return "too soon"
    return ""
