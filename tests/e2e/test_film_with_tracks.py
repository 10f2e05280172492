"""A film of several languages with subtitles and chapters, as its page plays it while it encodes and after."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from storage.model.job import JobState
from storage.services import Services
from tests.e2e.browser import Site, Visit
from tests.e2e.encoder import Encoder, is_ready
from tests.e2e.playing import at, expect_cue, expect_tone, open_job, play_aloud, position
from tests.support.driving import submit
from tests.support.tracks import Tone, make_tracks
from tests.support.waiting import wait_until

SECONDS, FRAMES = 14.0, 14 * 30
TONES = {
    "English": Tone(400, "eng", layout="5.1"),
    "Korean": Tone(1000, "kor"),
    "English, Talk": Tone(2500, "eng", title="Talk", disposition="comment"),
}
CUE = "1\n00:00:00,000 --> 00:10:00,000\n{}\n"
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=5000
title=Opening
[CHAPTER]
TIMEBASE=1/1000
START=5000
END=14000
title=The <b>end</b>
"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a film of three tracks of sound, one of them in 5.1, two of subtitles, and two chapters."""
    sound = make_tracks(tmp_path / "sound.mkv", tuple(TONES.values()), seconds=SECONDS)
    parts = {"en.srt": CUE.format("A <door>."), "ko.srt": CUE.format("문."), "chapters.txt": CHAPTERS}
    for name, text in parts.items():
        (tmp_path / name).write_text(text)
    inputs = [part for path in (sound, *(tmp_path / name for name in parts)) for part in ("-i", str(path))]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3", "-c", "copy"]
    told = ["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=kor", "-metadata:s:s:1", "title=SDH"]
    made = tmp_path / "film.mkv"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *inputs, *maps, *told, str(made)], check=True, timeout=60)
    return made


def choose_each(page: Page) -> None:
    """Fail unless each language is heard, and each caption seen, when it is chosen."""
    play_aloud(page)
    page.locator("#player").evaluate("it => { it.loop = true; }")
    for label in ("Korean", "English, Talk", "English"):
        page.locator("#sound").select_option(label)
        page.locator("#player").evaluate("it => { it.currentTime = 0; }")
        expect_tone(page, TONES[label].hertz)
    captions = page.locator("#captions")
    expect(captions.locator("option")).to_have_text(["Off", "English", "Korean, SDH"])
    for label, words in (("English", "A &lt;door&gt;."), ("Korean, SDH", "문.")):
        captions.select_option(label=label)
        expect_cue(page, words)
    captions.select_option("")


def test_every_track_is_chosen_while_it_encodes_and_after(
    site: Site, visit: Visit, film: Path, own_services: Services, encoder: Encoder
) -> None:
    """Languages and captions of the file can be chosen long before it is ready, and stay; chapters lead to places."""
    job = submit(own_services, film)
    encoder.work_until(lambda job: job.frames_done > FRAMES / 2 and job.subtitles_made is not None, job.id)
    assert site.jobs.get(job.id).state is JobState.ENCODING
    page = open_job(site, visit, job)
    choose_each(page)
    encoder.work_until(is_ready, job.id)
    expect(page.locator("[data-field=state]")).to_contain_text("Ready")
    choose_each(open_job(site, visit, job))
    page.locator("#player").evaluate("it => it.pause()")
    page.locator("#chapters summary").click()
    chapters = page.locator("#chapters button")
    expect(chapters).to_have_text(["0:00Opening", "0:05The <b>end</b>"])
    chapters.last.click()
    wait_until(lambda: position(page) == pytest.approx(5, abs=0.1), what="the chapter")
    page.mouse.move(*at(page, 0.1))
    expect(page.locator("[data-field=preview-chapter]")).to_have_text("Opening")


def test_subtitles_are_changed_on_the_page(
    site: Site, visit: Visit, film: Path, own_services: Services, encoder: Encoder
) -> None:
    """A file that is added is in the menu at once, its replacement shows other words, and what is deleted is gone."""
    job = submit(own_services, film)
    encoder.work_until(is_ready, job.id)
    page = open_job(site, visit, job)
    panel, captions = page.locator("#subtitles"), page.locator("#captions")
    expect(panel.locator("li")).to_have_count(2)
    panel.locator("summary").click()
    chooser, add = panel.locator("input[name=file]"), panel.get_by_role("button", name="Add")
    chooser.set_input_files([side_file(CUE.format("Eine Tür."))])
    panel.locator("select").select_option("de")
    add.click()
    expect(panel.locator("li")).to_have_count(3)
    captions.select_option(label="German")
    expect_cue(page, "Eine Tür.")
    with page.expect_file_chooser() as chosen:
        panel.get_by_role("button", name="Replace the subtitles German").click()
    chosen.value.set_files([side_file(CUE.format("Ein Tor."))])
    expect_cue(page, "Ein Tor.")
    panel.get_by_role("button", name="Delete the subtitles German").click()
    page.locator("#confirm-subtitles").get_by_role("button", name="Delete for good").click()
    expect(panel.locator("li")).to_have_count(2)
    expect(captions.locator("option")).to_have_count(3)
    visit.expect_complaints("415")
    chooser.set_input_files([side_file("nothing")])
    add.click()
    expect(panel.get_by_role("alert")).to_contain_text("These are no subtitles that can be read here")


def side_file(text: str) -> FilePayload:
    """Return a file that a visitor may choose."""
    return {"name": "film.srt", "mimeType": "application/x-subrip", "buffer": text.encode()}
