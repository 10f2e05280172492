"""Every track of sound through the real stages: which tone is where, in HLS and in MP4, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.job_warnings import warning
from storage.model.plan import sound_name
from storage.services import Services
from storage.settings import Settings
from tests.support.clips import overwritten
from tests.support.driving import drive
from tests.support.looking import look
from tests.support.results import fragments, made, names
from tests.support.tracks import FOUR, Tone, heard_tone, make_tracks

RUNG = "180p"


def of_hls(services: Services, job: Job, number: int, target: Path) -> Path:
    """Write what a player fetches of a track into one file."""
    folder = made(services, job, f"hls/{sound_name(number)}/init.mp4").parent
    parts = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


@pytest.mark.parametrize(("suffix", "encoder"), [("mkv", "aac"), ("mp4", "aac"), ("ts", "mp2")])
def test_every_language_is_where_it_belongs(
    suffix: str, encoder: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Each with its tone, from its time on, and with its language; only the default one is enabled in an MP4."""
    job = drive(own_services, settings, make_tracks(tmp_path / f"four.{suffix}", encoder=encoder))
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    video = made(own_services, job, f"{RUNG}.mp4")
    sounds = look(video).sounds
    assert [sound["tags"]["language"] for sound in sounds] == ["eng", "deu", "kor", "eng"]
    assert [sound["disposition"]["default"] for sound in sounds] == [1, 0, 0, 0]
    for number, tone in enumerate(FOUR):
        expected = pytest.approx((tone.hertz, tone.begins), abs=0.05 * tone.hertz)
        for path, track in ((video, number), (of_hls(own_services, job, number, tmp_path / "track.mp4"), 0)):
            hertz, begins = heard_tone(path, track)
            assert (hertz, begins) == expected
            assert begins == pytest.approx(tone.begins, abs=0.1)
    assert names(own_services, job) >= fragments(job, (RUNG,), sounds=len(FOUR))


def test_a_track_that_cannot_be_decoded_costs_itself(
    own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """The others are there, and a warning names the one that is not."""
    whole = make_tracks(tmp_path / "whole.mp4", [Tone(400, "eng"), Tone(600, "ger"), Tone(800, "kor")])
    for stream, label, rest in ((2, "German", (400, 800)), (1, "English", (600, 800))):
        damaged = overwritten(whole, tmp_path / f"damaged{stream}.mp4", stream=stream, share=1.0)
        job = drive(own_services, settings, damaged)
        assert (job.state, job.error) == (JobState.READY, None)
        assert job.warnings == (warning("audio_undecodable", number=stream, label=label),)
        video = made(own_services, job, f"{RUNG}.mp4")
        assert [heard_tone(video, track)[0] for track in (0, 1)] == pytest.approx(rest, abs=5)
        assert len(look(video).sounds) == len(rest)
        lost = "hls/audio/" if stream == 1 else "hls/audio-1/"
        assert not [name for name in names(own_services, job) if name.startswith(lost)]
