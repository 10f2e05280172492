"""Recent jobs and the queue in a real browser: live, in order, and with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import expect

from storage.jobs import JobState
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from web.events import RECENT_JOBS


def test_empty_list_says_what_to_do(site: Site, visit: Visit) -> None:
    """A fresh installation says that there is nothing yet; the first job takes the place of the words."""
    visit.page.goto(site.url)
    expect(visit.page.locator("#no-jobs")).to_contain_text("No videos yet")
    scenes.add_job(site, "The first")
    expect(visit.page.locator("#jobs .row-title")).to_have_text("The first")
    expect(visit.page.locator("#no-jobs")).to_be_hidden()


def test_recent_jobs_are_live(site: Site, visit: Visit) -> None:
    """New jobs come on top, states and progress move, deleted jobs leave; all without a reload."""
    old = scenes.add_job(site, "Old", created_at=time.time() - 60)
    visit.page.goto(site.url)
    new = scenes.add_job(site, "New")
    titles = visit.page.locator("#jobs .row-title")
    expect(titles).to_have_text(["New", "Old"])
    scenes.start(site, old)
    scenes.encode(site, old, 7)
    row = visit.page.locator(f"[data-job='{old.id}']")
    expect(row.locator("[data-field=state]")).to_have_attribute("data-state", "encoding")
    expect(row.locator("[data-field=percent]")).to_have_text("49%")
    expect(row.locator("progress")).to_have_attribute("value", "0.495")
    site.jobs.delete(new.id)
    expect(titles).to_have_text(["Old"])


def test_older_jobs_come_on_demand(site: Site, visit: Visit) -> None:
    """The button shows older jobs page by page and goes away after the last."""
    for age in range(RECENT_JOBS * 2 + 3):
        scenes.add_job(site, f"Film {age}", created_at=time.time() - age * 60)
    visit.page.goto(site.url)
    titles = visit.page.locator("#jobs .row-title")
    expect(titles).to_have_count(RECENT_JOBS)
    visit.page.click("#more")
    expect(titles).to_have_count(RECENT_JOBS * 2)
    visit.page.click("#more")
    expect(titles).to_have_text([f"Film {age}" for age in range(RECENT_JOBS * 2 + 3)])
    expect(visit.page.locator("#more")).to_be_hidden()


def test_queue_shows_who_is_next(site: Site, visit: Visit) -> None:
    """The queue's page moves jobs from waiting to active, keeps the places true and forgets finished ones."""
    first, second, third = (
        scenes.add_job(site, title, created_at=time.time() - age) for title, age in (("A", 9), ("B", 6), ("C", 3))
    )
    visit.page.goto(f"{site.url}/queue")
    waiting, active = visit.page.locator("#waiting"), visit.page.locator("#active")
    expect(waiting.locator(".row-title")).to_have_text(["A", "B", "C"])
    expect(waiting.locator("[data-field=headline]")).to_have_text(["Next in line", "Second in line", "Third in line"])
    expect(visit.page.locator("#no-active")).to_be_visible()
    scenes.start(site, first)
    scenes.encode(site, first, 7)
    expect(active.locator(".row-title")).to_have_text(["A"])
    expect(waiting.locator("[data-field=headline]")).to_have_text(["Next in line", "Second in line"])
    expect(visit.page.locator("dd[data-field=waiting]")).to_have_text("2")
    site.jobs.move(first.id, JobState.CANCELLED)
    expect(visit.page.locator("#no-active")).to_be_visible()
    site.jobs.move(second.id, JobState.CANCELLED)
    site.jobs.delete(third.id)
    expect(visit.page.locator("#no-waiting")).to_be_visible()


def test_lists_need_no_scripts(site: Site, visitors: Callable[..., Visit]) -> None:
    """Without JavaScript both lists show the jobs as they are, each leading to its page."""
    jobs = scenes.in_every_state(site)
    page = visitors(java_script_enabled=False).page
    page.goto(site.url)
    expect(page.locator("#jobs .row")).to_have_count(len(jobs))
    page.goto(f"{site.url}/queue")
    expect(page.locator("#active .row")).to_have_count(3)
    expect(page.locator("#waiting .row")).to_have_count(1)
    page.click("#waiting .row")
    expect(page).to_have_url(f"{site.url}/jobs/{jobs['queued'].id}")
