"""How the command line writes what it was told."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState
from storage.model.upload import OpenUpload
from storage.public.job_json import job_json
from storage.scheduling.forecast import Forecast
from tests.support.jobs import make_job
from web.client import texts
from web.client.answers import SeenJob
from web.client.failures import Exit, refusal
from web.client.watching import LATER_SECONDS, SOON_SECONDS, pause


@given(st.text())
def test_no_terminal_obeys_what_is_plain(text: str) -> None:
    """Neither controls, nor turns of the reading direction, nor halves of characters are left; and it is one line."""
    shown = texts.plain(text)
    left = {unicodedata.category(sign) for sign in shown} - {"Cf"}
    assert not left & {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert {sign for sign in shown if unicodedata.category(sign) == "Cf"} <= {"\u200c", "\u200d"}
    shown.encode()


def test_what_people_write_stays() -> None:
    """Letters of all scripts, emoji that are joined, brackets."""
    for text in ("Ein Film: «日本» 🎬 [red]", "👩\u200d💻", "क\u200dष"):
        assert texts.plain(text) == text


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (12_345, "12 kB"), (12_345_678, "12.3 MB"), (5e15, "5000.0 TB")],
)
def test_sizes(count: float, words: str) -> None:
    """In decimal units."""
    assert texts.size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (59.4, "59 s"), (60, "1 min"), (95, "1 min 35 s"), (3600, "1 h"), (4800, "1 h 20 min")],
)
def test_durations(seconds: float, words: str) -> None:
    """The two largest units that matter."""
    assert texts.duration(seconds) == words


def test_nothing_is_whole_before_it_is() -> None:
    """Rounding does not finish anything."""
    assert (texts.percent(0.9999), texts.percent(1), texts.percent(-1)) == ("99 %", "100 %", "0 %")


def test_a_waiting_job_has_its_place_and_times() -> None:
    """As the job's JSON has them."""
    said = job_json(make_job(), position=3, forecast=Forecast(start=61.0, ready=125.0))
    seen = SeenJob.model_validate(said)
    assert texts.headline(seen) == ("queued, place 3 in the line, starts in about 1 min 1 s, ready in about 2 min 5 s")
    assert pause([seen]) == LATER_SECONDS
    assert pause([seen, SeenJob.model_validate(job_json(make_job()))]) == SOON_SECONDS


@pytest.mark.parametrize(
    ("length", "at", "words", "seconds"),
    [
        (10_000_000, 990.0, "uploading, 2.5 MB of 10.0 MB", SOON_SECONDS),
        (10_000_000, 10.0, "uploading, 2.5 MB of 10.0 MB, nothing comes at the moment", LATER_SECONDS),
        (None, 990.0, "uploading, 2.5 MB", SOON_SECONDS),
    ],
)
def test_an_uploading_job_says_how_much_has_come(length: int | None, at: float, words: str, seconds: float) -> None:
    """And whether more comes; a bar shows that, as far as the whole is known."""
    job = make_job(state=JobState.UPLOADING, incomplete=True, size=length or 0)
    upload = OpenUpload(job.id, "", 2_500_000, (length or 2_500_000) - 2_500_000, at)
    seen = SeenJob.model_validate(job_json(job, upload=upload, now=1000.0))
    assert (texts.headline(seen), seen.fraction) == (words, 0.25 if length else 0.0)
    assert pause([seen]) == seconds


@pytest.mark.parametrize(
    ("status", "exit_code"), [(404, Exit.NOT_FOUND), (410, Exit.NOT_FOUND), (409, Exit.REFUSED), (503, Exit.REFUSED)]
)
def test_refusals_have_their_codes(status: int, exit_code: Exit) -> None:
    """A status that HTTP does not know, too, and an answer that says nothing."""
    assert refusal(status, {}, None).exit == exit_code
    assert refusal(460, {"detail": 5, "code": None}, "x").told == {
        "code": "http_460",
        "detail": "The server answered with status 460 and did not say why.",
        "exit": 4,
        "status": 460,
        "retry_after": None,
    }


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("12", 12.0), ("0", 0.0), (None, None), ("-1", None), ("٣", None), ("9" * 99, 999_999_999.0)],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """Seconds, or nothing that is understood."""
    assert refusal(503, {}, header).retry_after == seconds
