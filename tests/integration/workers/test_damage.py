"""Damaged uploads through all stages: what was missing or repaired is told where it is; intact ones tell nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from storage.model.damage import DamageKind
from storage.model.job import Job, JobState
from storage.public.job_json import job_json
from storage.sentences import number
from storage.services import Services
from storage.settings import Settings
from tests.support.damaging import copied, flipped, lost, written
from tests.support.driving import drive
from tests.support.results import report

MISSING, REPAIRED, SILENT = DamageKind.PICTURES_MISSING, DamageKind.PICTURES_REPAIRED, DamageKind.SOUND_MISSING
SECONDS, RATE = 8, 25
FRAME = 1 / RATE
SLACK = 1.5 * FRAME  # a place is right within a picture, and a rounding
GAP = 0.3
KEYFRAMES = 50  # pictures from one to the next
SOUND_SLACK = 0.06  # pieces of sound are up to 26 ms long, and packets of transport streams hold some
_KINDS = {  # codecs of pictures and sound by suffix and what to call them
    "h264.mp4": ("libx264", "aac"),
    "h264.mkv": ("libx264", "aac"),
    "h264.flv": ("libx264", "aac"),
    "h264.ts": ("libx264", "aac"),
    "hevc.ts": ("libx265", "mp2"),
    "hevc.mp4": ("libx265", "aac"),
    "mpeg2.ts": ("mpeg2video", "mp2"),
    "mpeg2.mpg": ("mpeg2video", "mp2"),
    "mpeg4.avi": ("mpeg4", "libmp3lame"),
    "mjpeg.avi": ("mjpeg", "pcm_s16le"),
    "vp8.webm": ("libvpx", "libvorbis"),
    "vp9.webm": ("libvpx-vp9", "libopus"),
}
_EXTRA = {
    "libx264": ["-preset", "ultrafast", "-g", "50"],
    "libx265": ["-preset", "ultrafast", "-x265-params", "log-level=none:keyint=50"],
    "mjpeg": ["-pix_fmt", "yuvj420p"],
    "libvpx": ["-deadline", "realtime", "-b:v", "400k"],
    "libvpx-vp9": ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "400k"],
    "libvorbis": ["-ac", "2"],
    "libopus": ["-b:a", "64k"],
}

Make = Callable[[str], Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Give a factory of intact clips by their name in the table, each made once."""
    folder = tmp_path_factory.mktemp("intact")

    def made(name: str) -> Path:
        path = folder / name
        if not path.exists():
            video, audio = _KINDS[name]
            command = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
            command += ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r={RATE}:d={SECONDS}"]
            command += ["-f", "lavfi", "-i", f"sine=b=4:r=48000:d={SECONDS}", "-pix_fmt", "yuv420p"]
            command += ["-c:v", video, *_EXTRA.get(video, ()), "-c:a", audio, *_EXTRA.get(audio, ()), str(path)]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        return path

    return made


def first_time(path: Path) -> float:
    """Return when the job's timeline begins: with the first picture or sound, seconds on the file's clock."""
    return min(min(packet.time for packet in written(path, stream)) for stream in ("v:0", "a:0"))


def gaps(path: Path, begins: float) -> list[tuple[float, float]]:
    """Return where no pictures are written for longer than they are reordered, on the timeline that begins so."""
    times = sorted(packet.time - begins for packet in written(path, "v:0"))
    return [(before + FRAME, after) for before, after in pairwise(times) if after - before > GAP]


def told(job: Job, kind: DamageKind) -> list[tuple[float, float]]:
    """Return beginnings and ends of the places of a kind."""
    return [(place.start, place.end) for place in job.damage if place.kind is kind]


def about(*places: tuple[float, float], slack: float = SLACK) -> list[object]:
    """Return what places near these are equal to."""
    return [(pytest.approx(start, abs=slack), pytest.approx(end, abs=slack)) for start, end in places]


@pytest.mark.parametrize("name", _KINDS)
def test_an_intact_clip_tells_nothing(name: str, make: Make, own_services: Services, settings: Settings) -> None:
    """No damage and no warning, whatever container and codec."""
    job = drive(own_services, settings, make(name))
    assert (job.state, job.damage, job.warnings) == (JobState.READY, (), ())


