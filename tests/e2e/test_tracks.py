"""Languages and captions in a real browser: chosen by menu and keys, heard and seen, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from storage.model.job import Job
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.e2e.playing import expect_cue, expect_tone, open_job, play_aloud, position
from tests.e2e.tracks import HandMade, give_subtitles, sound, subtitle, tell
from tests.support.waiting import wait_until

PHONE = {"width": 375, "height": 812}
PATIENCE = 60.0
TONES = {"audio": 400, "audio-1": 1000, "audio-2": 2500}  # Hertz of each track
SOUNDS = [
    sound("audio", "en", "English", default=True),
    sound("audio-1", "ko", "Korean"),
    sound("audio-2", "en", "English, commentary", title="commentary"),
]
QUIETER = "made 2.2 dB quieter; its peaks allow no more, 3.2 LU below -16 LUFS"
QUIETER_KO = "2.2 dB 줄임, 피크 때문에 더 키울 수 없어 -16 LUFS보다 3.2 LU 작음"


@pytest.fixture
def told(site: Site) -> dict[str, Any]:
    """Give what the site tells of its jobs' tracks; tests change it."""
    tracks: dict[str, Any] = {"audio": [], "subtitles": [], "chapters": []}
    tell(site, tracks)
    return tracks


@pytest.fixture
def film(tmp_path: Path) -> HandMade:
    """Give HLS with a tone for each of three audio tracks."""
    made = HandMade(tmp_path / "hls", SOUNDS)
    made.make(TONES)
    return made


@pytest.fixture
def job(site: Site) -> Job:
    """Give an encoding job that can be watched."""
    job = scenes.add_job(site)
    scenes.start(site, job)
    scenes.finish_first_segment(site, job)
    return job


@pytest.fixture
def ready(site: Site) -> Job:
    """Give a ready job, which plays its MP4s."""
    return scenes.add_ready(site)


def subtitles_of(job: Job) -> list[dict[str, Any]]:
    """Return subtitles in two languages, one of them for the deaf, and a title of hostile markup."""
    return [
        subtitle(job, "0", "en", "English"),
        subtitle(job, "1", "en", "English (SDH)", sdh=True),
        subtitle(job, "2", "ko", "Korean"),
        subtitle(job, "3", "", scenes.HOSTILE, title=scenes.HOSTILE),
    ]


WORDS = {"0": "A door.", "1": "[creaks] A door.", "2": "문.", "3": "X"}


def player(page: Page) -> Locator:
    """Return the video."""
    return page.locator("#player")


def wait_for_place(page: Page, seconds: float) -> None:
    """Wait until the player has played on to there."""
    wait_until(lambda: position(page) > seconds, seconds=PATIENCE, what=f"playing on to {seconds} s")


def test_without_a_choice_the_page_is_as_it_was(site: Site, visit: Visit, job: Job, told: dict[str, Any]) -> None:
    """One language, no captions and no chapters add nothing to the page."""
    told["audio"] = SOUNDS[:1]
    page = open_job(site, visit, job)
    for gone in ("#tracks", "#chapters"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator("#player track")).to_have_count(0)
    expect(page.locator(".ticks span")).to_have_count(0)


def test_a_language_is_chosen_heard_and_remembered(
    site: Site, visit: Visit, job: Job, told: dict[str, Any], film: HandMade
) -> None:
    """The file's default plays first; a choice goes on from its place, and is what the next visit begins with."""
    told["audio"] = SOUNDS
    film.serve(visit)
    page = open_job(site, visit, job)
    menu = page.get_by_role("combobox", name="Language", exact=True)
    expect(menu.locator("option")).to_have_text(["English", "Korean", "English, commentary"])
    expect(menu).to_have_value("English")
    play_aloud(page)
    expect_tone(page, TONES["audio"])
    before = position(page)
    menu.select_option("Korean")
    expect_tone(page, TONES["audio-1"])
    assert before <= position(page) < before + 10
    expect(menu).to_have_value("Korean")
    menu.select_option("English, commentary")
    expect_tone(page, TONES["audio-2"])
    menu.select_option("Korean")
    expect_tone(page, TONES["audio-1"])
    film.asked.clear()
    page.reload()
    play_aloud(page)
    expect_tone(page, TONES["audio-1"])
    expect(page.get_by_role("combobox", name="Language", exact=True)).to_have_value("Korean")
    assert not [name for name in film.asked if name.startswith("audio/")], "the default was fetched first"


def test_a_language_is_chosen_while_the_video_is_encoded(
    site: Site, visit: Visit, job: Job, told: dict[str, Any], film: HandMade
) -> None:
    """Switched at the growing edge, the other language plays on as soon as there is more, and back again."""
    told["audio"] = SOUNDS
    film.grown = 3
    film.serve(visit)
    page = open_job(site, visit, job)
    play_aloud(page)
    menu = page.get_by_role("combobox", name="Language", exact=True)
    for grown, label, name in ((6, "Korean", "audio-1"), (9, "English", "audio"), (12, "Korean", "audio-1")):
        edge = 2 * film.grown
        player(page).evaluate(f"it => {{ it.currentTime = {edge - 2}; it.play(); }}")
        menu.select_option(label)
        expect_tone(page, TONES[name])
        wait_for_place(page, edge - 0.5)
        film.grown = grown
        scenes.encode(site, job, grown)
        wait_for_place(page, edge + 0.5)
        expect_tone(page, TONES[name])


