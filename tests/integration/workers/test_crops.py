"""Sources whose containers hide the edges of their pictures: the rest is shown in its own shape, by every ffmpeg."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from storage.model.job import JobState
from storage.model.plan import Crop
from storage.services import Services
from storage.settings import Settings
from tests.support.boxes_of_mp4 import turned
from tests.support.cropping import WITHOUT_INDEX, hidden_in_matroska, hidden_in_mp4
from tests.support.driving import drive
from tests.support.results import made
from tests.support.turning import NEAR, Picture, Way, assert_shown, coded, pictures, shown, streamed, unlikeness

SIZE = "192x108"
CROP = Crop(left=10, right=6, top=20, bottom=12)
FRAMED = "pad=208:140:10:20:red"  # such a frame around the picture
CENTRE = (Fraction(2), Fraction(4))  # of what is shown, from the centre of what is coded
UNTURNED: Way = (0, False)
SHOWN = (Fraction(192), Fraction(108))


def seen(source: Path, services: Services, settings: Settings, folder: Path) -> dict[str, list[Picture]]:
    """Take the file through all stages; return its pictures as MP4 and as fragments, and the poster."""
    job = drive(services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    assert job.plan is not None
    target = made(services, job, f"{job.plan.rungs[0].name}.mp4")
    return {
        "MP4": pictures(target),
        "fragments": pictures(streamed(services, job, folder / "streamed.mp4")),
        "poster": pictures(made(services, job, "poster.jpg")),
    }


def assert_all(found: dict[str, list[Picture]], expected: list[Picture], way: Way = UNTURNED) -> None:
    """Fail unless every picture is the expected one, shown that way."""
    for video in (found["MP4"], found["fragments"]):
        for one, other in zip(video, expected, strict=True):
            assert_shown(one, other, way)
    assert found["poster"][0].shape == shown(expected[0], way).shape


@pytest.mark.parametrize("size", [None, (192, 108), (384, 108), (16, 9)], ids=str)
def test_matroska(size: tuple[int, int] | None, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """PixelCrop, and a size to be shown that is that of the rest, whatever its unit."""
    plain = coded(tmp_path / "plain.mp4", size=SIZE)
    framed = coded(tmp_path / "framed.mkv", size=SIZE, filters=FRAMED, container=WITHOUT_INDEX)
    hidden = hidden_in_matroska(framed, tmp_path / "hidden.mkv", CROP, size)
    wide = size == (384, 108)
    expected = [np.repeat(picture, 2 if wide else 1, axis=1) for picture in pictures(plain)]
    assert_all(seen(hidden, own_services, settings, tmp_path), expected)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("way", [UNTURNED, (90, False), (180, True)], ids=str)
def test_mp4(suffix: str, way: Way, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """A clean aperture, of the picture as it is coded: before it is turned."""
    plain = coded(tmp_path / f"plain.{suffix}", size=SIZE)
    framed = coded(tmp_path / f"framed.{suffix}", size=SIZE, filters=FRAMED)
    hidden = hidden_in_mp4(framed, tmp_path / f"hidden.{suffix}", SHOWN, CENTRE)
    source = turned(hidden, tmp_path / f"turned.{suffix}", way[0], mirrored=way[1])
    assert_all(seen(source, own_services, settings, tmp_path), pictures(plain), way)


def test_fields(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Of an interlaced source the poster shows one field, of which half as many lines are hidden."""
    fields = "-qp 0 -flags +ilme+ildct -x264opts tff=1"
    lines = "fps=10,tinterlace=interleave_top,setfield=tff"
    plain = coded(tmp_path / "plain.mp4", size=SIZE, filters=lines, encoder=fields)
    framed = coded(tmp_path / "framed.mp4", size=SIZE, filters=f"{lines},{FRAMED}", encoder=fields)
    expected = seen(plain, own_services, settings, tmp_path)
    found = seen(hidden_in_mp4(framed, tmp_path / "hidden.mp4", SHOWN, CENTRE), own_services, settings, tmp_path)
    assert_all(found, expected["MP4"])
    assert unlikeness(found["poster"][0], expected["poster"][0]) <= NEAR
