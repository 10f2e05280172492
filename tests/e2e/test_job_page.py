"""The page of a job in a real browser: live without a reload, also without events, safe with hostile titles."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from storage.errors import JobNotFoundError
from storage.model.job import Changes, JobError, JobState
from storage.model.job_warnings import JobWarning, warning
from storage.objects import keys
from storage.objects.manifests import Manifest, put_manifest
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.support.jobs import make_segments
from tests.support.waiting import wait_until
from web.routes.events import HEARTBEAT_SECONDS

SAME_PAGE = "window.samePage === true"
PLAYS_480P_ON = "it => it.currentSrc.endsWith('480p.mp4') && it.readyState >= 2 && !it.paused && it.currentTime > 2"


def open_job(site: Site, visit: Visit, job_id: str) -> Page:
    """Open the job's page and mark it, so that a reload would show."""
    visit.page.goto(f"{site.url}/jobs/{job_id}")
    visit.page.evaluate("window.samePage = true")
    return visit.page


def now_at(page: Page, step: str) -> None:
    """Expect the stepper to stand at this step."""
    expect(page.locator("[aria-current=step]")).to_have_attribute("data-step", step)


def test_job_behind_others_says_when(make_site: Callable[..., Site], visit: Visit) -> None:
    """It says when it starts and when it is ready, and later sooner, without a reload."""
    site = make_site(encoders=1)
    ahead = [scenes.add_job(site, f"Film {number}", size=20_000_000) for number in range(5)]
    job = scenes.add_job(site, "Mine", created_at=time.time() + 1)
    page = open_job(site, visit, job.id)
    headline = page.locator("[data-field=headline]")
    expect(headline).to_have_text(re.compile(r"Number 6 in line, starts in about \d+ seconds, ready in about \d+ .+"))
    for other in ahead:
        site.jobs.move(other.id, JobState.CANCELLED)
    heartbeats = 3 * HEARTBEAT_SECONDS * 1000
    expect(headline).to_have_text(re.compile(r"Next in line, .*ready in about \d+ seconds"), timeout=heartbeats)
    assert page.evaluate(SAME_PAGE)


def test_job_is_followed_live_from_the_queue_to_the_player(site: Site, visit: Visit) -> None:
    """Every state shows up by itself: place, plan, progress of each rung, then player and downloads, with no reload."""
    first, job = scenes.add_job(site, "First"), scenes.add_job(site, "Second")
    page = open_job(site, visit, job.id)
    now_at(page, "queued")
    expect(page.locator("[data-field=headline]")).to_have_text(
        re.compile(r"Second in line, .*ready in about \d+ seconds")
    )
    site.jobs.move(first.id, JobState.CANCELLED)
    scenes.start(site, job)
    now_at(page, "encoding")
    expect(page.locator("[data-field=plan]")).to_have_text(
        "1920 × 1080 H.264 at 24 frames per second, 56 seconds, no sound → 1080p, 720p, 480p"  # noqa: RUF001
    )
    scenes.encode(site, job, 7)
    expect(page.locator("[data-field=percent]").first).to_have_text("49%")
    expect(page.locator("#rungs progress")).to_have_count(3)
    expect(page.locator("#rungs [data-field=percent]")).to_have_text(["50%"] * 3)
    expect(page).to_have_title("49% · Second · Rungs")
    # Announced at each quarter, with what was known first beyond it.
    expect(page.locator("#announcement")).to_contain_text(re.compile(r"Encoding, (2[5-9]|[34]\d)%"))
    scenes.finish(site, job)
    now_at(page, "ready")
    expect(page.locator("#player")).to_be_visible()
    expect(page.locator("#rungs a")).to_have_count(3)
    expect(page.locator("#uploaded")).to_be_hidden()
    expect(page).to_have_title("Ready · Second · Rungs")
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile("favicon-ready"))
    assert page.evaluate(SAME_PAGE)


def test_page_polls_when_events_do_not_come(make_site: Callable[..., Site], visit: Visit) -> None:
    """When the event stream is refused the page says so, asks every few seconds, and reaches the end all the same."""
    site = make_site(web_threads=8)
    visit.expect_complaints("503")
    job = scenes.add_job(site)
    with ExitStack() as watchers:
        for _ in range(6):
            watchers.enter_context(site.web.hub.watch(None))
        page = open_job(site, visit, job.id)
        expect(page.locator("[data-field=live-note]")).to_contain_text(
            "This page now asks the server every few seconds"
        )
        scenes.start(site, job)
        scenes.encode(site, job, 7)
        now_at(page, "encoding")
        expect(page.locator("#rungs [data-field=percent]")).to_have_text(["50%"] * 3)
        scenes.fail(site, job)
        expect(page.locator("#failure")).to_be_visible()
        expect(page.locator("[data-field=live-note]")).to_be_hidden()
    assert page.evaluate(SAME_PAGE)


