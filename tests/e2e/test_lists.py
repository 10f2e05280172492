"""Recent jobs and the queue in a real browser: live, in order, and with an end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from storage.job_store.queue_contract import Pause
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.scheduling.queue_rates import SAMPLE_SECONDS
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.support.jobs import claim
from tests.support.samples import EMPTY
from web.schemas.jobs import RECENT_JOBS


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
    expect(waiting.locator("[data-field=headline]")).to_have_text(
        [re.compile(f"^{place} in line, .*ready in about") for place in ("Next", "Second", "Third")]
    )
    expect(visit.page.locator("#no-active")).to_be_visible()
    scenes.start(site, first)
    scenes.encode(site, first, 7)
    expect(active.locator(".row-title")).to_have_text(["A"])
    expect(waiting.locator("[data-field=headline]")).to_have_text(
        [re.compile("Next in line"), re.compile("Second in line")]
    )
    expect(visit.page.locator("[data-field=figure-waiting]")).to_have_text("2")
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
    expect(page.locator("#uploading .row")).to_contain_text("4.3 MB of 12.3 MB has come")
    page.click("#waiting .row")
    expect(page).to_have_url(f"{site.url}/jobs/{jobs['queued'].id}")


def test_queue_shows_its_rates_and_its_last_hour(make_site: Callable[..., Site], visit: Visit) -> None:
    """Figures, plots, machines with their tasks, and that uploads are refused, all without a reload."""
    site = make_site(encoders=1, admission_max_wait_seconds=60)
    visit.page.goto(f"{site.url}/queue")
    expect(visit.page.locator("#admission")).to_contain_text("Uploads are accepted")
    expect(visit.page.locator("#no-workers")).to_be_visible()
    site.jobs.announce("encoder:7", 1, seconds=600)
    job = scenes.add_job(site, "A film", size=200_000_000)
    now = time.time()
    for number in range(3):
        sample = replace(EMPTY, at=now + number * SAMPLE_SECONDS, running=1, arrived=number)
        site.jobs.record_sample(sample)
    claim(site.jobs, Task(job.id, Stage.PLAN), "encoder_9_abc")
    page = visit.page
    expect(page.locator("#admission")).to_contain_text("There will be room in about")
    expect(page.locator("#workers .tasks a")).to_have_text("looks at A film")
    expect(page.locator("[data-field=figure-arrivals]")).to_have_text("360 per hour")
    expect(page.locator("[data-field=figure-wait]")).to_contain_text("minutes")
    expect(page.locator("#plot-wait canvas")).to_be_visible()
    expect(page.locator("#no-history")).to_be_hidden()


CLOSED = "지금은 업로드를 받지 않습니다. 대기열이 가득 찼습니다."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_closed_queue_is_told_in_korean(
    make_site: Callable[..., Site], visitors: Callable[..., Visit], scheme: str
) -> None:
    """Why uploads are refused, at the first look and without a reload, and nothing of a server that is away."""
    site = make_site(encoders=1, admission_max_wait_seconds=60)
    site.jobs.announce("encoder:7", 1, seconds=600)
    page = visitors(locale="ko-KR", color_scheme=scheme).page
    page.goto(f"{site.url}/queue")
    expect(page.locator("#admission")).to_contain_text("업로드를 받습니다")
    scenes.add_job(site, "A film", size=200_000_000)
    expect(page.locator("#admission")).to_contain_text(CLOSED)
    answer = page.goto(f"{site.url}/queue")
    assert answer is not None
    assert answer.status == 200
    expect(page.locator("#admission")).to_contain_text(CLOSED)
    expect(page.locator("[data-field=live-note]")).to_be_hidden()


def test_queue_says_why_a_machine_pauses(site: Site, visit: Visit) -> None:
    """In the place of its slots, at the first look and without a reload; and its slots again afterwards."""
    site.jobs.announce("encoder:7", 0, seconds=600, pause=Pause.SCRATCH)
    visit.page.goto(f"{site.url}/queue")
    load = visit.page.locator("#workers [data-field=load]")
    expect(load).to_have_text("paused: scratch disk is nearly full")
    site.jobs.announce("encoder:7", 0, seconds=600, pause=Pause.OVERLOAD)
    expect(load).to_have_text("paused: the machine is overloaded")
    site.jobs.announce("encoder:7", 2, seconds=600)
    expect(load).to_have_text("0 of 2")
