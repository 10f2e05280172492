"""A job's page with its player, and places of the bar under it."""

from __future__ import annotations

from playwright.sync_api import Page

from storage.model.job import Job
from tests.e2e.browser import Site, Visit
from tests.support.waiting import wait_until

_PATIENCE = 60.0


def open_job(site: Site, visit: Visit, job: Job) -> Page:
    """Open the job's page and wait until the video can be sought in."""
    visit.page.goto(f"{site.url}/jobs/{job.id}")
    player = visit.page.locator("#player")
    wait_until(lambda: player.evaluate("it => it.readyState") >= 1, seconds=_PATIENCE, what="the player")
    return visit.page


def position(page: Page) -> float:
    """Return where the player is, in seconds."""
    seconds: float = page.locator("#player").evaluate("it => it.currentTime")
    return seconds


def at(page: Page, fraction: float) -> tuple[float, float]:
    """Return the point of the bar at so much of its width, in the page's pixels."""
    page.locator("#timeline").scroll_into_view_if_needed()
    box = page.locator("#timeline").bounding_box()
    assert box is not None
    return box["x"] + fraction * box["width"], box["y"] + box["height"] / 2
