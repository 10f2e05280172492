"""The bar under the video in a real browser: previews by mouse, finger and keys, and going there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from storage.model.job import Job
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.e2e.encoder import Encoder, is_ready
from tests.e2e.playing import at, open_job, position
from tests.support.driving import submit
from tests.support.results import made
from tests.support.storyboards import Preview, read_storyboard
from tests.support.waiting import wait_until

SECONDS = 12
PIXELS = 0.1  # seconds that a pixel of the bar may be off
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ready(clip: Callable[..., Path], site: Site, encoder: Encoder) -> Job:
    """Give a ready job with a storyboard, made by the real stages."""
    source = clip("timeline.mp4", seconds=SECONDS, size="320x180", rate="10", audio=False)
    job = submit(site.web.services, source)
    encoder.work_until(is_ready, job.id)
    return site.jobs.get(job.id)


def previews(site: Site, job: Job) -> tuple[Preview, ...]:
    """Return what the job's storyboard says."""
    return read_storyboard(made(site.web.services, job, "storyboard.vtt").read_text())


def expect_preview(page: Page, time: str, wanted: Preview) -> None:
    """Expect the preview of a time with its part of the sheet."""
    expect(preview(page)).to_be_visible()
    expect(page.locator("[data-field=preview-time]")).to_have_text(time)
    picture = page.locator("[data-field=preview-picture]")
    expect(picture).to_be_visible()
    expect(picture).to_have_css("background-position", re.compile(rf"^-?{wanted.x}px -?{wanted.y}px$"))
    expect(picture).to_have_css("background-image", re.compile(r"/media/\w{32}/storyboard\.jpg"))
    expect(picture).to_have_css("width", f"{wanted.width}px")
    expect(picture).to_have_css("height", f"{wanted.height}px")


def preview(page: Page) -> Locator:
    """Return what stands above the bar."""
    return page.locator("[data-field=preview]")


def test_pointing_shows_what_is_there(site: Site, visit: Visit, ready: Job) -> None:
    """A time and its picture follow the mouse, stay within the bar, and go with it; nothing is fetched before."""
    page, found = open_job(site, visit, ready), previews(site, ready)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url.rpartition("/")[2]))
    expect(preview(page)).to_be_hidden()
    for fraction, time in ((0.5, "0:06"), (0.999, "0:11"), (0.0, "0:00")):
        page.mouse.move(*at(page, fraction))
        wanted = next(one for one in found if fraction * SECONDS < one.end)
        expect_preview(page, time, wanted)
        box, bar = preview(page).bounding_box(), page.locator("#timeline").bounding_box()
        assert box is not None
        assert bar is not None
        assert bar["x"] <= box["x"]
        assert box["x"] + box["width"] <= bar["x"] + bar["width"]
        assert box["y"] + box["height"] <= bar["y"]
    assert fetched.count("storyboard.vtt") == fetched.count("storyboard.jpg") == 1
    page.mouse.move(0, 0)
    expect(preview(page)).to_be_hidden()
    assert position(page) == 0


def test_a_click_goes_there_and_dragging_looks_first(site: Site, visit: Visit, ready: Job) -> None:
    """The video goes to where the button is let go, and no sooner."""
    page, found = open_job(site, visit, ready), previews(site, ready)
    page.mouse.click(*at(page, 0.75))
    wait_until(lambda: position(page) == pytest.approx(9, abs=PIXELS), what="going there")
    page.mouse.move(*at(page, 0.2))
    page.mouse.down()
    page.mouse.move(*at(page, 0.6))
    expect_preview(page, "0:07", next(one for one in found if one.end > 7.2))
    assert position(page) == pytest.approx(9, abs=PIXELS)
    page.mouse.up()
    wait_until(lambda: position(page) == pytest.approx(7.2, abs=PIXELS), what="going there")
    assert page.locator("#player").evaluate("it => it.paused")


def test_keys_look_and_enter_goes_there(site: Site, visit: Visit, ready: Job) -> None:
    """The slider says its place as a time; arrows and the like show what is there, Escape comes back, Enter goes."""
    page, found = open_job(site, visit, ready), previews(site, ready)
    slider = page.get_by_role("slider", name="Place in the video")
    slider.focus()
    expect_preview(page, "0:00", found[0])
    for keys, time in (
        ("ArrowRight ArrowUp ArrowRight", "0:03"),
        ("ArrowLeft", "0:02"),
        ("End", "0:12"),
        ("ArrowRight", "0:12"),
        ("Home", "0:00"),
        ("ArrowDown", "0:00"),
        ("PageUp PageUp PageUp PageUp PageUp", "0:06"),
        ("PageDown", "0:04"),
    ):
        for key in keys.split():
            page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", f"{time} of 0:12")
        expect(page.locator("[data-field=preview-time]")).to_have_text(time)
    assert position(page) == 0
    expect_preview(page, "0:04", next(one for one in found if one.end > 4.8))
    page.keyboard.press("Enter")
    wait_until(lambda: position(page) == pytest.approx(4.8, abs=PIXELS), what="going there")
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    expect(slider).to_have_attribute("aria-valuetext", "0:04 of 0:12")
    page.keyboard.press("Tab")
    expect(preview(page)).to_be_hidden()
    assert position(page) == pytest.approx(4.8, abs=PIXELS)


