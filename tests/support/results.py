"""What was made of a job: its objects in a local store, their names, and what a player would find in them."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from storage.model.job import Job
from storage.model.plan import sound_name
from storage.objects import keys
from storage.services import Services
from tests.support.looking import Looked

ALWAYS = frozenset({"poster.jpg", "storyboard.jpg", "storyboard.vtt", "report.json"})  # beside rungs and fragments


def made(services: Services, job: Job, name: str) -> Path:
    """Return the file of one made object."""
    path = services.objects.local_path(keys.rendition(job.id, name))
    assert path is not None
    return path


def report(services: Services, job: Job) -> dict[str, Any]:
    """Return the job's report."""
    answer: dict[str, Any] = json.loads(made(services, job, "report.json").read_bytes())
    return answer


def names(services: Services, job: Job) -> set[str]:
    """Return the names of all that was made for the job."""
    prefix = keys.renditions(job.id)
    return {key.removeprefix(prefix) for key in services.objects.keys(prefix)}


def digests(services: Services, job_id: str) -> dict[str, str]:
    """Return a digest of everything that was made of a job, by its name; not of the report, which has times."""
    prefix = keys.renditions(job_id)
    made = [key for key in services.objects.keys(prefix) if not key.endswith("report.json")]
    return {key.removeprefix(prefix): hashlib.sha256(b"".join(services.objects.read(key))).hexdigest() for key in made}


def fragments(job: Job, rungs: tuple[str, ...], *, audio_parts: int = 1, sounds: int = 1) -> set[str]:
    """Return the names of everything that a player fetches of the job: nothing more and nothing less is to be there."""
    assert job.plan is not None
    tracks = [sound_name(number) for number in range(sounds)]
    parts = dict.fromkeys(rungs, job.plan.segment_count) | dict.fromkeys(tracks, audio_parts)
    made = {keys.segment(job.id, track, index) for track, count in parts.items() for index in range(count)}
    made |= {keys.init(job.id, track) for track in parts}
    playlists = {"hls/master.m3u8", *(f"hls/{track}/index.m3u8" for track in parts)}
    return playlists | {key.removeprefix(keys.renditions(job.id)) for key in made}


def assert_whole(looked: Looked, *, frames: int, rate: Fraction, audio: bool) -> None:
    """Fail unless the MP4 has exactly these frames and length, and sound of the same length to a frame, or none."""
    assert looked.frames == frames
    assert Fraction(looked.streams["video"]["avg_frame_rate"]) == rate
    assert looked.seconds("video") == pytest.approx(float(frames / rate), abs=0.0005)
    assert ("audio" in looked.streams) is audio
    if audio:
        assert looked.seconds("audio") == pytest.approx(float(frames / rate), abs=float(1 / rate))
