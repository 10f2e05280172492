"""Turned and mirrored sources through the real stages, compared with pictures that this test turns by itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from storage import keys
from storage.jobs import Job, JobState
from storage.services import Services
from storage.settings import Settings
from tests.support.boxes_of_mp4 import turned, with_matrix
from tests.support.driving import drive
from tests.support.looking import look
from tests.support.results import made

Picture = NDArray[np.int16]

WAYS = [(degrees, mirrored) for mirrored in (False, True) for degrees in (0, 90, 180, 270)]
NEAR = 4.0  # of 255 in the mean: what encoding and scaling change
FAR = 3  # times as unlike is every other way to turn a picture
FRAMES = 5
# As the outputs are: nothing but the turn changes the brightness.
BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
)


def coded(target: Path, *, size: str, aspect: str = "1", filters: str = "null", encoder: str = "-qp 0") -> Path:
    """Make a clip of five pictures whose index stands last, of nothing symmetric."""
    graph = f"testsrc2=s={size}:r=5:d={FRAMES / 5},{filters},setsar={aspect},{BT709}"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-filter_complex", graph, "-c:v", "libx264"]
    subprocess.run([*command, *encoder.split(), "-bf", "0", str(target)], check=True, timeout=60)
    return target


def pictures(video: Path) -> list[Picture]:
    """Return the brightness of the pictures of a file, as it is coded."""
    look_at = ["ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i", str(video), "-map", "0:v:0"]
    command = [*look_at, "-vf", "extractplanes=y", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, timeout=60, capture_output=True).stdout
    width, height = (look(video).streams["video"][side] for side in ("width", "height"))
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width).astype(np.int16))


def shown(picture: Picture, degrees: int, *, mirrored: bool) -> Picture:
    """Return the picture mirrored left to right, if it is, and then turned clockwise."""
    return np.rot90(np.fliplr(picture) if mirrored else picture, -degrees // 90)


def unlikeness(one: Picture, other: Picture) -> float:
    """Return how far two pictures are apart in the mean; infinite for other sizes."""
    return float(np.abs(one - other).mean()) if one.shape == other.shape else float("inf")


def assert_shown(found: Picture, source: Picture, way: tuple[int, bool]) -> None:
    """Fail unless the picture is the source's shown that way, and no other way fits."""
    unlike = {
        (degrees, mirrored): unlikeness(found, shown(source, degrees, mirrored=mirrored)) for degrees, mirrored in WAYS
    }
    assert unlike[way] <= NEAR, unlike
    assert all(distance >= FAR * unlike[way] for other, distance in unlike.items() if other != way), unlike


def ready(source: Path, services: Services, settings: Settings) -> tuple[Job, Path]:
    """Take the file through all stages; return the job and its largest rung."""
    job = drive(services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert job.plan is not None
    return job, made(services, job, f"{job.plan.rungs[0].name}.mp4")


def streamed(services: Services, job: Job, target: Path) -> Path:
    """Write what a player of fragments gets first."""
    assert job.plan is not None
    rung = job.plan.rungs[0].name
    parts = (keys.init(job.id, rung), keys.segment(job.id, rung, 0))
    target.write_bytes(b"".join(b"".join(services.objects.read(key)) for key in parts))
    return target


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize(("size", "aspect"), [("192x108", "1"), ("108x192", "2")])
def test_every_matrix(
    size: str, aspect: str, way: tuple[int, bool], twin_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """MP4, fragments and poster are upright and tell of no turn any more, whatever the shape of pixels."""
    flat = coded(tmp_path / "flat.mp4", size=size, aspect=aspect)
    source = pictures(flat)
    if aspect != "1":
        source = [np.repeat(picture, 2, axis=1 if aspect == "2" else 0) for picture in source]
    degrees, mirrored = way
    job, target = ready(turned(flat, tmp_path / "turned.mp4", degrees, mirrored=mirrored), twin_services, settings)
    for video in (target, streamed(twin_services, job, tmp_path / "streamed.mp4")):
        assert "side_data_list" not in look(video).streams["video"]
        assert len(pictures(video)) == FRAMES
        for found, expected in zip(pictures(video), source, strict=True):
            assert_shown(found, expected, way)
    poster = pictures(made(twin_services, job, "poster.jpg"))[0]
    best = min(
        WAYS, key=lambda one: min(unlikeness(poster, shown(picture, one[0], mirrored=one[1])) for picture in source)
    )
    assert best == way


@pytest.mark.parametrize("way", [(90, False), (180, True), (270, True)], ids=str)
def test_fields_are_lines_of_the_coded_picture(
    way: tuple[int, bool], twin_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """They are taken out before the picture is turned: the result is that of the same file unturned, but turned."""
    fields = coded(
        tmp_path / "fields.mp4",
        size="192x128",
        filters="fps=10,tinterlace=interleave_top,setfield=tff",
        encoder="-qp 0 -flags +ilme+ildct -x264opts tff=1",
    )
    plain_job, plain = ready(fields, twin_services, settings)
    assert plain_job.plan is not None
    assert plain_job.plan.video.interlaced
    degrees, mirrored = way
    _, target = ready(turned(fields, tmp_path / "turned.mp4", degrees, mirrored=mirrored), twin_services, settings)
    for found, expected in zip(pictures(target), pictures(plain), strict=True):
        assert_shown(found, expected, way)


# As ffmpeg turns by itself, given numbers of the display matrix: what no quarter turn is.
ASLANT = {"30 degrees": (0.866, 0.5, -0.5, 0.866), "no columns": (0, 0, 0, 0), "sheared": (1, 0, 4, 1)}


@pytest.mark.parametrize("name", ASLANT)
def test_an_odd_matrix_is_obeyed_as_ffmpeg_does(
    name: str, twin_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """What it turns within the frame stays turned, and what says nothing turns nothing."""
    flat = coded(tmp_path / "flat.mp4", size="192x108")
    odd = with_matrix(flat, tmp_path / "odd.mp4", ASLANT[name])
    by_itself = tmp_path / "by_itself.mp4"
    options = ["-c:v", "libx264", "-qp", "0"]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", str(odd), *options, str(by_itself)], check=True, timeout=60
    )
    _, target = ready(odd, twin_services, settings)
    for found, expected in zip(pictures(target), pictures(by_itself), strict=True):
        assert unlikeness(found, expected) <= NEAR
