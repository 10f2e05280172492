"""A job whose file is on its way: its page shows the sending, on any device, and can end it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from storage.model.job import JobState
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit, slow_network
from tests.e2e.uploading import SLOW, arrived, begin, created, remembered
from tests.support.waiting import wait_until


def state_is(page: Page, state: str) -> None:
    """Expect the job's page to show this state."""
    expect(page.locator("[data-field=state]")).to_have_attribute("data-state", state)


def open_from_row(site: Site, sender: Page, page: Page) -> None:
    """Open the job's page elsewhere, at the address that the row of its file links."""
    link = sender.locator(".file [data-field=open]")
    expect(link).to_have_accessible_name("Watch the job of holiday film.mp4 in a new tab")
    expect(link).to_have_attribute("target", "_blank")
    page.goto(site.url + str(link.get_attribute("href")))


def test_another_device_sees_the_sending(site: Site, visit: Visit, visitors: Callable[..., Visit], film: Path) -> None:
    """How much has come, how fast, and then the job as it goes on; the lists show the same."""
    sender, other, lists = visit.page, visitors().page, visitors().page
    with slow_network(visit, bytes_per_second=SLOW // 4):
        begin(site, sender, film)
        lists.goto(f"{site.url}/queue")
        expect(lists.locator("#uploading .row")).to_contain_text(
            re.compile(r"Uploading\d+%.* of 4 MB has come", re.DOTALL)
        )
        open_from_row(site, sender, other)
        state_is(other, "uploading")
        expect(other.locator("[aria-current=step]")).to_have_attribute("data-step", "uploading")
        expect(other.locator("[data-field=speed]")).to_have_text(re.compile(r"B/s · .* left"))
        bar = other.locator("[data-field=bar]")
        first = float(bar.evaluate("bar => bar.value"))
        wait_until(lambda: float(bar.evaluate("bar => bar.value")) > first, seconds=30, what="a bar that moves")
        expect(other.locator("#uploading")).to_be_visible()
        expect(other.locator("#uploaded")).to_be_hidden()
        expect(other.locator("#cancel")).to_have_text("Cancel the upload")
        expect(other.locator(".priority")).to_be_hidden()
    state_is(other, "queued")
    expect(other.locator("[data-step=uploading]")).to_have_class("done")
    expect(other.locator("#uploaded")).to_be_visible()
    expect(other.locator("#cancel")).to_have_text("Cancel the encoding")
    expect(other.locator("[data-field=speed]")).to_be_hidden()
    expect(lists.locator("#waiting .row")).to_have_count(1)
    expect(lists.locator("#uploading .row")).to_have_count(0)
    assert arrived(site, sender, film)


def test_cancelling_elsewhere_ends_the_upload(
    site: Site, visit: Visit, visitors: Callable[..., Visit], film: Path
) -> None:
    """Whoever sends it is told so and sends nothing more by itself; the job cannot be started again."""
    visit.expect_complaints("410", "net::ERR")
    sender, other = visit.page, visitors().page
    posts = created(sender)
    with slow_network(visit, bytes_per_second=SLOW // 4):
        begin(site, sender, film)
        open_from_row(site, sender, other)
        other.click("#cancel")
        state_is(other, "cancelled")
        expect(other.locator("[data-step=uploading]")).to_have_class("now cancelled")
        expect(other.locator("[data-field=headline]")).to_contain_text("before the whole file had come")
        expect(other.locator("#retry")).to_be_hidden()
        expect(other.locator("#another")).to_be_visible()
        message = sender.locator(".file.cancelled .file-message")
        expect(message).to_have_text("The upload was cancelled on another page. Nothing was kept.")
    expect(sender.locator(".file [data-field=open]")).to_be_hidden()
    wait_until(lambda: list(site.web.services.objects.keys("")) == [], what="a store without the upload")
    assert (len(posts), remembered(sender)) == (1, 0)
    sender.click(".file [data-field=retry]")
    assert arrived(site, sender, film)
    assert len(posts) == 2


def test_an_upload_of_an_earlier_visit_that_was_cancelled_begins_anew(site: Site, visit: Visit, film: Path) -> None:
    """Whoever chooses the file again wants it uploaded."""
    visit.expect_complaints("410")
    page = visit.page
    posts = created(page)
    with slow_network(visit, bytes_per_second=SLOW // 4):
        begin(site, page, film)
        page.click(".file [data-field=pause]")
        page.evaluate("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
    (job,) = site.jobs.page(owner="local", state=JobState.UPLOADING, limit=9, cursor=None).jobs
    page.route("**/api/uploads/*", lambda route: route.abort())  # so that the page cannot learn of it as it is loaded
    visit.expect_complaints("410", "net::ERR")
    page.reload()
    page.unroute("**/api/uploads/*")
    page.request.post(f"{site.url}/api/jobs/{job.id}/cancel")
    page.set_input_files("#file", film)
    page.click("#send")
    assert arrived(site, page, film)
    assert len(posts) == 2


def test_a_sender_that_is_gone_is_told_of(site: Site, visit: Visit) -> None:
    """The page says that nothing comes; when the upload is given up, it says why and what to do."""
    job = scenes.add_upload(site)
    page = visit.page
    page.goto(f"{site.url}/jobs/{job.id}")
    expect(page.locator("[data-field=headline]")).to_have_text("4.3 MB of 12.3 MB has come")
    (known,) = site.jobs.open_uploads()
    site.jobs.note_upload(type(known)(known.id, known.client, known.size, known.left, known.at - 70))
    expect(page.locator("[data-field=headline]")).to_contain_text("Nothing comes at the moment.")
    scenes.fail(site, job, "upload_expired")
    state_is(page, "failed")
    expect(page.locator("[data-field=advice]")).to_have_text("Upload the file again.")
    expect(page.locator("#retry")).to_be_hidden()
    expect(page.locator("#another")).to_be_visible()
