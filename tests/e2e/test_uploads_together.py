"""Uploads beside others: files at once, tabs with one file, somebody else, a proxy between; how their list looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.e2e.browser import Site, Visit, slow_network
from tests.e2e.uploading import SLOW, arrived, begin, created

SMALL = {"width": 360, "height": 740}


def test_two_files_go_at_once_and_stop_together(site: Site, visit: Visit, clips: list[Path]) -> None:
    """Two of three files are on their way at a time; one line tells of all, and pauses and resumes all."""
    page = visit.page
    total = page.locator("#total")
    page.goto(site.url)
    page.set_input_files("#file", clips)
    expect(total).to_be_hidden()
    with slow_network(visit, bytes_per_second=SLOW):
        page.click("#send")
        expect(page.locator(".file.sending")).to_have_count(2)
        expect(page.locator(".file.waiting")).to_have_count(1)
        expect(total).to_contain_text(re.compile(r"0 of 3 files, \d+% sent · .*B/s · \d+ seconds? left"))
        page.click("text=Pause all")
        expect(page.locator(".file.paused")).to_have_count(3)
    page.click("text=Resume all")
    expect(page.locator("#all-sent")).to_contain_text("All 3 files are uploaded.")
    expect(total).to_be_hidden()
    expect(page.locator("#jobs .row-title")).to_have_count(3)


def test_another_tab_can_take_an_upload(site: Site, visit: Visit, film: Path) -> None:
    """A file that one tab sends is not sent by another; that one may take it, and both learn of its end."""
    first, second = visit.page, visit.context.new_page()
    posts = [created(first), created(second)]
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, first, film)
        second.goto(site.url)
        second.set_input_files("#file", film)
        second.click("#send")
        expect(second.locator(".file.elsewhere .file-message")).to_have_text(
            re.compile(r"Another tab of this browser goes on with this file\. \d+% sent\.")
        )
        second.click("text=Send here")
        expect(first.locator(".file.elsewhere .file-message")).to_contain_text("Another tab of this browser")
    assert arrived(site, second, film)
    expect(first).to_have_url(second.url)
    assert [len(made) for made in posts] == [1, 0]


def test_who_loses_an_upload_waits(site: Site, visit: Visit, film: Path) -> None:
    """A page whose upload somebody else took does not take it back at once; when nothing is heard of them, it does."""
    visit.expect_complaints("423")
    page = visit.page
    page.clock.install()
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, page, film)
        place = json.loads(page.evaluate("Object.values(localStorage).find((entry) => entry.includes('uploadUrl'))"))
        visit.context.request.head(place["uploadUrl"], headers={"Tus-Resumable": "1.0.0"})
        expect(page.locator(".file.elsewhere")).to_be_visible()
    page.clock.run_for(80_000)
    assert arrived(site, page, film)


def test_a_proxy_that_limits_bodies_gets_pieces(site: Site, visit: Visit, film: Path) -> None:
    """A refusal that is not the service's own makes the pieces smaller, until they go through."""
    visit.expect_complaints("413")
    page = visit.page
    refused = ["the whole", "64 MiB", "16 MiB", "4 MiB"]

    def limited(route: Route) -> None:
        if route.request.method != "PATCH" or not refused:
            route.continue_()
            return
        refused.pop()
        route.fulfill(status=413, content_type="text/html", body="<h1>413 Request Entity Too Large</h1>")

    page.route("**/api/uploads/*", limited)
    page.goto(site.url)
    page.set_input_files("#file", film)
    offsets: list[str] = []
    page.on("request", lambda sent: offsets.append(sent.headers.get("upload-offset", "")))
    page.click("#send")
    assert arrived(site, page, film)
    assert sorted(int(offset) for offset in offsets if offset) == [0] * 5 + [2**20, 2 * 2**20, 3 * 2**20]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_list(site: Site, visitors: Callable[..., Visit], clips: list[Path], scheme: str) -> None:
    """The list breaks no rule of axe with files on their way, paused, waiting and refused; nothing scrolls sideways."""
    visit = visitors(viewport=SMALL, color_scheme=scheme)
    page = visit.page
    page.goto(site.url)
    empty = clips[0].with_name("empty.mp4")
    empty.write_bytes(b"")
    page.set_input_files("#file", [*clips, empty])
    with slow_network(visit, bytes_per_second=SLOW // 10):
        page.click("#send")
        expect(page.locator("#total")).to_contain_text("B/s")
        page.locator(".file.sending [data-field=pause]").first.click()
        for state in ("paused", "sending", "failed"):
            expect(page.locator(f".file.{state}").first).to_be_visible()
        violations = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
