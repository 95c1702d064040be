"""One real Chromium for every test of a process: Playwright runs only one event loop at a time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect, sync_playwright

# Playwright's own event loop would make Django refuse every query of the test's thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
DESKTOP, PHONE = (1440, 900), (390, 844)
#: Milliseconds to wait for what is to come: on a busy machine five seconds are nothing.
PATIENCE = 60_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")
    if not (settings.BASE_DIR / "static" / "vendor" / "tabler.min.css").exists():
        pytest.skip("needs the front-end files: make setup")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS.split())
        yield browser
        browser.close()
