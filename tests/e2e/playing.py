"""A job's page with its player: what is heard and seen of it, and places of the bar under it."""

from __future__ import annotations

from playwright.sync_api import Page

from storage.model.job import Job
from tests.e2e.browser import Site, Visit
from tests.support.waiting import wait_until

_PATIENCE = 60.0
_NEAR = 60  # Hertz by which a tone may be off: the analysis has steps of 23
# Where the sound of the player is loudest, in Hertz; 0 while it is silent.
_LISTEN = """player => {
  const context = (window.ear ??= new AudioContext());
  if (!window.analyser) {
    window.analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
    context.createMediaElementSource(player).connect(window.analyser);
  }
  const levels = new Uint8Array(window.analyser.frequencyBinCount);
  window.analyser.getByteFrequencyData(levels);
  const loudest = levels.indexOf(Math.max(...levels));
  return levels[loudest] > 0 ? loudest * context.sampleRate / 2048 : 0;
}"""
_CUES = """player => [...player.textTracks]
  .filter(({ mode }) => mode === "showing")
  .flatMap(({ activeCues }) => [...activeCues ?? []].map(({ text }) => text))"""


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


def play_aloud(page: Page) -> None:
    """Play with sound, as after a click of the visitor."""
    page.mouse.click(2, 2)
    page.locator("#player").evaluate("it => { it.muted = false; return it.play(); }")


def expect_tone(page: Page, hertz: float) -> None:
    """Expect this tone to be heard."""
    player = page.locator("#player")
    wait_until(lambda: abs(player.evaluate(_LISTEN) - hertz) < _NEAR, seconds=_PATIENCE, what=f"the tone of {hertz} Hz")


def expect_cue(page: Page, *words: str) -> None:
    """Expect these captions to be in view; Chromium shows none at the very beginning of what was not played yet."""
    page.locator("#player").evaluate("it => { if (it.currentTime === 0) it.currentTime = 1; }")
    wait_until(
        lambda: page.locator("#player").evaluate(_CUES) == list(words), seconds=_PATIENCE, what=f"the captions {words}"
    )
