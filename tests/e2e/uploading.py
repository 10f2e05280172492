"""Uploads of the page, as its tests begin them and look at what came of them."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from storage.objects import keys
from tests.e2e.browser import Site

JOB_PAGE = re.compile(r"/jobs/[0-9a-f]{32}$")
MEGABYTE = 1_000_000
SLOW = MEGABYTE // 2  # bytes per second: a film takes long enough to do something meanwhile


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
