"""The panel of subtitles on a job's page: what there is, adding, replacing and deleting, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, Route, expect

from storage.model.job import Job
from tests.e2e import scenes
from tests.e2e.browser import Site, Visit
from tests.e2e.tracks import give_subtitles, subtitle, tell

PHONE = {"width": 375, "height": 812}
FILE: FilePayload = {
    "name": "film.srt",
    "mimeType": "application/x-subrip",
    "buffer": b"1\n00:00:01,000 --> 00:00:02,000\nHi\n",
}


@pytest.fixture
def ready(site: Site) -> Job:
    """Give a ready job."""
    return scenes.add_ready(site)


@pytest.fixture
def told(site: Site, ready: Job) -> dict[str, Any]:
    """Give what the site tells of the job's tracks; tests change it."""
    from_file = subtitle(ready, "0", "en", "English (SDH)", sdh=True)
    tracks: dict[str, Any] = {"audio": [], "subtitles": [from_file], "chapters": []}
    tell(site, tracks)
    return tracks


def open_job(site: Site, visit: Visit, job: Job) -> Page:
    """Open the job's page, whose captions all say the same."""
    visit.expect_complaints("422")
    give_subtitles(visit, {"0": "A door.", "1": "Eine Tür."})
    visit.page.goto(f"{site.url}/jobs/{job.id}")
    return visit.page


def test_subtitles_are_added_replaced_and_deleted(site: Site, visit: Visit, ready: Job, told: dict[str, Any]) -> None:
    """Each request says what the visitor chose, and list and menu show what became of it, without a reload."""
    requests: list[tuple[str, str, bytes | None]] = []

    def answer(route: Route) -> None:
        request = route.request
        requests.append((request.method, request.url.rpartition("/")[2], request.post_data_buffer))
        added = subtitle(ready, "1", "de", "German", forced=True, origin="added")
        told["subtitles"] = told["subtitles"][:1] + ([] if request.method == "DELETE" else [added])
        route.fulfill(status=204)

    page = open_job(site, visit, ready)
    visit.context.route(re.compile("/api/jobs/[0-9a-f]{32}/subtitles"), answer)
    panel = page.get_by_role("region", name="Subtitles", exact=True)
    rows = panel.locator("li")
    expect(rows).to_contain_text(["For the deaf and hard of hearing · from the video's file"])
    expect(rows.get_by_role("button")).to_have_count(0)
    download = rows.get_by_role("link", name="Download the subtitles English (SDH)")
    expect(download).to_have_attribute("href", f"/media/{ready.id}/subtitles/0.vtt?download")
    panel.get_by_text("Add subtitles").click()
    panel.get_by_label("File (SRT, WebVTT, ASS, TTML)").set_input_files([FILE])
    panel.get_by_role("combobox", name="Language").select_option("de")
    panel.get_by_label("Only foreign speech (forced)").check()
    panel.get_by_role("button", name="Add").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("Only foreign speech · added")
    expect(page.get_by_role("combobox", name="Captions", exact=True).locator("option")).to_have_count(3)
    with page.expect_file_chooser() as chosen:
        rows.get_by_role("button", name="Replace the subtitles German (forced)").click()
    chosen.value.set_files([FILE])
    rows.get_by_role("button", name="Delete the subtitles German (forced)").click()
    page.get_by_role("button", name="Keep them").click()
    expect(rows).to_have_count(2)
    rows.get_by_role("button", name="Delete the subtitles German (forced)").click()
    page.locator("#confirm-subtitles").get_by_role("button", name="Delete for good").click()
    expect(rows).to_have_count(1)
    wanted = "?language=de&label=&default=false&forced=true&sdh=false"
    assert requests == [
        ("POST", f"subtitles{wanted}", FILE["buffer"]),
        ("PUT", f"1{wanted}", FILE["buffer"]),
        ("DELETE", "1", None),
    ]


@pytest.mark.usefixtures("told")
def test_a_refusal_is_said_beside_the_form(site: Site, visit: Visit, ready: Job) -> None:
    """The server's sentence stands in the panel, what was chosen stays chosen, and another try is possible."""
    page = open_job(site, visit, ready)
    problem = {"code": "subtitles_unreadable", "detail": "This file holds no subtitles."}
    visit.context.route(re.compile("/subtitles[?]"), lambda route: route.fulfill(status=422, json=problem))
    page.get_by_text("Add subtitles").click()
    panel = page.locator("#subtitles")
    panel.get_by_label("File (SRT, WebVTT, ASS, TTML)").set_input_files([FILE])
    add = panel.get_by_role("button", name="Add")
    add.click()
    expect(panel.get_by_role("alert")).to_contain_text("That did not work: This file holds no subtitles.")
    expect(add).to_be_enabled()
    assert panel.locator("input[name=file]").evaluate("it => it.files.length") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_is_for_everybody(
    site: Site, visitors: Callable[..., Visit], ready: Job, told: dict[str, Any], scheme: str
) -> None:
    """On a Korean phone no rule of axe is broken with the form open, and nothing scrolls sideways."""
    told["subtitles"].append(subtitle(ready, "1", "de", scenes.HOSTILE, title=scenes.HOSTILE, origin="added"))
    page = open_job(site, visitors(viewport=PHONE, locale="ko-KR", color_scheme=scheme), ready)
    page.get_by_text("자막 추가").click()
    expect(page.locator("#subtitles li").first).to_contain_text("영어(청각 장애인용)")
    expect(page.locator("#subtitles li").nth(1)).to_contain_text(scenes.HOSTILE)
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
