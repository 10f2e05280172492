"""Clips of nothing symmetric, and the eight ways in which a picture may be shown: turned here, not by ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.model.job import Job
from storage.objects import keys
from storage.services import Services
from tests.support.looking import look

Picture = NDArray[np.int16]
Way = tuple[int, bool]  # degrees clockwise, mirrored left to right before that

WAYS: list[Way] = [(degrees, mirrored) for mirrored in (False, True) for degrees in (0, 90, 180, 270)]
NEAR = 4.0  # of 255 in the mean: what encoding and scaling change
FAR = 3  # times as unlike is every other way to show a picture
FRAMES = 5
# As the outputs are: nothing but the turn changes the brightness.
BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
)


def coded(
    target: Path, *, size: str, aspect: str = "1", filters: str = "null", encoder: str = "-qp 0", container: str = ""
) -> Path:
    """Make a clip of five pictures of H.264 whose index stands last."""
    graph = f"testsrc2=s={size}:r=5:d={FRAMES / 5},{filters},setsar={aspect},{BT709}"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-filter_complex", graph, "-c:v", "libx264"]
    subprocess.run([*command, *encoder.split(), "-bf", "0", *container.split(), str(target)], check=True, timeout=60)
    return target


def pictures(video: Path) -> list[Picture]:
    """Return the brightness of the pictures of a file, as it is coded."""
    look_at = ["ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i", str(video), "-map", "0:v:0"]
    command = [*look_at, "-vf", "extractplanes=y", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, timeout=60, capture_output=True).stdout
    width, height = (look(video).streams["video"][side] for side in ("width", "height"))
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width).astype(np.int16))


def shown(picture: Picture, way: Way) -> Picture:
    """Return the picture mirrored left to right, if it is, and then turned clockwise."""
    degrees, mirrored = way
    return np.rot90(np.fliplr(picture) if mirrored else picture, -degrees // 90)


def unlikeness(one: Picture, other: Picture) -> float:
    """Return how far two pictures are apart in the mean; infinite for other sizes."""
    return float(np.abs(one - other).mean()) if one.shape == other.shape else float("inf")


def assert_shown(found: Picture, source: Picture, way: Way) -> None:
    """Fail unless the picture is the source's shown that way, and no other way fits."""
    unlike = {one: unlikeness(found, shown(source, one)) for one in WAYS}
    assert unlike[way] <= NEAR, unlike
    assert all(distance >= FAR * unlike[way] for other, distance in unlike.items() if other != way), unlike


def streamed(services: Services, job: Job, target: Path) -> Path:
    """Write what a player of fragments gets first of a job's largest rung."""
    assert job.plan is not None
    rung = job.plan.rungs[0].name
    parts = (keys.init(job.id, rung), keys.segment(job.id, rung, 0))
    target.write_bytes(b"".join(b"".join(services.objects.read(key)) for key in parts))
    return target