def test_a_finger_looks_and_goes(site: Site, visitors: Callable[..., Visit], ready: Job) -> None:
    """On a phone the preview follows the finger on the bar, and the video goes to where it is lifted."""
    visit = visitors(viewport=PHONE, has_touch=True, is_mobile=True)
    page, found = open_job(site, visit, ready), previews(site, ready)
    touch = visit.context.new_cdp_session(page)

    def finger(kind: str, fraction: float | None = None) -> None:
        points = [] if fraction is None else [dict(zip("xy", at(page, fraction), strict=True))]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", 0.1)
    for fraction in (0.2, 0.35, 0.5):
        finger("touchMove", fraction)
    expect_preview(page, "0:06", next(one for one in found if one.end > 6))
    assert position(page) == 0
    finger("touchEnd")
    expect(preview(page)).to_be_hidden()
    wait_until(lambda: position(page) == pytest.approx(6, abs=PIXELS), what="going there")
    page.touchscreen.tap(*at(page, 0.25))
    wait_until(lambda: position(page) == pytest.approx(3, abs=PIXELS), what="going there")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_a_storyboard_there_is_the_time(site: Site, visit: Visit) -> None:
    """A job whose storyboard failed asks for none; its bar shows times and goes there all the same."""
    job = scenes.add_job(site)
    scenes.start(site, job)
    scenes.finish(site, job)
    page = open_job(site, visit, job)
    page.mouse.move(*at(page, 0.5))
    expect(page.locator("[data-field=preview-time]")).to_have_text("0:02")
    expect(page.locator("[data-field=preview-picture]")).to_be_hidden()
    page.mouse.click(*at(page, 0.5))
    wait_until(lambda: position(page) == pytest.approx(2, abs=PIXELS), what="going there")


def test_previews_that_do_not_arrive_cost_nothing_else(site: Site, visit: Visit, ready: Job) -> None:
    """Where the cues cannot be fetched the time is shown, and they are asked for again at the next visit of the bar."""
    visit.expect_complaints("ERR_FAILED")
    page = open_job(site, visit, ready)
    page.route("**/storyboard.vtt", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.mouse.move(*at(page, 0.5))
    expect(page.locator("[data-field=preview-time]")).to_have_text("0:06")
    expect(page.locator("[data-field=preview-picture]")).to_be_hidden()
    page.unroute("**/storyboard.vtt")
    page.mouse.move(0, 0)
    page.mouse.move(*at(page, 0.5))
    expect(page.locator("[data-field=preview-picture]")).to_be_visible()


def test_while_it_encodes_one_goes_as_far_as_it_is_encoded(
    clip: Callable[..., Path], site: Site, visit: Visit, encoder: Encoder
) -> None:
    """The bar goes to what is encoded and no further, and says nothing of previews; they come when the job is ready."""
    source = clip("growing.mp4", seconds=30, size="320x180", rate="10", audio=False)
    job = submit(site.web.services, source)
    plan = encoder.work_until(lambda job: job.frames_done >= 100, job.id)
    edge = site.jobs.get(job.id).frames_done / float(plan.rate)
    assert edge < 24
    page = open_job(site, visit, job)
    expect(page.locator("#timeline")).to_contain_text("can be watched")
    page.locator("#player").evaluate("it => it.pause()")
    page.mouse.click(*at(page, 4 / 30))
    wait_until(lambda: position(page) == pytest.approx(4, abs=2 * PIXELS), what="going there")
    page.mouse.move(*at(page, 0.99))
    expect(preview(page)).to_be_visible()
    expect(page.locator("[data-field=preview-picture]")).to_be_hidden()
    expect(page.locator("[data-field=preview-time]")).to_have_text(f"0:{int(edge):02d}")
    page.mouse.down()
    page.mouse.up()
    wait_until(lambda: position(page) == pytest.approx(edge, abs=2 * PIXELS), what="going to the edge")
    encoder.work_until(is_ready, job.id)
    expect(page.locator("#timeline-words")).to_be_empty()
    page.mouse.move(0, 0)
    page.mouse.move(*at(page, 0.9))
    expect_preview(page, "0:27", next(one for one in previews(site, job) if one.end > 27))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_a_preview(site: Site, visitors: Callable[..., Visit], ready: Job, scheme: str) -> None:
    """With a preview in view no rule of axe is broken, in light or dark; a Korean page says the place in Korean."""
    visit = visitors(viewport=PHONE, color_scheme=scheme, locale="ko-KR")
    page = open_job(site, visit, ready)
    page.get_by_role("slider", name="재생 위치").focus()
    page.keyboard.press("ArrowRight")
    expect(preview(page)).to_be_visible()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "전체 0:12 중 0:01")
    assert Axe().run(page).response["violations"] == []