def test_page_says_when_the_server_is_away_and_recovers(site: Site, visit: Visit) -> None:
    """A server that cannot be reached is told, and the page catches up when it is back."""
    visit.expect_complaints("ERR_INTERNET_DISCONNECTED")
    job = scenes.add_job(site)
    page = open_job(site, visit, job.id)
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    visit.context.set_offline(True)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("[data-field=live-note]")).to_contain_text("cannot be reached")
    visit.context.set_offline(False)
    scenes.start(site, job)
    now_at(page, "encoding")


def test_hostile_title_is_text(site: Site, visit: Visit) -> None:
    """A title that is markup is shown letter by letter, before and after scripts have touched it."""
    job = scenes.add_job(site, scenes.HOSTILE)
    page = open_job(site, visit, job.id)
    expect(page.locator("h1")).to_have_text(scenes.HOSTILE)
    scenes.start(site, job)
    now_at(page, "encoding")
    expect(page.locator("h1")).to_have_text(scenes.HOSTILE)
    assert page.evaluate("document.querySelectorAll('h1 *').length") == 0
    page.goto(site.url)
    expect(page.locator(".row-title")).to_have_text(scenes.HOSTILE)
    assert page.evaluate("document.querySelectorAll('.row-title *').length") == 0


def test_player_keeps_its_place_when_the_rung_changes(site: Site, visit: Visit) -> None:
    """Another rung plays on from where the last one was, and playing goes on."""
    job = scenes.add_job(site)
    scenes.start(site, job)
    scenes.finish(site, job)
    page = open_job(site, visit, job.id)
    player = page.locator("#player")
    wait_until(lambda: player.evaluate("it => it.readyState") >= 1, what="the player")
    player.evaluate("it => { it.muted = true; it.currentTime = 2; it.play(); }")
    wait_until(lambda: player.evaluate("it => it.currentTime") > 2, what="playing")
    page.locator("#switch input[value='480p']").check()
    wait_until(lambda: player.evaluate(PLAYS_480P_ON), what="playing on as 480p")
    assert player.evaluate("it => it.videoHeight") == 480 // 8 * 2


def test_picture_area_never_moves_the_page(site: Site, visit: Visit) -> None:
    """The player's place is reserved: what stands below it stays where it is while poster and player come."""
    job = scenes.add_job(site)
    scenes.start(site, job)
    page = open_job(site, visit, job.id)
    before = page.locator("#picture").bounding_box()
    scenes.finish(site, job)
    expect(page.locator("#player")).to_be_visible()
    after = page.locator("#picture").bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] == before["height"]
    assert abs(after["width"] / after["height"] - 16 / 9) < 0.01


def test_failure_says_why_and_what_next(site: Site, visit: Visit) -> None:
    """A failed job shows one sentence, what to do, and the tool's last lines on demand."""
    job = scenes.add_job(site)
    scenes.fail(site, job)
    page = open_job(site, visit, job.id)
    failure = page.locator("#failure")
    expect(failure).to_contain_text("This video is damaged.")
    expect(failure).to_contain_text("Trying again would not help.")
    expect(failure.locator("pre")).to_be_hidden()
    failure.locator("summary").click()
    expect(failure.locator("pre")).to_contain_text("error while decoding MB 30 12")
    expect(page.locator("#another")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        (
            "en-US",
            ["Audio tracks left out: 2.", "The file is damaged: only 1.5 s of 1,204 s of pictures could be decoded."],
        ),
        ("ko-KR", ["제외한 오디오 트랙: 2개.", "파일이 손상되어 1,204초 중 1.5초의 영상만 디코딩할 수 있었습니다."]),
    ],
)
def test_warnings_are_in_the_language_of_the_page(
    site: Site, visitors: Callable[..., Visit], locale: str, expected: list[str]
) -> None:
    """What is worth knowing appears by itself and says the same after a reload; what has no text is shown as it is."""
    visit, job = visitors(locale=locale), scenes.add_job(site)
    site.jobs.move(job.id, JobState.PLANNING)
    page = open_job(site, visit, job.id)
    expect(page.locator("#warnings")).to_be_hidden()
    plan = scenes.a_plan()
    known = (warning("audio_left_out", n=2), warning("cut_short", done=1.5, whole=1204.0))
    changes = Changes(plan=plan, segments=make_segments(plan), warnings=(*known, JobWarning("later", "As it is.")))
    site.jobs.move(job.id, JobState.ENCODING, changes)
    items = page.locator("#warnings li")
    expect(items).to_have_text([*expected, "As it is."])
    page.reload()
    expect(items).to_have_text([*expected, "As it is."])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"minutes": 833.3, "limit": 720.0},
            "영상의 길이가 833.3분입니다. 이 서버에서는 720분까지 인코딩할 수 있습니다.",
        ),
        ({}, "It is too long."),
    ],
    ids=["numbers", "kept without them"],
)
def test_a_failure_is_said_with_its_numbers(
    site: Site, visitors: Callable[..., Visit], values: dict[str, float], expected: str
) -> None:
    """The reason is in the page's language, live and after a reload; kept without its numbers it is shown as it is."""
    visit, job = visitors(locale="ko-KR"), scenes.add_job(site)
    site.jobs.move(job.id, JobState.PLANNING)
    page = open_job(site, visit, job.id)
    site.jobs.move(job.id, JobState.FAILED, Changes(error=JobError("too_long", "It is too long.", values=values)))
    reason = page.locator("[data-field=reason]")
    expect(reason).to_have_text(expected)
    page.reload()
    expect(reason).to_have_text(expected)


