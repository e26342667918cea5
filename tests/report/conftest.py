"""A real browser for the pages of reports: Chromium without a window and without a network."""

import os
import shutil
from dataclasses import dataclass, field

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "HAIL_MRI_REQUIRE_BROWSER"  # where it is set, as in CI, no test of a page is skipped
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}


@dataclass
class Opened:
    """A page in the browser, all it asked for since it was opened, and what its console says is wrong."""

    page: object
    requests: list = field(default_factory=list)
    errors: list = field(default_factory=list)


@pytest.fixture(scope="session")
def browser():
    """Return Chromium; without one the test is skipped, or fails where a browser is required."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser found, expected one of {', '.join(NAMES)}; on Debian: apt-get install chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_file(browser):
    """Return a function that opens a file, offline, in a window of any size."""
    contexts = []

    def open_it(path, *, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, offline=True, **options)
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.page.on("console", lambda m: opened.errors.append(m.text) if m.type in ("error", "warning") else None)
        opened.page.goto(path.as_uri())
        return opened

    yield open_it
    for context in contexts:
        context.close()
