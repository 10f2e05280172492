"""How the pages look to everybody: small screens, light and dark, assistive technology, Korean."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e import scenes
from tests.e2e.browser import Site, Visit

HANGUL = re.compile(r"[가-힣]")
SMALL = {"width": 360, "height": 740}
LARGE = {"width": 1280, "height": 800}


def addresses(site: Site) -> list[str]:
    """Fill the site with jobs of every state; return the address of every page."""
    jobs = scenes.in_every_state(site)
    long = scenes.add_job(site, "W" * 200)
    return ["/", "/queue", *(f"/jobs/{job.id}" for job in (*jobs.values(), long))]


def settled(page: Page, address: str) -> None:
    """Open the page and wait until its scripts are at work."""
    page.goto(address)
    expect(page.locator("time").first).not_to_contain_text("UTC")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_every_page(site: Site, visitors: Callable[..., Visit], scheme: str) -> None:
    """No page breaks a rule of axe, contrast among them, in light or dark; none scrolls sideways at 360 pixels."""
    page = visitors(viewport=SMALL, color_scheme=scheme).page
    for address in addresses(site):
        settled(page, site.url + address)
        violations = Axe().run(page).response["violations"]
        assert [(address, rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"], address


def test_schemes_differ(site: Site, visitors: Callable[..., Visit]) -> None:
    """Dark is dark and light is light, as the visitor's system asks."""
    brightness = {}
    for scheme in ("light", "dark"):
        page = visitors(color_scheme=scheme, viewport=LARGE).page
        page.goto(site.url)
        colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        brightness[scheme] = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
    assert brightness["light"] > 230
    assert brightness["dark"] < 40


def test_korean_browser_gets_korean_pages(site: Site, visitors: Callable[..., Visit]) -> None:
    """A Korean browser sees Korean everywhere, also what scripts write and how numbers and times are said."""
    page = visitors(locale="ko-KR").page
    jobs = scenes.in_every_state(site)
    settled(page, f"{site.url}/jobs/{jobs['failed'].id}")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("[data-field=reason]")).to_have_text("영상이 손상되어 디코딩할 수 없습니다.")
    expect(page.locator("time")).to_have_text("방금 전")
    settled(page, f"{site.url}/jobs/{jobs['encoding'].id}")
    expect(page.locator("[data-field=plan]")).to_contain_text("초당 24프레임, 길이 56초")
    scenes.finish(site, jobs["encoding"])
    expect(page.locator("[data-field=headline]")).to_have_text(re.compile("만에 완료했습니다"))
    settled(page, site.url)
    for words in page.locator("h1, h2, label, button:visible, nav a, .row [data-field=word]").all_inner_texts():
        assert HANGUL.search(words) or words == "English", words


def test_language_is_switched_and_remembered(site: Site, visit: Visit) -> None:
    """The switch in the footer changes the language, stays on the page, and is remembered on the next visit."""
    visit.page.goto(f"{site.url}/queue")
    visit.page.get_by_role("button", name="한국어").click()
    expect(visit.page).to_have_url(f"{site.url}/queue")
    expect(visit.page.locator("h1")).to_have_text("대기열")
    visit.page.goto(site.url)
    expect(visit.page.locator("h1")).to_have_text("영상 업로드")
    visit.page.get_by_role("button", name="English").click()
    expect(visit.page.locator("h1")).to_have_text("Upload a video")


def test_first_tab_leads_past_the_navigation(site: Site, visit: Visit) -> None:
    """The first Tab shows a link that jumps to the content."""
    visit.page.goto(site.url)
    visit.page.keyboard.press("Tab")
    skip = visit.page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#main")).to_be_focused()