def test_surround_is_left_to_other_players(
    site: Site, visit: Visit, job: Job, told: dict[str, Any], film: HandMade
) -> None:
    """Variants with more channels are no further rungs here, are not fetched, and languages are offered once."""
    told["audio"] = [{**track, "channels": [2, 6]} for track in SOUNDS]
    film.surround = True
    film.serve(visit)
    page = open_job(site, visit, job)
    expect(page.get_by_role("combobox", name="Language", exact=True).locator("option")).to_have_count(3)
    expect(page.locator("#switch")).to_be_hidden()
    page.get_by_role("combobox", name="Language", exact=True).select_option("Korean")
    play_aloud(page)
    expect_tone(page, TONES["audio-1"])
    assert not [name for name in film.asked if "surround" in name]


def test_captions_are_chosen_by_keys_and_remembered(site: Site, visit: Visit, ready: Job, told: dict[str, Any]) -> None:
    """Off at first; each choice shows its own words, without a reload; the next visit begins with it, or with none."""
    told["subtitles"] = subtitles_of(ready)
    asked = give_subtitles(visit, WORDS)
    page = open_job(site, visit, ready)
    menu = page.get_by_role("combobox", name="Captions", exact=True)
    names = ["Off", "English", "English (SDH)", "Korean", scenes.HOSTILE]
    expect(menu.locator("option")).to_have_text(names)
    expect(menu).to_have_value("")
    expect_cue(page)
    assert asked == [], "captions that nobody wants were fetched"
    menu.focus()
    for number in ("0", "1", "2"):
        page.keyboard.press("ArrowDown")
        expect(menu).to_have_value(number)
        expect_cue(page, WORDS[number])
    assert player(page).evaluate("it => [...it.textTracks].map(one => one.kind + ' ' + one.language)") == [
        "subtitles en",
        "captions en",
        "subtitles ko",
        "subtitles ",
    ]
    page.reload()
    expect_cue(page, WORDS["2"])
    expect(menu).to_have_value("2")
    menu.select_option("")
    expect_cue(page)
    page.reload()
    wait_until(lambda: player(page).evaluate("it => it.readyState") >= 1, what="the player")
    expect(menu).to_have_value("")
    expect_cue(page)


def test_captions_of_hls_are_the_pages_own(
    site: Site, visit: Visit, job: Job, told: dict[str, Any], film: HandMade
) -> None:
    """What the playlist has of subtitles makes no second set of tracks, and is not fetched."""
    told.update(audio=SOUNDS, subtitles=subtitles_of(job))
    film.serve(visit)
    give_subtitles(visit, WORDS)
    page = open_job(site, visit, job)
    page.get_by_role("combobox", name="Captions", exact=True).select_option("1")
    play_aloud(page)
    expect_cue(page, WORDS["1"])
    wait_for_place(page, 1)
    assert player(page).evaluate("it => it.textTracks.length") == len(told["subtitles"])
    assert not [name for name in film.asked if name.startswith("subtitles")]


def test_captions_come_and_go_while_the_page_is_open(
    site: Site, visit: Visit, job: Job, told: dict[str, Any], film: HandMade
) -> None:
    """What is added can be chosen at once, what is replaced shows its new words, what is deleted goes."""
    told["audio"] = SOUNDS[:1]
    film.serve(visit)
    words = dict(WORDS)
    give_subtitles(visit, words)
    page = open_job(site, visit, job)
    menu = page.get_by_role("combobox", name="Captions", exact=True)
    expect(menu).to_be_hidden()
    told["subtitles"] = subtitles_of(job)[:1]
    scenes.encode(site, job, 2)
    menu.select_option("0")
    expect_cue(page, WORDS["0"])
    words["0"] = "A gate."
    told["subtitles"] = [{**told["subtitles"][0], "url": f"{told['subtitles'][0]['url']}?2"}]
    scenes.encode(site, job, 3)
    expect_cue(page, "A gate.")
    expect(menu).to_have_value("0")
    told["subtitles"] = []
    scenes.encode(site, job, 4)
    expect(menu).to_be_hidden()
    expect(page.locator("#player track")).to_have_count(0)


def test_captions_of_foreign_speech_go_with_the_language(
    site: Site, visit: Visit, job: Job, told: dict[str, Any], film: HandMade
) -> None:
    """Forced subtitles in the language that is heard show by themselves, until the visitor turns them off."""
    forced = subtitle(job, "4", "ko", "Korean (forced)", forced=True)
    told.update(audio=SOUNDS, subtitles=[*subtitles_of(job)[:3], forced])
    film.serve(visit)
    give_subtitles(visit, {**WORDS, "4": "간판"})
    page = open_job(site, visit, job)
    menu = page.get_by_role("combobox", name="Captions", exact=True)
    expect(menu).to_have_value("")
    page.get_by_role("combobox", name="Language", exact=True).select_option("Korean")
    expect(menu).to_have_value("4")
    expect_cue(page, "간판")
    menu.select_option("")
    expect_cue(page)


