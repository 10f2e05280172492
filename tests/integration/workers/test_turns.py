"""Turned and mirrored sources through the real stages, compared with pictures that this test turns by itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from storage.model.job import Job, JobState
from storage.services import Services
from storage.settings import Settings
from tests.support.boxes_of_mp4 import turned, with_matrix
from tests.support.driving import drive
from tests.support.looking import look
from tests.support.results import made
from tests.support.turning import (
    FRAMES,
    NEAR,
    WAYS,
    Way,
    assert_shown,
    coded,
    pictures,
    shown,
    streamed,
    unlikeness,
)


def ready(source: Path, services: Services, settings: Settings) -> tuple[Job, Path]:
    """Take the file through all stages; return the job and its largest rung."""
    job = drive(services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert job.plan is not None
    return job, made(services, job, f"{job.plan.rungs[0].name}.mp4")


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize(("size", "aspect"), [("192x108", "1"), ("108x192", "2")])
def test_every_matrix(
    size: str, aspect: str, way: Way, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """MP4, fragments and poster are upright and tell of no turn any more, whatever the shape of pixels."""
    flat = coded(tmp_path / "flat.mp4", size=size, aspect=aspect)
    source = [np.repeat(picture, int(aspect), axis=1) for picture in pictures(flat)]
    degrees, mirrored = way
    job, target = ready(turned(flat, tmp_path / "turned.mp4", degrees, mirrored=mirrored), own_services, settings)
    for video in (target, streamed(own_services, job, tmp_path / "streamed.mp4")):
        assert "side_data_list" not in look(video).streams["video"]
        assert len(pictures(video)) == FRAMES
        for found, expected in zip(pictures(video), source, strict=True):
            assert_shown(found, expected, way)
    poster = pictures(made(own_services, job, "poster.jpg"))[0]
    assert min(WAYS, key=lambda one: min(unlikeness(poster, shown(picture, one)) for picture in source)) == way


@pytest.mark.parametrize("way", [(90, False), (180, True), (270, True)], ids=str)
def test_fields_are_lines_of_the_coded_picture(
    way: Way, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """They are taken out before the picture is turned: the result is that of the same file unturned, but turned."""
    fields = coded(
        tmp_path / "fields.mp4",
        size="192x128",
        filters="fps=10,tinterlace=interleave_top,setfield=tff",
        encoder="-qp 0 -flags +ilme+ildct -x264opts tff=1",
    )
    plain_job, plain = ready(fields, own_services, settings)
    assert plain_job.plan is not None
    assert plain_job.plan.video.interlaced
    degrees, mirrored = way
    _, target = ready(turned(fields, tmp_path / "turned.mp4", degrees, mirrored=mirrored), own_services, settings)
    for found, expected in zip(pictures(target), pictures(plain), strict=True):
        assert_shown(found, expected, way)


# Numbers of display matrices that are no quarter turns.
ASLANT = {"30 degrees": (0.866, 0.5, -0.5, 0.866), "no columns": (0, 0, 0, 0), "sheared": (1, 0, 4, 1)}


@pytest.mark.parametrize("name", ASLANT)
def test_an_odd_matrix_is_obeyed_as_ffmpeg_does(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """What it turns within the frame stays turned, and what says nothing turns nothing."""
    flat = coded(tmp_path / "flat.mp4", size="192x108")
    odd, by_itself = with_matrix(flat, tmp_path / "odd.mp4", ASLANT[name]), tmp_path / "by_itself.mp4"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(odd), "-c:v", "libx264", "-qp", "0", str(by_itself)]
    subprocess.run(command, check=True, timeout=60)
    _, target = ready(odd, own_services, settings)
    for found, expected in zip(pictures(target), pictures(by_itself), strict=True):
        assert unlikeness(found, expected) <= NEAR


@pytest.mark.parametrize("orientation", ["rotate=90", "flip=horizontal:rotate=270"])
def test_a_message_in_the_stream_does_not_squeeze(
    orientation: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Newer ffmpeg obeys it, but no container and no ffprobe tells of it: the picture stays as it is coded."""
    flat = coded(tmp_path / "flat.mp4", size="192x108")
    told = tmp_path / "told.mp4"
    message = f"h264_metadata=display_orientation=insert:{orientation}"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(flat), "-c", "copy", "-bsf:v", message, str(told)]
    subprocess.run(command, check=True, timeout=60)
    job, target = ready(told, own_services, settings)
    for video in (target, streamed(own_services, job, tmp_path / "streamed.mp4")):
        assert "side_data_list" not in look(video).streams["video"]
        assert look(video).size == (192, 108)
    for found, expected in zip(pictures(target)[1:], pictures(flat)[1:], strict=True):
        assert_shown(found, expected, (0, False))
