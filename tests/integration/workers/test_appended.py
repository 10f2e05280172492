"""Recordings appended byte by byte (`cat a b`), through all stages: whole, or what is not read is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.services import Services
from storage.settings import Settings
from tests.support.coded_clips import H264, RATE, Clip, coded_clip
from tests.support.coded_results import decoded_ways
from tests.support.coded_truth import BEEP_TOLERANCE
from tests.support.driving import drive

SECONDS = 3
FURTHER, BEEPS = 500, 20  # further recordings begin at such numbers
MPEG4, MPEG2 = "-c:v mpeg4 -g 25 -c:a mp3", "-c:v mpeg2video -g 12 -c:a mp2"
READ_THROUGH = {
    "flv": f"{H264} -c:a aac",
    "mkv": f"{H264} -c:a aac",
    "ts": f"{H264} -c:a aac",
    "webm": "-c:v libvpx -g 25 -deadline realtime -c:a libopus",
    "live.webm": "-c:v libvpx -g 25 -deadline realtime -c:a libopus -live 1",
    "mpg": MPEG2,
    "avi": MPEG4,
    "ivf": "-c:v libvpx -g 25 -deadline realtime -an",
}
ONLY_THE_FIRST = {
    "mp4": f"{H264} -c:a aac",
    "faststart.mp4": f"{H264} -c:a aac -movflags +faststart",
    "fragments.mp4": f"{H264} -c:a aac -movflags +frag_keyframe+empty_moov",
    "mov": f"{H264} -c:a aac",
    "mxf": "-c:v mpeg2video -g 12 -c:a pcm_s16le",
    "ogv": "-c:v libtheora -g 25 -c:a libvorbis",
    "wmv": "-c:v wmv2 -g 25 -c:a wmav2",
    "rm": "-c:v rv20 -s 352x288 -c:a ac3",
    "wtv": MPEG2,
    "y4m": "-pix_fmt yuv420p -an",
}


def appended(folder: Path, name: str, options: str, *, count: int = 2) -> tuple[Path, Path]:
    """Return a file of so many recordings, and the last of them."""
    parts = [
        coded_clip(folder / f"{n}.{name}", Clip(n * FURTHER, n * BEEPS, SECONDS, options=options)) for n in range(count)
    ]
    (folder / f"all.{name}").write_bytes(b"".join(part.read_bytes() for part in parts))
    return folder / f"all.{name}", parts[-1]


def seen_and_heard(services: Services, job: Job, folder: Path) -> list[tuple[list[int], list[int]]]:
    """Return the numbers of pictures (each once) and beeps, as the MP4 and as the playlists give them."""
    assert job.state is JobState.READY, job.error
    assert job.plan is not None
    came = [way.came() for way in decoded_ways(services, job, job.plan.rungs[0].name, folder).values()]
    return [(list(dict.fromkeys(one.numbers)), [beep.k for beep in one.beeps or ()]) for one in came]


def numbers(count: int) -> list[int]:
    """Return the numbers of all pictures of so many recordings."""
    return [part * FURTHER + n for part in range(count) for n in range(SECONDS * RATE)]


def beeps(count: int, options: str) -> list[int]:
    """Return the beeps of so many recordings."""
    return [] if "-an" in options else [part * BEEPS + n for part in range(count) for n in range(SECONDS)]


@pytest.mark.parametrize("name", READ_THROUGH)
def test_recordings_appended_byte_by_byte_follow_each_other(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """All pictures and beeps of three, in their order; also where a header in the middle hides the rest from ffmpeg."""
    source, _ = appended(tmp_path, name, READ_THROUGH[name], count=3)
    job = drive(own_services, settings, source)
    for pictures, heard in seen_and_heard(own_services, job, tmp_path):
        assert pictures == numbers(3)
        # Decoders go on from the part before: the pitch of the first beep may be bent a little.
        assert heard == pytest.approx(beeps(3, READ_THROUGH[name]), abs=1)
    assert not {known.code for known in job.warnings} - {"parts_joined"}


@pytest.mark.parametrize("suffix", ["ts", "flv", "mkv"])
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (48_000, 2), (32_000, 2)])
def test_sound_of_another_format_follows_in_its_place(
    suffix: str, rate: int, channels: int, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Filters begin anew with it, though all clocks begin at the same time: none of it is lost or lies over another."""
    clips = [
        Clip(),
        Clip(FURTHER, BEEPS, SECONDS, sample_rate=rate, channels=channels),
        Clip(2 * FURTHER, 2 * BEEPS, SECONDS, sound_seconds=2.0),
    ]
    if suffix == "mkv":  # whose packets have the rate and the channels that the first header says
        clips = [replace(clip, options=f"{H264} -c:a mp2", channels=channels) for clip in clips]
    parts = [coded_clip(tmp_path / f"{n}.{suffix}", clip) for n, clip in enumerate(clips)]
    (tmp_path / f"all.{suffix}").write_bytes(b"".join(part.read_bytes() for part in parts))
    job = drive(own_services, settings, tmp_path / f"all.{suffix}")
    assert job.plan is not None
    for decoded in decoded_ways(own_services, job, job.plan.rungs[0].name, tmp_path).values():
        came = decoded.came()
        assert list(dict.fromkeys(came.numbers)) == numbers(3)
        expected = [(part * SECONDS + n, part * BEEPS + n) for part in range(3) for n in range(SECONDS)][:-1]
        assert [beep.k for beep in came.beeps or ()] == [k for _, k in expected]
        assert [beep.at for beep in came.beeps or ()] == pytest.approx([at for at, _ in expected], abs=BEEP_TOLERANCE)
    told = {known.code for known in job.warnings}
    assert told - {"sound_changes"} == {"parts_joined"}
    assert "sound_changes" in told or suffix != "ts"  # others round the lengths that tell a rate, or take the header's


