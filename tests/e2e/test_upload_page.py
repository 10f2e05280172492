"""The upload form in a real browser: without scripts, with progress, with patience, with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import FileChooser, FilePayload, expect

from storage.model.job import JobState
from storage.objects import keys
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit, slow_network
from tests.support.waiting import wait_until

JOB_PAGE = re.compile(r"/jobs/[0-9a-f]{32}$")
MEGABYTE = 1_000_000


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a file to upload; nobody looks into it here."""
    path = tmp_path / "holiday film.mp4"
    path.write_bytes(bytes(range(256)) * 4000)
    return path


def payload(name: str, size: int) -> FilePayload:
    """Return a file of so many bytes for the browser's file input."""
    return FilePayload(name=name, mimeType="video/mp4", buffer=bytes(size))


def stored_bytes(site: Site, visit: Visit) -> bytes:
    """Return the original of the job whose page is open."""
    job_id = visit.page.url.rpartition("/")[2]
    return b"".join(site.web.services.objects.read(keys.original(job_id)))


def test_form_works_without_scripts(site: Site, visitors: Callable[..., Visit], film: Path) -> None:
    """A browser without JavaScript posts the form and lands on the job's page, told that the upload is complete."""
    visit = visitors(java_script_enabled=False)
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", film)
    visit.page.fill("#title", "My holiday")
    visit.page.click("#send")
    expect(visit.page).to_have_url(JOB_PAGE)
    expect(visit.page.locator("h1")).to_have_text("My holiday")
    expect(visit.page.locator("#uploaded")).to_contain_text("The upload is complete.")
    expect(visit.page.locator("#actions")).to_be_hidden()
    assert stored_bytes(site, visit) == film.read_bytes()


def test_sending_shows_progress_and_lands_on_the_job(site: Site, visit: Visit) -> None:
    """While a file is sent the page shows per cent, speed and time left, then goes to the job's page."""
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", payload("long.mkv", 3 * MEGABYTE))
    expect(visit.page.locator(".file-name")).to_have_text("long.mkv")
    with slow_network(visit, bytes_per_second=2 * MEGABYTE):
        visit.page.click("#send")
        expect(visit.page.locator(".file-message")).to_have_text(
            re.compile(r"\d+% sent · [\d.]+ [kM]B/s · \d+ seconds? left")
        )
        assert 0 < float(visit.page.locator(".file progress").get_attribute("value") or 0) < 1
        expect(visit.page).to_have_url(JOB_PAGE)
    expect(visit.page.locator("h1")).to_have_text("long")
    expect(visit.page.locator("#uploaded")).to_be_visible()
    assert len(stored_bytes(site, visit)) == 3 * MEGABYTE


