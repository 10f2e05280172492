"""Watching while it encodes, in a real browser: real fragments by the real stages, published while the page plays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storage.model.job import JobState
from storage.objects import keys
from storage.services import Services
from storage.services.uploads import complete
from storage.settings import Settings
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.e2e.encoder import Encoder, is_ready
from tests.support.coming import Coming, split
from tests.support.driving import submit
from tests.support.waiting import wait_until

SECONDS = 14
PATIENCE = 60.0
LONGEST_STALL = 2.0
NEAR = 0.5  # seconds before the edge at which a player may wait for more
WATCH = """player => {
  window.seen = [];
  setInterval(() => window.seen.push([Date.now() / 1000, player.currentTime]), 100);
}"""
PLAYS_ON = "(it, [height, from]) => it.videoHeight === height && !it.paused && it.currentTime > from"


@pytest.fixture
def film(clip: Callable[..., Path]) -> Path:
    """Give a clip with sound that becomes two rungs and several segments."""
    return clip("watched.mp4", seconds=SECONDS, size="960x540", rate="10")


def position(page: Page) -> float:
    """Return where the player is, in seconds."""
    at: float = page.locator("#player").evaluate("it => it.currentTime")
    return at


def has_ended(page: Page) -> bool:
    """Tell whether the player is at the end."""
    return bool(page.locator("#player").evaluate("it => it.ended"))


def stalls(seen: list[tuple[float, float]], encoder: Encoder) -> list[float]:
    """Return how long the player stood still at a stretch, in seconds, although more than enough was encoded."""
    lengths = [0.0]
    for (before, place), (now, next_place) in pairwise(seen):
        stood = next_place - place < 0.01 and encoder.edge_at(before) > place + NEAR
        lengths.append(lengths[-1] + now - before if stood else 0.0)
    return lengths


def test_it_plays_across_the_growing_edge_to_the_end(
    site: Site, visit: Visit, film: Path, own_services: Services, encoder: Encoder
) -> None:
    """The page starts to play by itself during the encode and plays over every join to the end, with no reload."""
    job = submit(own_services, film)
    page = visit.page
    page.goto(f"{site.url}/jobs/{job.id}")
    page.evaluate("window.samePage = true")
    expect(page.locator("#player")).to_be_hidden()
    plan = encoder.work_until(lambda job: job.playable, job.id)
    assert plan.segment_count > 3
    page.locator("#player").evaluate(WATCH)
    wait_until(lambda: position(page) > 0.3, seconds=PATIENCE, what="playing by itself")
    assert site.jobs.get(job.id).state is JobState.ENCODING
    expect(page.locator("#timeline")).to_contain_text("2 seconds of 14 seconds can be watched")
    encoder.work_until(lambda job: job.frames_done > plan.frames / 2, job.id)
    assert Axe().run(page).response["violations"] == []
    encoder.work_until(is_ready, job.id)
    wait_until(lambda: has_ended(page), seconds=PATIENCE, what="the end")
    seen = page.evaluate("window.seen")
    places = [place for _, place in seen]
    assert places == sorted(places), "the player went back"
    segments = site.jobs.segments(job.id)
    joins = [float(frames / plan.rate) for frames in accumulate(segment.frames for segment in segments)]
    assert places[-1] == pytest.approx(joins[-1], abs=0.15)
    assert max(stalls(seen, encoder)) < LONGEST_STALL
    assert page.evaluate("window.samePage === true && document.getElementById('player').src.startsWith('blob:')")


def test_it_plays_while_it_comes(
    site: Site, visit: Visit, film: Path, own_services: Services, settings: Settings
) -> None:
    """Before the last byte, and on to the end as the same film: the upload's end is no break."""
    coming = Coming(own_services, settings, *split(film))
    page, masters = visit.page, list[str]()
    page.on("request", lambda sent: masters.append(sent.url) if sent.url.endswith("master.m3u8") else None)
    page.goto(f"{site.url}/jobs/{coming.upload.id}")
    expect(page.locator("#player")).to_be_hidden()
    coming.send(0.8)
    wait_until(lambda: position(page) > 0.3, seconds=PATIENCE, what="playing by itself")
    assert site.jobs.get(coming.upload.id).state is JobState.UPLOADING
    expect(page.locator("#timeline")).to_contain_text("of 14 seconds can be watched")
    expect(page.locator("#plan")).to_be_visible()
    poster = page.locator("#picture [data-field=poster]")
    wait_until(lambda: poster.evaluate("it => it.naturalWidth > 0"), seconds=PATIENCE, what="a poster")
    assert Axe().run(page).response["violations"] == []
    coming.send(0.97)
    coming.end()
    wait_until(lambda: has_ended(page), seconds=PATIENCE, what="the end")
    assert len(masters) == 1


