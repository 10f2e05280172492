"""What the page of a job tells of a damaged upload: sentences, marks on the bar, words where somebody points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storage.damage import Damage, DamageKind
from storage.jobs import Job
from tests.e2e.browser import Site, Visit
from tests.e2e.encoder import Encoder, is_ready
from tests.support.damaging import lost, written
from tests.support.driving import submit
from tests.support.waiting import wait_until

SECONDS = 12
LOST_FROM, LOST_TO = 100, 160  # pictures of 25 a second: from 4.0 s to 6.4 s
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
WORDS = {
    "en-US": ("Pictures missing", "Pictures were missing in one place, for {seconds} s at 0:04."),
    "ko-KR": ("영상 없음", "영상이 한 곳에서 빠져 있었습니다. 0:04부터 {seconds}초입니다."),
}


@pytest.fixture
def damaged(clip: Callable[..., Path], tmp_path: Path, site: Site, encoder: Encoder) -> Job:
    """Give a ready job of a stream that lost packets of pictures and sound, made by the real stages."""
    source = clip("damaged.ts", seconds=SECONDS, size="320x180", rate="25")
    pictures = written(source, "v:0")
    upload = lost(source, tmp_path / "lost.ts", pictures[LOST_FROM].place, pictures[LOST_TO].place)
    job = submit(site.web.services, upload)
    encoder.work_until(is_ready, job.id)
    return site.jobs.get(job.id)


def place(job: Job, kind: DamageKind) -> Damage:
    """Return the job's only place of this kind."""
    (found,) = (place for place in job.damage if place.kind is kind)
    return found


def open_job(site: Site, visit: Visit, job: Job) -> Page:
    """Open the job's page and wait until the video can be sought in."""
    visit.page.goto(f"{site.url}/jobs/{job.id}")
    wait_until(lambda: visit.page.locator("#player").evaluate("it => it.readyState") >= 1, what="the player")
    return visit.page


def at(page: Page, seconds: float) -> tuple[float, float]:
    """Return the point of the bar that stands for this moment, in the page's pixels."""
    page.locator("#timeline").scroll_into_view_if_needed()
    box = page.locator("#timeline").bounding_box()
    assert box is not None
    return box["x"] + seconds / SECONDS * box["width"], box["y"] + box["height"] / 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", WORDS)
def test_damage_is_told_where_it_is(
    site: Site, visitors: Callable[..., Visit], damaged: Job, locale: str, scheme: str, size: str
) -> None:
    """The sentence says it, a mark lies at its place and names it, and so does the preview of who points there."""
    missing = place(damaged, DamageKind.PICTURES_MISSING)
    assert (missing.start, missing.end) == (pytest.approx(4.0, abs=0.081), pytest.approx(6.4, abs=0.081))
    page = open_job(site, visitors(locale=locale, color_scheme=scheme, viewport=SIZES[size]), damaged)
    name, sentence = WORDS[locale]
    expect(page.locator("#warnings li").first).to_have_text(sentence.format(seconds=f"{missing.seconds:.1f}"))
    mark = page.locator(".damage .pictures_missing")
    expect(mark).to_be_visible()
    for attribute in ("title", "aria-label"):
        assert (mark.get_attribute(attribute) or "").startswith(f"{name}: ")
    box = mark.bounding_box()
    assert box is not None
    assert box["x"] == pytest.approx(at(page, missing.start)[0], abs=2)
    assert box["x"] + box["width"] == pytest.approx(at(page, missing.end)[0], abs=2)
    page.mouse.move(*at(page, missing.start + missing.seconds / 2))
    expect(page.locator("[data-field=preview-damage]")).to_contain_text(name)
    page.mouse.move(*at(page, 1.0))
    expect(page.locator("[data-field=preview-time]")).to_have_text("0:01")
    expect(page.locator("[data-field=preview-damage]")).to_be_hidden()
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


def test_marks_are_not_in_the_way(site: Site, visit: Visit, damaged: Job) -> None:
    """Pressing on a mark and dragging along the bar goes where it is let go, as anywhere on the bar."""
    page = open_job(site, visit, damaged)
    box = page.locator(".damage .pictures_missing").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    expect(page.locator("[data-field=preview-time]")).to_have_text("0:05")
    page.mouse.move(*at(page, 9.0))
    page.mouse.up()
    wait_until(
        lambda: page.locator("#player").evaluate("it => it.currentTime") == pytest.approx(9.0, abs=0.1),
        what="the player going there",
    )


def test_keys_tell_damage_too(site: Site, visit: Visit, damaged: Job) -> None:
    """Who goes through the bar by keys hears of damage where it is, and not elsewhere."""
    page = open_job(site, visit, damaged)
    slider = page.locator("[data-field=place]")
    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:12")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "0:05 of 0:12. Pictures missing, Sound missing")


def test_an_intact_upload_has_no_marks(site: Site, visit: Visit, encoder: Encoder, clip: Callable[..., Path]) -> None:
    """Nothing on the bar where nothing is damaged."""
    job = submit(site.web.services, clip("intact.ts", seconds=4, size="320x180", rate="25"))
    encoder.work_until(is_ready, job.id)
    page = open_job(site, visit, site.jobs.get(job.id))
    expect(page.locator(".damage")).to_be_hidden()
    expect(page.locator("#warnings")).to_be_hidden()
