"""Uploads that go on: paused, offline, after a reload, after an error; and what is left of those that do not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from storage.objects import keys
from tests.e2e.browser import Site, Visit, slow_network
from tests.e2e.uploading import SLOW, arrived, begin, created, remembered
from tests.support.lossy_proxy import LossyProxy
from tests.support.waiting import wait_until


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
    page.clock.run_for(4000)
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
