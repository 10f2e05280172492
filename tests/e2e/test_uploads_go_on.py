"""Uploads that go on: paused, offline, after a reload, refused by a proxy, in two tabs; and what is left of none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from storage.objects import keys
from tests.e2e.browser import Site, Visit, slow_network
from tests.support.lossy_proxy import LossyProxy
from tests.support.waiting import wait_until

JOB_PAGE = re.compile(r"/jobs/[0-9a-f]{32}$")
MEGABYTE = 1_000_000
SLOW = MEGABYTE // 2
SMALL = {"width": 360, "height": 740}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a file of four megabytes, no two of which are alike."""
    path = tmp_path / "holiday film.mp4"
    path.write_bytes(Random(1).randbytes(4 * MEGABYTE))
    return path


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Give three smaller files."""
    paths = [tmp_path / f"{name}.mp4" for name in ("one", "two", "three")]
    for path in paths:
        path.write_bytes(path.name.encode() * 100_000)
    return paths


def begin(site: Site, page: Page, film: Path) -> None:
    """Choose a file, send it, and wait until some of it is sent."""
    page.goto(site.url)
    page.set_input_files("#file", film)
    page.click("#send")
    expect(page.locator(".file-message")).to_contain_text("B/s")


def arrived(site: Site, page: Page, film: Path) -> bool:
    """Tell whether the job whose page is open has every byte of the file, and the store nothing else."""
    expect(page).to_have_url(JOB_PAGE)
    job_id = page.url.rpartition("/")[2]
    objects = site.web.services.objects
    assert list(objects.keys(keys.UPLOADS)) == []
    return b"".join(objects.read(keys.original(job_id))) == film.read_bytes()


def remembered(page: Page) -> int:
    """Return how many uploads this browser remembers."""
    return int(page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('tus::')).length"))


def created(page: Page) -> list[str]:
    """Return a list that grows with each upload which the page creates."""
    posts: list[str] = []
    page.on("request", lambda sent: posts.append(sent.url) if sent.method == "POST" else None)
    return posts


def test_pause_and_resume_by_the_keyboard(site: Site, visit: Visit, film: Path) -> None:
    """Enter pauses, what was sent stays, Enter goes on from there; the focus stays on the button."""
    page, posts = visit.page, created(visit.page)
    pause = page.locator(".file [data-field=pause]")
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, page, film)
        pause.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".file.paused .file-message")).to_have_text(re.compile(r"Paused, \d+% of 4 MB sent"))
        expect(page.locator("#upload-status")).to_contain_text("holiday film.mp4: Paused")
    expect(pause).to_be_focused()
    expect(pause).to_have_accessible_name("Go on sending holiday film.mp4")
    wait_until(lambda: site.web.gate.active == 0, what="the end of the request")
    assert len(list(site.web.services.objects.keys(keys.UPLOADS))) > 1
    page.keyboard.press("Enter")
    assert arrived(site, page, film)
    assert len(posts) == 1
    assert remembered(page) == 0


def test_offline_for_a_while(site: Site, visit: Visit, film: Path) -> None:
    """A lost line is waited for; when it is back, the upload goes on by itself where it was."""
    visit.expect_complaints("net::ERR")
    page, posts = visit.page, created(visit.page)
    port = int(site.url.rpartition(":")[2])
    with LossyProxy(port) as door:
        with slow_network(visit, bytes_per_second=SLOW):
            begin(replace(site, url=f"http://127.0.0.1:{door.port}"), page, film)
            door.forbidden = b"HTTP/1.1"
            visit.context.set_offline(True)
            wait_until(lambda: not door.cut(0), what="the end of every connection")
            expect(page.locator(".file.retrying .file-message")).to_have_text(
                re.compile(
                    r"The connection to the server was lost\. Trying again in \d+ seconds?\. Your file stays chosen\."
                )
            )
        door.forbidden = b""
        visit.context.set_offline(False)
        assert arrived(site, page, film)
    assert len(posts) == 1


def test_a_closed_laptop(site: Site, visit: Visit, film: Path) -> None:
    """A page that slept takes its connection for dead and asks how far it is, without waiting for its end."""
    page, posts = visit.page, created(visit.page)
    page.clock.install()
    with slow_network(visit, bytes_per_second=SLOW // 10):
        begin(site, page, film)
        page.clock.fast_forward("10:00")
        expect(page.locator(".file.retrying")).to_be_visible()
    assert arrived(site, page, film)
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("locale", "words", "done"),
    [
        ("en-US", r"\d+% of 4 MB sent\. Choose or drop this file again, and its upload goes on\.", "sent"),
        ("ko-KR", r"4MB 중 \d+% 전송됨\. 같은 파일을 다시 선택하거나 끌어다 놓으면 이어서 전송합니다\.", "전송됨"),
    ],
)
def test_a_reloaded_page_goes_on(
    site: Site, visitors: Callable[..., Visit], film: Path, clips: list[Path], locale: str, words: str, done: str
) -> None:
    """After a reload the page lists what is unfinished, and goes on when it is given the same file, not another."""
    visit = visitors(locale=locale)
    page, posts = visit.page, created(visit.page)
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, page, film)
        expect(page.locator(".file-message")).to_contain_text(done)
        page.once("dialog", lambda dialog: dialog.accept())
        page.reload()
    unfinished = page.locator(".file.unfinished")
    expect(unfinished.locator(".file-message")).to_have_text(re.compile(words))
    expect(unfinished.locator(".file-name")).to_have_text(film.name)
    with page.expect_file_chooser() as chooser:
        unfinished.locator("[data-field=choose]").click()
    chooser.value.set_files(clips[0])
    expect(unfinished.locator(".file-message")).to_contain_text(film.name)
    page.locator(".file.waiting [data-field=cancel]").click()
    page.set_input_files("#file", film)
    assert arrived(site, page, film)
    assert len(posts) == 1


def test_an_unfinished_upload_can_be_cancelled(site: Site, visit: Visit, film: Path) -> None:
    """Cancel ends it: nothing is left on the server or in this browser."""
    page = visit.page
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, page, film)
        page.locator(".file [data-field=pause]").click()
        page.reload()
    page.click(".file.unfinished >> text=Cancel")
    expect(page.locator(".file.cancelled .file-message")).to_have_text("The upload was cancelled. Nothing was kept.")
    assert list(site.web.services.objects.keys("")) == []
    assert remembered(page) == 0


def test_what_the_server_gave_up_is_not_listed(site: Site, visit: Visit) -> None:
    """An upload that the server no longer has is forgotten without a word."""
    visit.expect_complaints("404")
    visit.page.goto(site.url)
    gone = {"size": 10, "metadata": {"filename": "old.mp4"}, "uploadUrl": f"{site.url}/api/uploads/{'0' * 32}"}
    visit.page.evaluate("(gone) => localStorage.setItem('tus::print::1', gone)", json.dumps(gone))
    visit.page.reload()
    wait_until(lambda: remembered(visit.page) == 0, what="that it is forgotten")
    expect(visit.page.locator(".file")).to_have_count(0)


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


def test_a_file_that_changes_on_its_way(site: Site, visit: Visit, film: Path) -> None:
    """A file that was changed meanwhile is no lost line: the page says so and does not wait."""
    visit.expect_complaints("ERR_UPLOAD_FILE_CHANGED", "net::ERR")
    page = visit.page
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, page, film)
        page.locator(".file [data-field=pause]").click()
    film.write_bytes(b"another film")
    page.locator(".file [data-field=pause]").click()
    expect(page.locator(".file.failed .file-message")).to_have_text(
        "This file cannot be read any more: it was changed, moved or removed. Choose it again."
    )
    page.click(".file >> text=Remove")
    wait_until(lambda: list(site.web.services.objects.keys("")) == [], what="the end of what was begun")


def test_a_paused_file_that_is_chosen_again(site: Site, visit: Visit, film: Path) -> None:
    """It goes on; it is not sent twice."""
    page, posts = visit.page, created(visit.page)
    with slow_network(visit, bytes_per_second=SLOW):
        begin(site, page, film)
        page.locator(".file [data-field=pause]").click()
    page.set_input_files("#file", film)
    assert arrived(site, page, film)
    assert len(posts) == 1


def test_an_error_after_the_last_byte(site: Site, visit: Visit, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that did not learn what became of its file asks, and finds the one job."""
    visit.expect_complaints("500")
    page, landed = visit.page, site.web.gate.landed

    def failing(size: int) -> None:
        landed(size)
        monkeypatch.undo()
        raise RuntimeError("the answer is lost")

    monkeypatch.setattr(site.web.gate, "landed", failing)
    page.goto(site.url)
    page.set_input_files("#file", film)
    page.click("#send")
    expect(page.locator(".file.retrying")).to_be_visible()
    assert arrived(site, page, film)
    page.goto(site.url)
    expect(page.locator("#jobs .row-title")).to_have_count(1)


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