def test_cancelled_sending_leaves_nothing_and_can_be_repeated(site: Site, visit: Visit) -> None:
    """Cancel stops the sending, nothing is kept on the server, and the file can be sent after all."""
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", payload("a.mp4", 4 * MEGABYTE))
    with slow_network(visit, bytes_per_second=MEGABYTE // 2):
        visit.page.click("#send")
        expect(visit.page.locator(".file-message")).to_contain_text("B/s")
        visit.page.click("text=Cancel")
        expect(visit.page.locator(".file-message")).to_have_text("The upload was cancelled. Nothing was kept.")
    wait_until(lambda: site.web.gate.active == 0, what="the end of the upload")
    assert list(site.web.services.objects.keys("")) == []
    visit.page.click("text=Send now")
    expect(visit.page).to_have_url(JOB_PAGE)


def test_busy_server_is_tried_again_by_itself(make_site: Callable[..., Site], visit: Visit, film: Path) -> None:
    """A refusal with Retry-After becomes a countdown; the chosen file is sent again when it is over."""
    site = make_site(max_uploads=1)
    visit.expect_complaints("503")
    visit.page.clock.install()
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", film)
    with ExitStack() as busy:
        busy.enter_context(site.web.gate.enter(None, None))
        visit.page.click("#send")
        message = visit.page.locator(".file-message")
        expect(message).to_contain_text("Trying again in 15 seconds. Your file stays chosen.")
        visit.page.clock.run_for(5000)
        expect(message).to_contain_text("Trying again in 10 seconds")
    visit.page.clock.run_for(11_000)
    expect(visit.page).to_have_url(JOB_PAGE)


def test_full_queue_is_waited_for(make_site: Callable[..., Site], visit: Visit, film: Path) -> None:
    """The form says in plain words that the queue is full, keeps the file, and sends it when there is room."""
    site = make_site(admission_max_wait_seconds=60, encoders=1)
    visit.expect_complaints("503")
    visit.page.clock.install()
    large = scenes.add_job(site, "A long film", size=100_000_000)
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", film)
    visit.page.click("#send")
    message = visit.page.locator(".file-message")
    expect(message).to_contain_text("The queue is full")
    expect(message).to_contain_text(re.compile(r"Trying again in 1 minute \d+ seconds. Your file stays chosen\."))
    site.jobs.move(large.id, JobState.CANCELLED)
    wait_until(lambda: site.web.queue.read().outlook.work == 0, what="the queue is seen empty")
    visit.page.clock.run_for(120_000)
    expect(visit.page).to_have_url(JOB_PAGE)


@pytest.mark.parametrize(("locale", "words"), [("en-US", "Your file stays chosen"), ("ko-KR", "후에 다시 시도합니다")])
def test_the_page_keeps_its_turn(
    make_site: Callable[..., Site], visitors: Callable[..., Visit], film: Path, locale: str, words: str
) -> None:
    """A file that was refused is sent again as the one whose turn it is, too early by hand and in time by itself."""
    site = make_site(admission_max_wait_seconds=60, encoders=1)
    visit = visitors(locale=locale)
    visit.expect_complaints("503")
    visit.page.clock.install()
    large = scenes.add_job(site, "A long film", size=100_000_000)
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", film)
    brought: list[str | None] = []

    def sends(act: Callable[[], None]) -> None:
        with visit.page.expect_request(lambda sent: sent.method == "POST") as sent:
            act()
        brought.append(sent.value.headers.get("rungs-turn"))

    for button in ("#send", ".file [data-field=retry]"):
        sends(partial(visit.page.click, button))
        expect(visit.page.locator(".file.retrying .file-message")).to_contain_text(words)
    site.jobs.move(large.id, JobState.CANCELLED)
    wait_until(lambda: site.web.queue.read().outlook.work == 0, what="the queue is seen empty")
    sends(lambda: visit.page.clock.run_for(120_000))
    expect(visit.page).to_have_url(JOB_PAGE)
    assert brought[0] is None
    assert brought[1:] == [brought[1]] * 2
    assert brought[1]
    assert site.web.gate.turns == 0


def test_waiting_can_be_cut_short(make_site: Callable[..., Site], visit: Visit, film: Path) -> None:
    """Who does not want to wait for the countdown sends at once."""
    site = make_site(max_uploads=1)
    visit.expect_complaints("503")
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", film)
    with site.web.gate.enter(None, None):
        visit.page.click("#send")
        expect(visit.page.locator(".file-message")).to_contain_text("Trying again in")
    visit.page.click("text=Send now")
    expect(visit.page).to_have_url(JOB_PAGE)


def test_several_files_are_sent(site: Site, visit: Visit) -> None:
    """Several chosen files are all sent, and appear in the list below without a reload."""
    visit.page.goto(site.url)
    names = ["one", "two", "three"]
    files = [FilePayload(name=f"{name}.mp4", mimeType="video/mp4", buffer=name.encode()) for name in names]
    visit.page.set_input_files("#file", files)
    expect(visit.page.locator("#title-field")).to_be_hidden()
    expect(visit.page.locator("#upload-status")).to_have_text("3 files chosen")
    visit.page.click("#send")
    expect(visit.page.locator("#all-sent")).to_contain_text("All 3 files are uploaded.")
    expect(visit.page.locator("#jobs .row-title")).to_have_count(3)
    assert sorted(visit.page.locator("#jobs .row-title").all_inner_texts()) == sorted(names)
    expect(visit.page.locator(".file.sent")).to_have_count(3)


def test_files_can_be_dropped(site: Site, visit: Visit) -> None:
    """A file dropped anywhere on the page is chosen."""
    visit.page.goto(site.url)
    dropped = visit.page.evaluate_handle(
        "() => { const d = new DataTransfer(); d.items.add(new File(['x'], 'dropped.mp4')); return d; }"
    )
    visit.page.dispatch_event("main", "dragenter", {"dataTransfer": dropped})
    expect(visit.page.locator("#drop")).to_have_class(re.compile("over"))
    visit.page.dispatch_event("main", "drop", {"dataTransfer": dropped})
    expect(visit.page.locator(".file-name")).to_have_text("dropped.mp4")
    expect(visit.page.locator("#send")).to_be_focused()


def test_hopeless_files_are_told_before_sending(make_site: Callable[..., Site], visit: Visit) -> None:
    """An empty or too large file is refused on the spot, in words, and is not sent."""
    site = make_site(max_upload_bytes=1000)
    visit.page.goto(site.url)
    empty = payload("empty.mp4", 0)
    large = payload("large.mp4", 2000)
    visit.page.set_input_files("#file", [empty, large])
    messages = visit.page.locator(".file.failed .file-message")
    expect(messages).to_have_text(
        ["This file is empty. Choose another one.", "This file is 2 kB. At most 1 kB can be uploaded."]
    )
    visit.page.click(".file.failed >> nth=0 >> text=Remove")
    expect(visit.page.locator(".file")).to_have_count(1)


def test_refusal_says_why(site: Site, visit: Visit, film: Path) -> None:
    """What the server refuses for good is shown with its reason, and the file stays in the list."""
    visit.expect_complaints("413")
    visit.page.goto(site.url)
    site.web.gate.limits = replace(site.web.gate.limits, upload_bytes=10)
    visit.page.set_input_files("#file", film)
    visit.page.click("#send")
    expect(visit.page.locator(".file.failed .file-message")).to_contain_text("This file is too large: at most")
    expect(visit.page.locator("text=Send now")).to_be_visible()


def test_leaving_while_sending_is_asked_about(site: Site, visit: Visit) -> None:
    """Closing the page while a file is on its way asks first; afterwards it does not."""
    visit.page.goto(site.url)
    visit.page.set_input_files("#file", payload("a.mp4", 4 * MEGABYTE))
    with slow_network(visit, bytes_per_second=MEGABYTE):
        visit.page.click("#send")
        expect(visit.page.locator(".file-message")).to_contain_text("B/s")
        with visit.page.expect_event("dialog") as asked:
            visit.page.close(run_before_unload=True)
        assert asked.value.type == "beforeunload"
        asked.value.dismiss()
        expect(visit.page).to_have_url(JOB_PAGE)


def test_keyboard_is_enough(site: Site, visit: Visit, film: Path) -> None:
    """Tab, Space and Enter choose a file and send it; the focus is always visible."""
    visit.page.goto(site.url)
    for _ in range(10):
        visit.page.keyboard.press("Tab")
        if visit.page.evaluate("document.activeElement.id") == "file":
            break
    assert visit.page.locator("#drop").evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    choosers: list[FileChooser] = []
    visit.page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - it takes functions only

    def opened() -> bool:
        # Chromium may let a press go by while it still puts the page on its screen.
        visit.page.keyboard.press("Space")
        visit.page.wait_for_timeout(500)
        return bool(choosers)

    wait_until(opened, what="the choice of a file")
    choosers[0].set_files(film)
    expect(visit.page.locator("#send")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(JOB_PAGE)
