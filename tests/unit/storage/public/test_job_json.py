"""A job's public JSON has what docs/design.md#http promises, in every state."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from storage.model.job import FailedAttempt, JobError, JobState, Output
from storage.model.job_warnings import warning
from storage.model.loudness import Loudness, Measured
from storage.public.job_json import job_json, timestamp
from storage.scheduling.forecast import Forecast
from tests.support.jobs import SOUND, make_job, make_plan

PROMISED = {
    "id", "state", "title", "size", "created_at", "started_at", "finished_at", "progress", "eta_seconds",
    "starts_in_seconds", "promise",
    "queue_position", "rungs", "hls_url", "poster_url", "storyboard_url", "warnings", "error",
}  # fmt: skip


UNHEARD: dict[str, object] = {"loudness": None}  # nothing was measured


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("plan", [None, make_plan()])
def test_every_state_has_the_same_keys(state: JobState, plan: Any) -> None:
    """All promised keys are there in all states, and the whole is JSON."""
    public = job_json(make_job(state=state, plan=plan))
    assert public.keys() >= PROMISED
    assert json.loads(json.dumps(public)) == public


def test_rungs_come_with_the_plan() -> None:
    """There are no rungs before planning, and the plan's after."""
    assert job_json(make_job())["rungs"] == []
    rungs = job_json(make_job(state=JobState.ENCODING, plan=make_plan()))["rungs"]
    assert [(rung["name"], rung["state"], rung["url"]) for rung in rungs] == [
        ("1080p", "waiting", None),
        ("480p", "waiting", None),
    ]


def test_a_ready_job_offers_what_was_made() -> None:
    """Only an output that was made has a URL and a size."""
    job = make_job(state=JobState.READY, plan=make_plan(), outputs=(Output("480p", 77),), has_poster=True)
    public = job_json(job)
    assert [(rung["url"], rung["size"], rung["progress"]) for rung in public["rungs"]] == [
        (None, None, 1.0),
        (f"/media/{job.id}/480p.mp4", 77, 1.0),
    ]
    assert public["poster_url"] == f"/media/{job.id}/poster.jpg"
    assert public["storyboard_url"] is None
    assert job_json(replace(job, has_storyboard=True))["storyboard_url"] == f"/media/{job.id}/storyboard.vtt"
    assert public["links"]["cancel"] is None


@pytest.mark.parametrize("state", list(JobState))
def test_a_job_can_be_watched_from_its_first_segment_on(state: JobState) -> None:
    """The playlist has a URL as soon as it exists, also before the last byte, but not where a job ended without one."""
    watched = state not in {JobState.FAILED, JobState.CANCELLED}
    job = make_job(state=state, plan=make_plan(), playable=True)
    assert job_json(job)["hls_url"] == (f"/media/{job.id}/hls/master.m3u8" if watched else None)
    assert job_json(replace(job, playable=False))["hls_url"] is None


def test_warnings_of_plan_and_job_appear_once() -> None:
    """A warning that stands in both places is shown once, the plan's first."""
    planned = make_plan()
    job = make_job(state=JobState.READY, plan=planned, warnings=(warning("not_cut"), *planned.warnings))
    assert job_json(job)["warnings"] == [
        {"code": "audio_left_out", "message": "Audio tracks left out: 2.", "values": {"n": 2}},
        {"code": "not_cut", "message": "This file cannot be cut safely, so it was encoded in one piece.", "values": {}},
    ]


def test_tracks_of_sound_come_with_the_plan() -> None:
    """The first is the default one; what could not be decoded is not offered."""
    tracks = (
        replace(SOUND, language="de", surround_bitrate=9),
        replace(SOUND, language="en", title="Talk", role="comment", channels=1),
    )
    measured = (
        Measured("audio", Loudness(-20.0, 4.0, -2.0), 1.5),
        Measured("audio-surround", Loudness(-21.0, 5.0, -3.0), 2.5),
    )
    job = make_job(state=JobState.READY, plan=replace(make_plan(), audio=tracks), measured=measured)
    as_it_came = {"integrated": -21.0, "range": 5.0, "true_peak": -3.0, "gain": 1.5, "lacks": 0.0}
    german = {"name": "audio", "label": "German", "language": "de", "title": "", "channels": [2, 6]}
    talk = {"name": "audio-1", "label": "English, Talk", "language": "en", "title": "Talk", "channels": [1], **UNHEARD}
    assert job_json(job)["audio"] == [{**german, "default": True, "loudness": as_it_came}, {**talk, "default": False}]
    assert job_json(replace(job, loudness=-16))["audio"][0]["loudness"] == {**as_it_came, "lacks": 2.5}
    lost = warning("audio_undecodable", number=1, label="German")
    assert job_json(replace(job, warnings=(lost,)))["audio"] == [{**talk, "default": True}]
    assert job_json(replace(job, warnings=(warning("sound_undecodable"),)))["audio"] == []
    assert job_json(make_job())["audio"] == []


def test_a_failed_job_says_why_and_can_be_retried() -> None:
    """Code, sentence, detail and numbers are passed on."""
    job = make_job(state=JobState.FAILED, error=JobError("too_long", "Too long.", "last lines", {"limit": 720.0}))
    public = job_json(job)
    assert public["error"] == {
        "code": "too_long",
        "message": "Too long.",
        "detail": "last lines",
        "values": {"limit": 720.0},
    }
    assert public["links"]["retry"] == f"/api/jobs/{job.id}/retry"


def test_failed_attempts_say_where_when_and_why() -> None:
    """They are there whatever came of the job."""
    failed = FailedAttempt("segment:3", "big-host.lan_812_00ff00ff", 0.25, "worker_lost", "It was killed.")
    assert job_json(make_job(failed_attempts=(failed,)))["failed_attempts"] == [
        {
            "task": "segment:3",
            "worker": "big-host.lan:812",
            "at": "1970-01-01T00:00:00.250Z",
            "code": "worker_lost",
            "message": "It was killed.",
        }
    ]


def test_times_are_rfc_3339_in_utc() -> None:
    """Unix seconds become UTC with milliseconds and a Z."""
    assert timestamp(0.25) == "1970-01-01T00:00:00.250Z"


def test_an_estimate_is_whole_seconds_and_never_zero() -> None:
    """What is not ready yet takes at least a second."""
    shown = job_json(make_job(), forecast=Forecast(start=0.2, ready=12.4))
    assert (shown["starts_in_seconds"], shown["eta_seconds"]) == (1, 12)
    begun = job_json(make_job(begun_at=5.0), forecast=Forecast(start=0.0, ready=0.0))
    assert (begun["starts_in_seconds"], begun["eta_seconds"]) == (None, 1)
    assert job_json(make_job(), position=3)["queue_position"] == 3