@pytest.mark.parametrize("name", ["h264.ts", "hevc.ts", "mpeg2.ts"])
def test_lost_packets_of_a_stream_are_told(
    name: str, make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """Pictures and sound are missing where a transport stream lost what lay between two of its pictures."""
    source = make(name)
    pictures = written(source, "v:0")
    first, last = pictures[75], pictures[105]
    path = lost(source, tmp_path / name, first.place, last.place)
    expected = gaps(path, first_time(source))
    job = drive(own_services, settings, path)
    assert job.state is JobState.READY
    missing = [place for place in told(job, MISSING) if place[1] - place[0] > GAP]
    assert missing == about(*expected)
    (hole,) = [place for place in told(job, SILENT) if place[1] - place[0] > GAP]
    assert abs(hole[0] - expected[0][0]) < 1.0  # sound is written ahead of its pictures or behind
    facts = report(own_services, job)
    assert facts["damage"] == job_json(job)["damage"]
    assert {"pictures_missing", "sound_missing"} <= {warning["code"] for warning in facts["warnings"]}


@pytest.mark.parametrize("name", ["h264.mkv", "h264.flv", "h264.ts", "mpeg2.ts", "mpeg2.mpg", "mpeg4.avi", "mjpeg.avi"])
def test_flipped_bytes_of_a_picture_are_told(
    name: str, make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """A picture that was repaired is a place, up to the next keyframe at most."""
    source = make(name)
    pictures = written(source, "v:0")
    chosen = max(pictures[80:90], key=lambda packet: packet.size)
    path = flipped(source, tmp_path / name, [chosen])
    at = chosen.time - first_time(source)
    job = drive(own_services, settings, path)
    assert job.state is JobState.READY
    found = sorted(told(job, REPAIRED) + told(job, MISSING))
    assert found
    assert found[0][0] == pytest.approx(at, abs=SLACK)
    assert found[-1][1] <= at + KEYFRAMES * FRAME + SLACK
    assert told(job, SILENT) == []


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "hevc.mp4", "vp8.webm"])
def test_pictures_that_cannot_be_decoded_are_told(
    name: str, make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """Packets of nothing but noise give no picture, or one that is damaged: at two places.

    VP9 is not among them: at such packets ffmpeg 7.1's decoder gives the whole file up ("Internal bug").
    """
    source = make(name)
    noise = "noise=amount=between(pts*tb\\,2.39\\,2.49)+between(pts*tb\\,4.79\\,4.89)"
    path = copied(source, tmp_path / name, "-bsf:v", noise)
    job = drive(own_services, settings, path)
    assert job.state is JobState.READY
    found = sorted([*told(job, MISSING), *told(job, REPAIRED)])
    for at in (2.4, 4.8):
        assert any(start - SLACK <= at - first_time(source) <= end for start, end in found), (at, found)
    assert told(job, SILENT) == []


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "h264.flv", "mpeg4.avi"])
def test_sound_that_cannot_be_decoded_is_told(
    name: str, make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """A second of packets that hold noise is a hole of nearly a second, and the pictures are whole."""
    source = make(name)
    path = copied(source, tmp_path / name, "-bsf:a", "noise=amount=gte(pts*tb\\,3)*lt(pts*tb\\,4)")
    begins = first_time(source)
    job = drive(own_services, settings, path)
    holes = told(job, SILENT)
    assert holes
    # A decoder may take noise for sound now and then.
    assert sum(end - start for start, end in holes) > 0.6
    assert holes[0][0] >= 3.0 - begins - SOUND_SLACK
    assert holes[-1][1] <= 4.0 - begins + SOUND_SLACK
    assert (told(job, MISSING), told(job, REPAIRED)) == ([], [])


@pytest.mark.parametrize("name", ["h264.mkv", "mpeg2.ts", "h264.ts"])
def test_sound_that_was_never_written_is_told(
    name: str, make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """Half a second without packets in a codec that has no pauses."""
    source = make(name)
    begins = first_time(source)
    path = copied(source, tmp_path / name, "-copyts", "-bsf:a", "noise=drop=gte(pts*tb\\,5)*lt(pts*tb\\,5.5)")
    job = drive(own_services, settings, path)
    assert told(job, SILENT) == about((5.0 - begins, 5.5 - begins), slack=SOUND_SLACK)
    assert (told(job, MISSING), told(job, REPAIRED)) == ([], [])


def test_pauses_are_no_damage(make: Make, tmp_path: Path, own_services: Services, settings: Settings) -> None:
    """Two seconds without pictures, as screen recorders write them, and a pause of a codec for speech."""
    still = copied(make("h264.mkv"), tmp_path / "still.mkv", "-bsf:v", "noise=drop=gte(pts*tb\\,4)*lt(pts*tb\\,6)")
    quiet = copied(make("vp9.webm"), tmp_path / "quiet.webm", "-bsf:a", "noise=drop=gte(pts*tb\\,3)*lt(pts*tb\\,5)")
    for path in (still, quiet):
        job = drive(own_services, settings, path)
        assert (job.state, job.damage) == (JobState.READY, ())


def test_sound_that_begins_late_and_ends_early_is_no_damage(
    make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """Only holes within the track are."""
    path = copied(make("h264.mkv"), tmp_path / "short.mkv", "-bsf:a", "noise=drop=lt(pts*tb\\,2)+gte(pts*tb\\,6)")
    job = drive(own_services, settings, path)
    assert (job.state, job.damage) == (JobState.READY, ())


def test_a_place_over_the_border_of_segments_is_one(
    make: Make, tmp_path: Path, own_services: Services, settings: Settings
) -> None:
    """Each segment tells its part of a gap; the job tells one place, and its sentence counts one."""
    source = make("h264.ts")
    pictures = written(source, "v:0")
    path = lost(source, tmp_path / "long.ts", pictures[15].place, pictures[150].place)
    job = drive(own_services, settings.model_copy(update={"encoders": 4}), path)
    assert job.plan is not None
    assert job.plan.segment_count > 1
    (place,) = [place for place in job.damage if place.kind is MISSING and place.seconds > 1]
    ((begins, ends),) = gaps(path, first_time(source))
    assert place.start == pytest.approx(begins, abs=SLACK)
    assert ends - SLACK <= place.end <= ends + KEYFRAMES * FRAME  # the decoder shows nothing before a keyframe
    (sentence,) = [told for told in job.warnings if told.code == "pictures_missing"]
    assert sentence.message == f"Pictures were missing in one place, for {number(place.seconds)} s at 0:00."
