"""Chapters in a real browser: gaps in the bar, names in its preview, and a list that leads to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storage.model.job import Job
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.e2e.playing import at, open_job, position
from tests.e2e.tracks import tell
from tests.support.waiting import wait_until

SECONDS = scenes.CLIP_SECONDS
PHONE = {"width": 375, "height": 812}
CHAPTERS = [
    {"start": 0.0, "end": 1.0, "title": "Opening"},
    {"start": 1.0, "end": 2.5, "title": scenes.HOSTILE},
    {"start": 2.5, "end": 4.0, "title": ""},
]


@pytest.fixture
def ready(site: Site) -> Job:
    """Give a ready job with chapters."""
    tell(site, {"audio": [], "subtitles": [], "chapters": CHAPTERS})
    return scenes.add_ready(site)


def expect_position(page: Page, seconds: float) -> None:
    """Expect the player to be at this place."""
    wait_until(lambda: position(page) == pytest.approx(seconds, abs=0.1), what="the player going there")


def test_the_bar_tells_its_chapters(site: Site, visit: Visit, ready: Job) -> None:
    """A gap where each chapter begins but the first, and the name of the one that is pointed at or gone to by keys."""
    page = open_job(site, visit, ready)
    ticks = page.locator(".ticks span")
    expect(ticks).to_have_count(2)
    for index, chapter in enumerate(CHAPTERS[1:]):
        box = ticks.nth(index).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] / 2 == pytest.approx(at(page, float(str(chapter["start"])) / SECONDS)[0], abs=1)
    name = page.locator("[data-field=preview-chapter]")
    for moment, words in ((0.5, "Opening"), (2.0, scenes.HOSTILE), (3.0, "Chapter 3")):
        page.mouse.move(*at(page, moment / SECONDS))
        expect(name).to_have_text(words)
    page.mouse.move(0, 0)
    slider = page.get_by_role("slider", name="Place in the video")
    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:04, Opening")
    page.keyboard.press("End")
    expect(name).to_be_hidden()


def test_the_list_leads_to_chapters(site: Site, visit: Visit, ready: Job) -> None:
    """The list opens by keys; a click or Enter goes to the beginning of a chapter, and the present one is marked."""
    page = open_job(site, visit, ready)
    chapters = page.locator("#chapters")
    chapters.locator("summary").focus()
    page.keyboard.press("Enter")
    rows = chapters.get_by_role("button")
    expect(rows).to_have_text(["0:00Opening", f"0:01{scenes.HOSTILE}", "0:03Chapter 3"])
    rows.nth(1).click()
    expect_position(page, 1.0)
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    expect(rows.nth(0)).to_have_attribute("aria-current", "false")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect_position(page, 2.5)


def test_a_thousand_chapters_are_a_list_and_no_bar(site: Site, visit: Visit, ready: Job) -> None:
    """So many gaps would be all of the bar: the list and the names are left."""
    many = [{"start": n * 0.004, "end": (n + 1) * 0.004, "title": f"Verse {n + 1}"} for n in range(1000)]
    tell(site, {"chapters": many})
    page = open_job(site, visit, ready)
    expect(page.locator("[data-field=chapter-count]")).to_have_text("1,000")
    expect(page.locator(".ticks span")).to_have_count(0)
    page.mouse.move(*at(page, 2.001 / SECONDS))
    expect(page.locator("[data-field=preview-chapter]")).to_contain_text("Verse 50")


def test_scripts_are_not_needed_for_chapters(site: Site, visitors: Callable[..., Visit], ready: Job) -> None:
    """Without scripts they are a list with their times."""
    page = visitors(java_script_enabled=False).page
    page.goto(f"{site.url}/jobs/{ready.id}")
    rows = page.locator(".chapters:visible li")
    expect(rows).to_have_text(["0:00 Opening", f"0:01 {scenes.HOSTILE}", "0:03 Chapter 3"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chapters_are_for_everybody(site: Site, visitors: Callable[..., Visit], ready: Job, scheme: str) -> None:
    """On a Korean phone no rule of axe is broken with list and preview open, and nothing scrolls sideways."""
    page = open_job(site, visitors(viewport=PHONE, locale="ko-KR", color_scheme=scheme), ready)
    page.locator("#chapters summary").click()
    expect(page.locator("#chapters button").last).to_contain_text("챕터 3")
    page.mouse.move(*at(page, 2.0 / SECONDS))
    expect(page.locator("[data-field=preview-chapter]")).to_be_visible()
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
