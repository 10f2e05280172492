"""Watching while it encodes, in a real browser: real fragments by the real stages, published while the page plays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from storage.jobs import Job, JobState
from storage.services import Services
from storage.settings import Settings
from tests.e2e.browser import Site, Visit
from tests.support.driving import step, submit
from tests.support.waiting import wait_until

SECONDS = 14
LONGEST_STALL = 2.0
PATIENCE = 60.0
# Notes every tenth of a second where the player is, and since when it has not moved although something is encoded.
WATCH = """player => {
  window.seen = [];
  window.firstPlayed = null;
  setInterval(() => window.seen.push([performance.now() / 1000, player.currentTime, player.paused]), 100);
}"""


@pytest.fixture
def film(clip: Callable[..., Path]) -> Path:
    """Give a clip with sound that becomes two rungs and several segments."""
    return clip("watched.mp4", seconds=SECONDS, size="1280x720", rate="10")


@pytest.fixture
def encoder(twin_services: Services, settings: Settings) -> Callable[[], bool]:
    """Give a function that does the next piece of work; False when there is none."""
    few = settings.model_copy(update={"encoders": 2, "scratch_reserve": 0})
    return lambda: step(twin_services, few)


def encode_until(encoder: Callable[[], bool], done: Callable[[], bool]) -> None:
    """Work until it is done."""
    while not done():
        assert encoder(), "nothing is left to do"


def opened(site: Site, visit: Visit, job: Job) -> Page:
    """Open the job's page and watch its player."""
    visit.page.goto(f"{site.url}/jobs/{job.id}")
    visit.page.locator("#player").evaluate(WATCH)
    visit.page.evaluate("window.samePage = true")
    return visit.page


def position(page: Page) -> float:
    """Return where the player is, in seconds."""
    at: float = page.locator("#player").evaluate("it => it.currentTime")
    return at


def test_it_plays_across_the_growing_edge_to_the_end(
    site: Site, visit: Visit, film: Path, twin_services: Services, encoder: Callable[[], bool]
) -> None:
    """The page starts to play by itself during the encode and plays over every join to the end, with no reload."""
    job = submit(twin_services, film)
    page = opened(site, visit, job)
    expect(page.locator("#player")).to_be_hidden()
    encode_until(encoder, lambda: site.jobs.get(job.id).playable)
    segments = (site.jobs.get(job.id).plan or pytest.fail("no plan")).segments
    assert len(segments) >= 3
    wait_until(lambda: position(page) > 0.3, within=PATIENCE, what="playing by itself")
    assert site.jobs.get(job.id).state is JobState.ENCODING
    expect(page.locator("#encoded")).to_be_visible()
    encode_until(encoder, lambda: site.jobs.get(job.id).state is JobState.READY)
    wait_until(lambda: page.locator("#player").evaluate("it => it.ended"), within=PATIENCE, what="the end")
    assert position(page) == pytest.approx(SECONDS, abs=0.2)
    assert page.evaluate("window.samePage === true")
    print(page.evaluate("window.seen"))
