"""What the page of a job tells of a damaged upload: sentences, marks on the bar, words where somebody points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storage.model.damage import Damage, DamageKind
from storage.model.job import Job
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.e2e.encoder import Encoder, is_ready
from tests.e2e.playing import at, open_job
from tests.support.damaging import lost, written
from tests.support.driving import submit
from tests.support.waiting import wait_until

SECONDS = scenes.CLIP_SECONDS
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
PLACES = (
    Damage(DamageKind.PICTURES_REPAIRED, 0.4, 1.6),
    Damage(DamageKind.SOUND_MISSING, 0.8, 0.5),
    Damage(DamageKind.PICTURES_MISSING, 1.0, 0.6),
    Damage(DamageKind.PICTURES_REPAIRED, 3.2, 0.04),
)
WORDS = {
    "en-US": {
        DamageKind.PICTURES_MISSING: "Pictures missing",
        DamageKind.PICTURES_REPAIRED: "Pictures damaged",
        DamageKind.SOUND_MISSING: "Sound missing",
    },
    "ko-KR": {
        DamageKind.PICTURES_MISSING: "영상 없음",
        DamageKind.PICTURES_REPAIRED: "영상 손상",
        DamageKind.SOUND_MISSING: "소리 없음",
    },
}
SENTENCES = {
    "en-US": [
        "Pictures were missing in one place, for 0.6 s at 0:01.",
        "Pictures were damaged in 2 places, the longest of 1.6 s at 0:00.",
        "Sound was missing in one place, for 0.5 s at 0:00.",
    ],
    "ko-KR": [
        "영상이 한 곳에서 빠져 있었습니다. 0:01부터 0.6초입니다.",
        "영상이 2곳에서 손상되어 있었습니다. 가장 긴 곳은 0:00부터 1.6초입니다.",
        "소리가 한 곳에서 빠져 있었습니다. 0:00부터 0.5초입니다.",
    ],
}
LEAST_PIXELS = 3  # a mark is never narrower


@pytest.fixture
def damaged(site: Site) -> Job:
    """Give a ready job with damage of every kind."""
    return scenes.add_ready(site, PLACES)


def expect_mark(page: Page, place: Damage, name: str) -> None:
    """Expect a mark of this name that lies at the place; a very short one is as wide as can be seen."""
    mark = page.locator(f".damage .{place.kind}[title^='{name}: {max(0.1, place.seconds):.1f}']")
    if page.evaluate("document.documentElement.lang") == "ko":
        mark = page.locator(f".damage .{place.kind}[title$='{max(0.1, place.seconds):.1f}초'][title^='{name}: ']")
    expect(mark).to_be_visible()
    expect(mark).to_have_attribute("aria-label", mark.get_attribute("title") or "")
    box, left, right = mark.bounding_box(), at(page, place.start / SECONDS)[0], at(page, place.end / SECONDS)[0]
    assert box is not None
    assert box["x"] == pytest.approx(left, abs=1)
    assert box["width"] == pytest.approx(max(LEAST_PIXELS, right - left), abs=1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", WORDS)
def test_damage_is_told_where_it_is(
    site: Site, visitors: Callable[..., Visit], damaged: Job, locale: str, scheme: str, size: str
) -> None:
    """A sentence for each kind, a mark at each place that names it, and words in the preview of who points there."""
    page = open_job(site, visitors(locale=locale, color_scheme=scheme, viewport=SIZES[size]), damaged)
    expect(page.locator("#warnings li")).to_have_text(SENTENCES[locale])
    for place in PLACES:
        expect_mark(page, place, WORDS[locale][place.kind])
    here = page.locator("[data-field=preview-damage]")
    page.mouse.move(*at(page, 3.2 / SECONDS))
    expect(here).to_have_text(WORDS[locale][DamageKind.PICTURES_REPAIRED])
    page.mouse.move(*at(page, 1.2 / SECONDS))
    expect(here).to_have_text(", ".join(WORDS[locale][place.kind] for place in PLACES[:3]))
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in Axe().run(page).response["violations"]] == []
    page.mouse.move(*at(page, 2.5 / SECONDS))
    expect(page.locator("[data-field=preview-time]")).to_have_text("0:02")
    expect(here).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


def test_marks_are_not_in_the_way(site: Site, visit: Visit, damaged: Job) -> None:
    """Pressing on a mark and dragging along the bar goes where it is let go, as anywhere on the bar."""
    page = open_job(site, visit, damaged)
    box = page.locator(".damage .pictures_missing").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    expect(page.locator("[data-field=preview-time]")).to_have_text("0:01")
    page.mouse.move(*at(page, 3.0 / SECONDS))
    page.mouse.up()
    wait_until(
        lambda: page.locator("#player").evaluate("it => it.currentTime") == pytest.approx(3.0, abs=0.1),
        what="the player going there",
    )


def test_keys_tell_damage_too(site: Site, visit: Visit, damaged: Job) -> None:
    """Who goes through the bar by keys hears of damage where it is, and not elsewhere."""
    page = open_job(site, visit, damaged)
    slider = page.locator("[data-field=place]")
    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:04")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute(
        "aria-valuetext", "0:01 of 0:04. Pictures damaged, Sound missing, Pictures missing"
    )
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "0:03 of 0:04")


def test_a_real_upload_shows_its_damage_when_it_is_ready(
    clip: Callable[..., Path], tmp_path: Path, site: Site, visit: Visit, encoder: Encoder
) -> None:
    """The page that was open all the time gets sentences and marks by itself; an intact upload has none."""
    source = clip("damaged.ts", seconds=6, size="320x180", rate="25")
    pictures = written(source, "v:0")
    upload = lost(source, tmp_path / "lost.ts", pictures[50].place, pictures[75].place)
    marks, warnings = visit.page.locator(".damage"), visit.page.locator("#warnings")
    for path, is_damaged in ((source, False), (upload, True)):
        job = submit(site.web.services, path)
        visit.page.goto(f"{site.url}/jobs/{job.id}")
        encoder.work_until(is_ready, job.id)
        expect(visit.page.locator("[data-field=state]")).to_contain_text("Ready")
        if is_damaged:
            expect(marks.locator(".pictures_missing")).to_be_visible()
            expect(warnings).to_contain_text("Pictures were missing in one place, for ")
        else:
            expect(marks).to_be_hidden()
            expect(warnings).to_be_hidden()
