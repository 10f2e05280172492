"""Languages of a real upload in a real browser: each is chosen, and its tone heard, while it encodes and after."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page

from storage.model.job import Job, JobState
from storage.services import Services
from tests.e2e.browser import Site, Visit
from tests.e2e.encoder import Encoder, is_ready
from tests.support.driving import submit
from tests.support.tracks import Tone, make_tracks
from tests.support.waiting import wait_until

PATIENCE = 60.0
SECONDS, FRAMES = 14.0, 14 * 30
NEAR = 60  # Hz by which a tone may be off: the analysis has steps of 23
TONES = (Tone(500, "eng"), Tone(1500, "kor"), Tone(2500, "eng", title="Talk", disposition="comment"))
NAMES = [["English", "en"], ["Korean", "ko"], ["English, Talk", "en"]]
PLAY = """async (url) => {
  const { default: Hls } = await import("/static/vendor/hls.min.mjs");
  const player = (window.player = document.createElement("video"));
  document.body.append(player);
  window.hls = new Hls({ startPosition: 0 });
  window.hls.loadSource(url);
  window.hls.attachMedia(player);
  const ear = new AudioContext();
  await ear.resume();
  window.analyser = new AnalyserNode(ear, { fftSize: 2048, smoothingTimeConstant: 0 });
  ear.createMediaElementSource(player).connect(window.analyser);
  player.loop = true;
  await player.play();
  return window.hls.audioTracks.map(({ name, lang }) => [name, lang]);
}"""
# From the beginning on: what is there may be short.
CHOOSE = """number => {
  window.hls.audioTrack = number;
  window.player.currentTime = 0;
}"""
# Where the sound is loudest, in Hertz; 0 while it is silent.
LISTEN = """() => {
  const levels = new Uint8Array(window.analyser.frequencyBinCount);
  window.analyser.getByteFrequencyData(levels);
  const loudest = levels.indexOf(Math.max(...levels));
  return levels[loudest] > 0 ? loudest * window.analyser.context.sampleRate / 2048 : 0;
}"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a clip of three tracks that becomes several segments."""
    return make_tracks(tmp_path / "three.mkv", TONES, seconds=SECONDS)


def hears(page: Page, hertz: int) -> bool:
    """Tell whether this tone is heard."""
    return abs(float(page.evaluate(LISTEN)) - hertz) < NEAR


def choose_each(site: Site, visit: Visit, job: Job) -> None:
    """Fail unless the browser hears each track when it is chosen, the default one by itself."""
    page = visit.page
    page.goto(f"{site.url}/jobs/{job.id}")
    page.mouse.click(1, 1)  # browsers let pages be heard that somebody touched
    assert page.evaluate(PLAY, f"/media/{job.id}/hls/master.m3u8") == NAMES
    wait_until(partial(hears, page, TONES[0].hertz), seconds=PATIENCE, what="the default track")
    for number in (1, 2, 0):
        page.evaluate(CHOOSE, number)
        wait_until(partial(hears, page, TONES[number].hertz), seconds=PATIENCE, what=f"track {number}")


def test_each_language_is_chosen_while_it_encodes_and_after(
    site: Site, visit: Visit, film: Path, own_services: Services, encoder: Encoder
) -> None:
    """All are offered from the first moment on, since players read the master playlist once."""
    job = submit(own_services, film)
    encoder.work_until(lambda job: job.playable and job.frames_done > FRAMES / 2, job.id)
    assert site.jobs.get(job.id).state is JobState.ENCODING
    choose_each(site, visit, job)
    encoder.work_until(is_ready, job.id)
    choose_each(site, visit, job)