def test_what_comes_otherwise_is_not_played_on(
    site: Site, visit: Visit, film: Path, own_services: Services, settings: Settings, encoder: Encoder
) -> None:
    """What was encoded by an index that was not the file's goes, and the real film is played."""
    visit.expect_complaints("404")
    coming = Coming(own_services, settings, *split(film))
    page = visit.page
    page.goto(f"{site.url}/jobs/{coming.upload.id}")
    coming.send(0.8)
    wait_until(lambda: position(page) > 0.3, seconds=PATIENCE, what="playing by itself")
    coming.send(1.0)
    own_services.jobs.forget_early(coming.upload.id)
    own_services.objects.delete_prefix(keys.fragments(coming.upload.id))
    complete(own_services, coming.upload)
    encoder.work_until(lambda job: job.state is JobState.ENCODING, coming.upload.id)
    expect(page.locator("#player")).to_be_hidden()
    encoder.work_until(is_ready, coming.upload.id)
    wait_until(lambda: has_ended(page), seconds=PATIENCE, what="the end of the real film")


def test_a_finished_film_is_played_in_any_rung(
    site: Site, visit: Visit, film: Path, own_services: Services, encoder: Encoder
) -> None:
    """Opened later, the page waits for its visitor, offers every rung, and keeps its place when one is chosen."""
    job = submit(own_services, film)
    plan = encoder.work_until(is_ready, job.id)
    page = visit.page
    page.goto(f"{site.url}/jobs/{job.id}")
    choices = page.locator("#switch label")
    expect(choices).to_contain_text(["Automatic", *(rung.name for rung in plan.rungs)])
    player = page.locator("#player")
    assert player.evaluate("it => it.paused && it.currentTime === 0")
    player.evaluate("it => { it.muted = true; it.currentTime = 4; it.play(); }")
    for rung in (plan.rungs[1], plan.rungs[0]):
        place = position(page)
        page.locator(f"#switch input[value='{rung.name}']").check()
        wait_until(
            partial(player.evaluate, PLAYS_ON, [rung.height, place]),
            seconds=PATIENCE,
            what=f"playing on as {rung.name}",
        )
        assert position(page) < SECONDS - 1, "the film was over before the rung came"
    page.locator("#switch input[value='']").check()
    expect(choices.first).to_contain_text(plan.rungs[0].name)


def test_ffmpeg_reads_every_frame_over_http(site: Site, film: Path, own_services: Services, encoder: Encoder) -> None:
    """Through the master playlist ffprobe finds every rung and the sound; each has all its frames."""
    job = submit(own_services, film)
    plan = encoder.work_until(is_ready, job.id)
    media = f"{site.url}/media/{job.id}/hls"
    command = ["ffprobe", "-v", "error", "-of", "json", "-count_packets", "-show_streams", f"{media}/master.m3u8"]
    answer = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    assert answer.stderr == b""
    streams = json.loads(answer.stdout)["streams"]
    pictures = [stream for stream in streams if stream["codec_type"] == "video"]
    sounds = [stream for stream in streams if stream["codec_type"] == "audio"]
    assert sorted(stream["height"] for stream in pictures) == sorted(rung.height for rung in plan.rungs)
    assert {int(stream["nb_read_packets"]) for stream in pictures} == {plan.frames}
    assert [(stream["codec_name"], stream["channels"]) for stream in sounds] == [("aac", 1)]
    assert int(sounds[0]["nb_read_packets"]) * 1024 / 48_000 == pytest.approx(SECONDS, abs=0.05)


def test_the_mp4_is_played_where_hls_fails(site: Site, visit: Visit) -> None:
    """Without its library the page says that the video comes, and plays the MP4 once it is there."""
    visit.expect_complaints("ERR_FAILED")
    visit.context.route("**/vendor/*", lambda route: route.abort())
    job = scenes.add_job(site)
    scenes.start(site, job)
    scenes.finish_first_segment(site, job)
    page = visit.page
    page.goto(f"{site.url}/jobs/{job.id}")
    expect(page.locator("#player")).to_be_hidden()
    expect(page.locator("[data-field=picture-line]")).to_be_visible()
    scenes.finish(site, job)
    expect(page.locator("#player")).to_have_attribute("src", f"/media/{job.id}/1080p.mp4")
    expect(page.locator("#switch label")).to_have_text(["1080p", "720p", "480p"])


def test_what_a_cancelled_job_left_is_not_played(site: Site, visit: Visit) -> None:
    """The player goes when the job is cancelled, and its timeline with it."""
    job = scenes.add_job(site)
    scenes.start(site, job)
    scenes.finish_first_segment(site, job)
    page = visit.page
    with page.expect_response("**/master.m3u8"):  # or it would be asked for when it is gone
        page.goto(f"{site.url}/jobs/{job.id}")
    expect(page.locator("#player")).to_be_visible()
    expect(page.locator("#timeline")).to_be_visible()
    site.jobs.move(job.id, JobState.CANCELLED)
    expect(page.locator("#player")).to_be_hidden()
    expect(page.locator("#timeline")).to_be_hidden()
    expect(page.locator("[data-field=picture-line]")).to_have_text("There is no video to show.")
