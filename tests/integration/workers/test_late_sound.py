"""A track of sound that begins late: nobody waits for it, and it is to the byte what it would have been."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.model.task import sounds_of
from storage.public.hls import MASTER, playlist
from storage.services import Services
from storage.services.playing import playing
from storage.settings import Settings
from tests.support.coming import SLOTS, Coming, split
from tests.support.driving import drive
from tests.support.results import digests, made
from tests.support.tracks import Tone, heard_tone, make_tracks
from workers.stages import silence_ahead

LATE = 24.0
TONES = [Tone(400, "eng", disposition="default"), Tone(800, "kor", begins=LATE)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a film with a second language that begins near its end; its index is last."""
    return make_tracks(tmp_path_factory.mktemp("late") / "film.mp4", TONES, seconds=30)


def test_nobody_waits_for_sound_that_begins_late(
    film: Path, own_services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be chosen before its first packet has even come, and is silent up to it."""
    own_services.jobs.announce("worker", SLOTS, seconds=600.0)
    with monkeypatch.context() as patched:
        patched.setattr(silence_ahead, "LATE_SECONDS", 10_000)
        read = drive(own_services, settings, film)
    coming = Coming(own_services, settings, *split(film))
    coming.send(0.5)
    played = playing(own_services.jobs, own_services.jobs.get(coming.upload.id))
    assert played is not None
    plan, results = played
    assert [audio.silent_seconds for audio in plan.audio] == [0, LATE - 1]  # an encoder's run-in stands ahead
    assert len(sounds_of(results)["audio-1"]["parts"]) > 1
    assert 'LANGUAGE="ko"' in (playlist(MASTER, plan, results, ended=False) or "")
    job = coming.end()
    assert (job.state, job.error) == (JobState.READY, None)
    assert heard_tone(made(own_services, job, "180p.mp4"), 1) == pytest.approx((800, LATE), abs=10)
    assert heard_tone(made(own_services, job, "180p.mp4"), 1)[1] == pytest.approx(LATE, abs=0.1)
    assert digests(own_services, job.id) == digests(own_services, read.id)


def test_silence_that_is_not_the_sounds_is_replaced(
    film: Path, own_services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a track begins before its packets said so, nothing of it is lost."""
    whole = drive(own_services, settings, film)
    monkeypatch.setattr(silence_ahead, "seconds_ahead", lambda *_: int(LATE) + 4)
    job = drive(own_services, settings, film)
    assert digests(own_services, job.id) == digests(own_services, whole.id)
