"""A mail server of our own, and the product told to send to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.campaigns.sink import Sink, serving


@pytest.fixture(params=["pipelined", "one by one"])
def sink(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sink]:
    """A running sink that the product's EMAIL_URL names; every test runs with and without command pipelining."""
    yield from _serve(Sink(pipelining=request.param == "pipelined"), settings)


@pytest.fixture
def plain_sink(settings: Any) -> Iterator[Sink]:
    """The same, with pipelining only."""
    yield from _serve(Sink(), settings)


def _serve(sink: Sink, settings: Any) -> Iterator[Sink]:
    with serving(sink) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield sink