def test_the_browsers_own_menu_is_followed(site: Site, visit: Visit, ready: Job, told: dict[str, Any]) -> None:
    """What is chosen in the controls of the video stands in the menu too, and is remembered."""
    told["subtitles"] = subtitles_of(ready)
    give_subtitles(visit, WORDS)
    page = open_job(site, visit, ready)
    menu = page.get_by_role("combobox", name="Captions", exact=True)
    for mode, value in (("showing", "2"), ("disabled", "")):
        player(page).evaluate("(it, mode) => { it.textTracks[2].mode = mode; }", mode)
        expect(menu).to_have_value(value)
    player(page).evaluate("it => { it.textTracks[0].mode = 'showing'; }")
    expect(menu).to_have_value("0")
    page.reload()
    expect_cue(page, WORDS["0"])


def test_scripts_are_not_needed_for_captions(
    site: Site, visitors: Callable[..., Visit], ready: Job, told: dict[str, Any]
) -> None:
    """Without scripts the video has its captions as the browser's own controls show them."""
    told["subtitles"] = subtitles_of(ready)
    page = visitors(java_script_enabled=False).page
    page.goto(f"{site.url}/jobs/{ready.id}")
    tracks = page.locator("#picture video:visible track")
    expect(tracks).to_have_count(4)
    expect(tracks.nth(1)).to_have_attribute("kind", "captions")
    expect(tracks.nth(2)).to_have_attribute("srclang", "ko")
    expect(tracks.nth(3)).to_have_attribute("label", scenes.HOSTILE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_menus_are_for_everybody(
    site: Site, visitors: Callable[..., Visit], job: Job, told: dict[str, Any], film: HandMade, scheme: str
) -> None:
    """On a Korean phone the languages have Korean names, nothing scrolls sideways, and axe finds nothing."""
    told.update(audio=SOUNDS, subtitles=subtitles_of(job))
    visit = visitors(viewport=PHONE, locale="ko-KR", color_scheme=scheme)
    film.serve(visit)
    give_subtitles(visit, WORDS)
    page = open_job(site, visit, job)
    expect(page.get_by_role("combobox", name="언어", exact=True).locator("option")).to_have_text(
        ["영어", "한국어", "영어, commentary"]
    )
    captions = page.get_by_role("combobox", name="자막", exact=True)
    expect(captions.locator("option")).to_have_text(["끄기", "영어", "영어(청각 장애인용)", "한국어", scenes.HOSTILE])
    captions.select_option("2")
    expect_cue(page, WORDS["2"])
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(
    ("locale", "first", "second"),
    [
        (
            "en-US",
            "Loudness of English: -18.3 LUFS, range 6.1 LU, true peak -0.4 dBTP; made 2.3 dB louder",
            "Loudness of English, commentary: -17 LUFS, range 0 LU, true peak 1.2 dBTP; " + QUIETER,
        ),
        (
            "ko-KR",
            "영어 음량: -18.3 LUFS, 범위 6.1 LU, 트루 피크 -0.4 dBTP, 2.3 dB 키움",
            "영어, commentary 음량: -17 LUFS, 범위 0 LU, 트루 피크 1.2 dBTP, " + QUIETER_KO,
        ),
    ],
)
def test_loudness_is_told(
    site: Site, visitors: Callable[..., Visit], job: Job, told: dict[str, Any], locale: str, first: str, second: str
) -> None:
    """A line in the plan's card for each track that was measured, with what was done to it.

    The only track of a video has no name.
    """
    measured = {"integrated": -18.3, "range": 6.1, "true_peak": -0.4, "gain": 2.3, "lacks": 0.0}
    loud = {"integrated": -17.0, "range": 0.0, "true_peak": 1.2, "gain": -2.2, "lacks": 3.2}
    told["loudness"] = -16
    page = visitors(locale=locale).page
    told["audio"] = [{**SOUNDS[0], "loudness": measured}, SOUNDS[1], {**SOUNDS[2], "loudness": loud}]
    page.goto(f"{site.url}/jobs/{job.id}")
    shown = page.locator("#plan [data-field=loudness] li")
    expect(shown).to_have_text([first, second])
    told["audio"] = [{**SOUNDS[0], "loudness": measured}]
    page.reload()
    expect(shown).to_have_count(1)
    expect(shown).not_to_contain_text(" of ")
    silent = {"integrated": None, "range": 0.0, "true_peak": None, "gain": 0.0, "lacks": 0.0}
    for audio in ([{**SOUNDS[0], "loudness": silent}], SOUNDS):
        told["audio"] = audio
        page.reload()
        expect(page.locator("[data-field=plan]")).to_be_visible()
        expect(shown).to_have_count(0)