@pytest.mark.parametrize("name", ONLY_THE_FIRST)
def test_a_recording_that_cannot_be_read_is_told(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """The first comes out whole, nothing of the second gets into it, and a warning tells how much that is."""
    source, last = appended(tmp_path, name, ONLY_THE_FIRST[name])
    job = drive(own_services, settings, source)
    for pictures, heard in seen_and_heard(own_services, job, tmp_path):
        assert (pictures, heard) == (numbers(1), beeps(1, ONLY_THE_FIRST[name]))
    (told,) = job.warnings
    assert told.code == "appended_unread"
    assert told.values == pytest.approx(_megabytes(last, source))


def test_an_animation_is_read_through_or_told(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """By newer ffmpeg the one, by older ffmpeg the other."""
    source, last = appended(tmp_path, "gif", "-an")
    job = drive(own_services, settings, source)
    told = {known.code: known.values for known in job.warnings}
    assert told in ({}, {"appended_unread": pytest.approx(_megabytes(last, source))})
    for pictures, _ in seen_and_heard(own_services, job, tmp_path):
        assert pictures == numbers(1 if told else 2)


@pytest.mark.parametrize(
    "other",
    [
        Clip(FURTHER, BEEPS, options=f"-vf scale=640:360 {H264} -c:a aac"),
        Clip(FURTHER, BEEPS, options=f"{H264} -c:a aac", sample_rate=44_100, channels=2),
        Clip(FURTHER, BEEPS, options="-c:v mpeg4 -c:a mp3"),
    ],
)
@pytest.mark.parametrize("count", [2, 4])
def test_matroska_coded_otherwise_is_told(
    other: Clip, count: int, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Its packets would be decoded by the first header, into noise; recordings alike before it are kept."""
    alike = [coded_clip(tmp_path / f"{n}.mkv", Clip(n * FURTHER, n * BEEPS)) for n in range(count - 1)]
    last = coded_clip(tmp_path / "other.mkv", other)
    assert told_beside(own_services, settings, tmp_path, alike, last) <= {"parts_joined"}


@pytest.mark.parametrize(
    "other",
    [
        Clip(FURTHER, BEEPS, options="-c:v mpeg4 -g 25 -c:a mp3", sample_rate=44_100),
        Clip(FURTHER, BEEPS, options="-c:v mpeg4 -g 25 -c:a pcm_s16le"),
        Clip(FURTHER, BEEPS, options="-r 50 -c:v mpeg4 -g 25 -c:a mp3"),
    ],
)
@pytest.mark.parametrize("count", [2, 3])
def test_avi_of_other_formats_is_told(
    other: Clip, count: int, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """It would be played on the clock of the first header; recordings alike before it are kept, of other sizes too."""
    clips = [Clip(n * FURTHER, n * BEEPS, options=MPEG4) for n in range(count - 1)]
    clips[1:] = [replace(clip, options=f"-vf scale=640:360 {MPEG4}") for clip in clips[1:]]
    alike = [coded_clip(tmp_path / f"{n}.avi", clip) for n, clip in enumerate(clips)]
    last = coded_clip(tmp_path / "other.avi", other)
    assert told_beside(own_services, settings, tmp_path, alike, last) <= {"shape_changes"}


def told_beside(services: Services, settings: Settings, folder: Path, alike: list[Path], last: Path) -> set[str]:
    """Fail unless all but the last recording come out, and the last is told; return what else is warned of."""
    source = folder / f"all{last.suffix}"
    source.write_bytes(b"".join(part.read_bytes() for part in [*alike, last]))
    job = drive(services, settings, source)
    for pictures, heard in seen_and_heard(services, job, folder):
        assert (pictures, heard) == (numbers(len(alike)), beeps(len(alike), ""))
    told = {known.code: known.values for known in job.warnings}
    assert told.pop("appended_unread") == pytest.approx(_megabytes(last, source))
    return set(told)


def test_flash_video_of_another_codec_is_told(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """It is in tracks of its own, which nobody announces."""
    first = coded_clip(tmp_path / "0.flv", Clip())
    second = coded_clip(tmp_path / "1.flv", Clip(FURTHER, BEEPS, options="-c:v flv -g 25 -c:a mp3 -ar 44100"))
    (tmp_path / "all.flv").write_bytes(first.read_bytes() + second.read_bytes())
    job = drive(own_services, settings, tmp_path / "all.flv")
    for pictures, _ in seen_and_heard(own_services, job, tmp_path):
        assert pictures == numbers(1)
    (told,) = job.warnings
    assert told.code == "appended_unread"
    assert told.values == pytest.approx(_megabytes(second, tmp_path / "all.flv"), abs=0.001)


def _megabytes(unread: Path, whole: Path) -> dict[str, float]:
    return {"unread": unread.stat().st_size / 1e6, "whole": whole.stat().st_size / 1e6}
