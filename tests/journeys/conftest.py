"""The product as people start it, a mail server it sends to, a browser in front of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.campaigns.conftest import plain_sink
from tests.campaigns.sink import Sink, serving
from tests.chromium import DESKTOP
from tests.journeys.product import Product

__all__ = ["plain_sink"]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    sink = Sink()
    with serving(sink) as port:
        sink.port = port
        yield sink


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[Product]:
    """Started empty, at the end of Online Retail's last day but one."""
    folder = tmp_path_factory.mktemp("product")
    made = Product(
        folder,
        RETENTION_NOW="2011-12-10T00:00:00Z",
        EMAIL_URL=f"smtp://127.0.0.1:{sink.port}",
        DELIVERY_LEASE="15",  # seconds until a killed worker's messages are taken up
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(chromium: Browser, product: Product) -> Iterator[Page]:
    """The administrator's browser."""
    context = chromium.new_context(base_url=product.url, viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()
