"""A visitor's browser and the site it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Page

from tests.support.job_store import OwnJobStore
from web.context import Web

CHROMIUM_OPTIONS = (
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 30_000  # of actions and expectations alike: a machine with much to do stands still for seconds


@dataclass(frozen=True)
class Site:
    """A served app and the parts behind it."""

    url: str
    web: Web
    jobs: OwnJobStore


@dataclass
class Visit:
    """One visitor's page; what the browser complained about is collected, and checked when the test is over."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def expect_complaints(self, *parts: str) -> None:
        """Allow complaints that contain one of the parts."""
        self.expected = parts

    def unexpected(self) -> list[str]:
        """Return the complaints that no test announced."""
        return [words for words in self.complaints if not any(part in words for part in self.expected)]


@contextmanager
def slow_network(visit: Visit, *, bytes_per_second: int) -> Iterator[None]:
    """Let the visitor's browser send no faster than so many bytes per second."""
    session = visit.context.new_cdp_session(visit.page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": bytes_per_second})
    yield
    session.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})
    session.detach()