def test_job_is_cancelled_and_tried_again(site: Site, visit: Visit) -> None:
    """Cancel and try again work from the page, and the page follows the job again afterwards."""
    job = scenes.add_job(site)
    put_manifest(site.web.services.objects, keys.manifest(job.id), Manifest(job=job))
    scenes.start(site, job)
    page = open_job(site, visit, job.id)
    page.click("#cancel")
    expect(page.locator("[data-field=state]")).to_have_attribute("data-state", "cancelled")
    page.click("#retry")
    expect(page.locator("[data-field=state]")).to_have_attribute("data-state", "queued")
    scenes.start(site, job)
    now_at(page, "encoding")


def test_action_that_is_refused_says_why(site: Site, visit: Visit) -> None:
    """A refused action is explained beside its button."""
    visit.expect_complaints("409")
    job = scenes.add_job(site)
    scenes.fail(site, job, "tool_failed")
    page = open_job(site, visit, job.id)
    page.click("#retry")
    expect(page.locator("#action-error")).to_contain_text("original of this job is gone")
    expect(page.locator("#retry")).to_be_enabled()


def test_a_full_queue_says_when_to_try_again(make_site: Callable[..., Site], visit: Visit) -> None:
    """Starting a job again is refused as an upload is, and the page has the time."""
    visit.expect_complaints("503")
    site = make_site(admission_max_wait_seconds=60, encoders=1)
    job = scenes.add_job(site)
    put_manifest(site.web.services.objects, keys.manifest(job.id), Manifest(job=job))
    scenes.fail(site, job)
    scenes.add_job(site, size=100_000_000)
    page = open_job(site, visit, job.id)
    page.click("#retry")
    expect(page.locator("#action-error")).to_contain_text("The queue is full")
    expect(page.locator("#action-error")).to_contain_text("Try again in")


def test_deleting_asks_first(site: Site, visit: Visit) -> None:
    """Delete opens a dialog that the keyboard can refuse; agreeing deletes the job and leads to the list."""
    job = scenes.add_job(site)
    scenes.fail(site, job)
    page = open_job(site, visit, job.id)
    page.click("#delete")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_hidden()
    assert site.jobs.get(job.id).state is JobState.FAILED
    page.click("#delete")
    page.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url(f"{site.url}/")
    with pytest.raises(JobNotFoundError):
        site.jobs.get(job.id)


def test_deletion_elsewhere_is_noticed(site: Site, visit: Visit) -> None:
    """A job deleted by somebody else says so and offers nothing more."""
    job = scenes.add_job(site)
    page = open_job(site, visit, job.id)
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    site.jobs.delete(job.id)
    expect(page.locator("#gone")).to_be_visible()
    expect(page.locator("#actions")).to_be_hidden()


def test_visitor_is_told_when_it_is_done(site: Site, visit: Visit) -> None:
    """Who asks for it gets one notification of the browser when the job ends."""
    visit.context.grant_permissions(["notifications"], origin=site.url)
    visit.page.add_init_script(
        "window.told = []; window.Notification = class extends Notification"
        " { constructor(words, options) { super(words, options); window.told.push(words); } };"
    )
    job = scenes.add_job(site, "Holiday")
    page = open_job(site, visit, job.id)
    page.click("#notify")
    expect(page.locator("#notify")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#notify-words")).to_contain_text("You will get a notification")
    scenes.start(site, job)
    scenes.finish(site, job)
    now_at(page, "ready")
    wait_until(lambda: page.evaluate("window.told") == ["Holiday is ready"], what="the notification")


def test_unknown_job_is_a_friendly_404(site: Site, visit: Visit) -> None:
    """An address without a job leads to a page in words, with a way on."""
    visit.expect_complaints("404")
    answer = visit.page.goto(f"{site.url}/jobs/{'0' * 32}")
    assert answer is not None
    assert answer.status == 404
    expect(visit.page.locator("h1")).to_have_text("There is no such job")
    visit.page.click("text=To the uploads")
    expect(visit.page).to_have_url(f"{site.url}/")


@pytest.mark.parametrize("state", [state.value for state in JobState])
def test_first_paint_needs_no_scripts(site: Site, visitors: Callable[..., Visit], state: str) -> None:
    """Without JavaScript each state is shown in words; unfinished jobs are loaded again by themselves."""
    job = scenes.in_every_state(site)[state]
    page = visitors(java_script_enabled=False).page
    page.goto(f"{site.url}/jobs/{job.id}")
    expect(page.locator("[data-field=state]")).to_have_attribute("data-state", state)
    expect(page.locator("[data-field=headline]")).not_to_be_empty()
    refresh = page.locator("meta[http-equiv=refresh]").count()
    assert refresh == (0 if JobState(state).finished else 1)
    expect(page.locator("#rungs a")).to_have_count(3 if state == "ready" else 0)
