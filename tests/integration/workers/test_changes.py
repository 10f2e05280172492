"""Sources that change on their way, through the real stages: every picture in its own shape and at its time."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.plan import Plan
from storage.services import Services
from storage.settings import Settings
from tests.support.changing import RATE, Found, Part, look_at, make_appended, make_changing
from tests.support.colours import PATCHES, Coding, Rgb, in_bt709, pq, read_patches, worst, write_patches
from tests.support.colours import SMALL as PATCH
from tests.support.driving import drive
from tests.support.looking import look
from tests.support.results import made

ROUND = 0.03
COMBED = 2  # pixels between the lines of an edge; a field of motion is 1 % of the width
WIDE, TALL = Part(50, 320, 180), Part(50, 180, 320)
SMALL, LARGE = Part(40, 320, 180), Part(40, 1280, 720)
OLD, NEW = Part(50, 720, 576, Fraction(16, 15)), Part(50, 720, 576, Fraction(64, 45))
FIELDS = Part(50, 720, 576, Fraction(16, 15), fields=True)
NARROW = Part(50, 544, 576, Fraction(24, 17), fields=True)


@dataclass(frozen=True)
class Case:
    """A source and what is right: the top rung's size and the codes of the warnings."""

    name: str
    codec: str
    parts: tuple[Part, ...]
    canvas: tuple[int, int]
    warnings: tuple[str, ...] = ("shape_changes",)
    sound: bool = False


CASES = {
    "turned in a call, vp8": Case("a.webm", "vp8", (WIDE, TALL), (320, 180)),
    "turned in a call, vp9, with sound": Case("a.webm", "vp9", (TALL, WIDE), (180, 320), sound=True),
    "turned at a border": Case("a.mkv", "vp8", (Part(25, 320, 180), Part(75, 180, 320)), (180, 320)),
    "grown, matroska": Case("a.mkv", "h264", (SMALL, LARGE), (1280, 720), sound=True),
    "grown, mp4": Case("a.mp4", "h264", (SMALL, LARGE), (1280, 720), sound=True),
    "large for a moment, mp4": Case("a.mp4", "h264", (SMALL, Part(12, 1280, 720), SMALL), (320, 180)),
    "fields begin, mp4": Case("a.mp4", "h264", (OLD, FIELDS), (768, 576), ("fields_change",)),
    "grown, flv": Case("a.flv", "h264", (SMALL, LARGE), (1280, 720), sound=True),
    "grown, hevc": Case("a.ts", "hevc", (SMALL, LARGE), (1280, 720)),
    "grown, mpeg4": Case("a.ts", "mpeg4", (SMALL, LARGE), (1280, 720)),
    "grown, avi": Case("a.avi", "mpeg4", (SMALL, LARGE), (1280, 720)),
    "grown and shrunk": Case("a.ts", "h264", (SMALL, LARGE, SMALL), (1280, 720), sound=True),
    "shrunk for a moment": Case("a.ts", "h264", (LARGE, Part(12, 320, 240), LARGE), (1280, 720)),
    "large for a moment": Case("a.ts", "h264", (SMALL, Part(12, 1280, 720), SMALL), (320, 180)),
    "4:3 to 16:9, mpeg2": Case("a.ts", "mpeg2", (OLD, NEW), (1024, 576)),
    "4:3 to 16:9 after one keyframe, mpeg2": Case(
        "a.ts", "mpeg2", (Part(12, 720, 576, OLD.aspect), Part(40, 720, 576, NEW.aspect)), (1024, 576)
    ),
    "4:3 to 16:9, h264": Case("a.ts", "h264", (OLD, NEW, OLD), (1024, 576), sound=True),
    "4:3 to 16:9 at a border": Case("a.ts", "mpeg2", (Part(25, 720, 576, OLD.aspect), NEW), (1024, 576)),
    "narrower fields": Case("a.ts", "mpeg2", (FIELDS, NARROW), (768, 576)),
    "narrower fields, h264": Case("a.ts", "h264", (NARROW, FIELDS), (768, 576), sound=True),
    "fields begin": Case("a.ts", "h264", (OLD, FIELDS), (768, 576), ("fields_change",)),
    "fields begin, mpeg2": Case("a.ts", "mpeg2", (OLD, FIELDS), (768, 576), ("fields_change",)),
    "fields end, matroska": Case("a.mkv", "h264", (FIELDS, OLD), (768, 576), ("fields_change",), sound=True),
    "fields begin and the shape changes": Case(
        "a.ts", "mpeg2", (FIELDS, NEW), (1024, 576), ("shape_changes", "fields_change")
    ),
}

TOLERANCE = 0.02  # of the signal
WHITE_NITS = 203
SDR = list(PATCHES.values())
NITS = (0, 1, 10, 26, 50)  # below the knee of tone mapping: shown as they are
BT709, BT601 = Coding(), Coding("bt470bg", "bt470bg", "smpte170m")
FULL = Coding("bt470bg", "bt470bg", "smpte170m", full=True)
HDR = Coding("bt2020nc", "bt2020", "smpte2084", bits=10)


@dataclass(frozen=True)
class Colours:
    """Codings one after the other, a second each, the encoder, and what is warned of."""

    codings: tuple[Coding, ...]
    encoder: str = "libx264"
    warnings: tuple[str, ...] = ("colour_changes",)


COLOURS = {
    "bt601 to bt709": Colours((BT601, BT709)),
    "bt709 to bt601 and back": Colours((BT709, BT601, BT709)),
    "bt709 to bt601 of full range": Colours((BT709, FULL)),
    "8 to 10 bits": Colours((BT709, Coding(bits=10)), warnings=("pixels_change",)),
    "4:2:0 to 4:2:2": Colours((BT709, Coding(chroma=422)), warnings=("pixels_change",)),
    "10 bits 4:2:2 of bt601 to 8 bits of bt709": Colours((replace(BT601, bits=10, chroma=422), BT709)),
    "hdr begins": Colours((BT709, HDR), "libx265"),
    "hdr ends": Colours((HDR, BT601), "libx265"),
}


@pytest.mark.parametrize("name", COLOURS)
def test_each_part_has_its_own_colours(name: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """What changes its coding on the way looks as it did, picture by picture."""
    case = COLOURS[name]
    joined, source = tmp_path / "joined.ts", tmp_path / "source.ts"
    joined.write_bytes(b"".join(coded_part(tmp_path, n, case).read_bytes() for n in range(len(case.codings))))
    # Anew into a stream: where two are joined byte by byte, its packets are not in order.
    ffmpeg = ["ffmpeg", "-v", "fatal", "-y", "-nostdin"]
    subprocess.run([*ffmpeg, "-i", str(joined), "-c", "copy", str(source)], check=True, timeout=60)
    job = drive(own_services, settings, source)
    plan = finished(job, case.warnings)
    assert plan.frames == 10 * len(case.codings)
    target = made(own_services, job, f"{plan.rungs[0].name}.mp4")
    for number in range(plan.frames):
        signals, expected = signals_of(case.codings[number // 10])
        assert worst(read_patches(one_picture(target, number), len(signals)), expected) <= TOLERANCE, number
    assert made(own_services, job, "poster.jpg").stat().st_size


def signals_of(coding: Coding) -> tuple[list[Rgb], list[Rgb]]:
    """Return the patches of a part and what they are shown as; twice as many of them if they are fewer."""
    if coding.transfer != "smpte2084":
        return SDR, [in_bt709(signal, coding.primaries) for signal in SDR]
    nits = [*NITS, *NITS]
    return [(pq(one),) * 3 for one in nits], [((one / WHITE_NITS) ** (1 / 2.4),) * 3 for one in nits]


def coded_part(folder: Path, number: int, case: Colours) -> Path:
    """Write a second of patches for the place it will have in a stream."""
    coding = case.codings[number]
    lossless = ["-qp", "0"] if case.encoder == "libx264" else ["-x265-params", "lossless=1:log-level=error"]
    place = ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", str(1 + number)]
    output = ["-c:v", case.encoder, *lossless, *coding.tags, *place]
    return write_patches(folder / f"{number}.ts", signals_of(coding)[0], coding, width=PATCH, output=output)


def one_picture(video: Path, number: int) -> Path:
    """Write one picture of a video as a video of its own, bit by bit the same."""
    target = video.with_name(f"{number}.mkv")
    chosen = ["-vf", f"select=eq(n\\,{number})", "-frames:v", "1", "-c:v", "ffv1", str(target)]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-nostdin", "-i", str(video), *chosen], check=True, timeout=60)
    return target


@pytest.mark.parametrize("name", CASES)
def test_every_picture_keeps_its_shape_and_its_time(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """None is lost or late, discs stay round on one canvas, no picture has combs, and a warning says what changed."""
    case = CASES[name]
    source = make_changing(tmp_path / case.name, case.parts, case.codec, sound=case.sound)
    job = drive(own_services, settings.model_copy(update={"encoders": 2}), source)
    plan = finished(job, case.warnings)
    assert plan.segment_count > 1
    top = plan.rungs[0]
    assert (top.width, top.height) == case.canvas
    target = made(own_services, job, f"{top.name}.mp4")
    pictures = look_at(target, top.width, top.height)
    assert [picture.number for picture in pictures] == list(range(sum(part.frames for part in case.parts)))
    assert_shaped(pictures, case.parts, case.canvas)
    assert all(picture.combs <= COMBED for picture in pictures)
    assert ("audio" in look(target).streams) is case.sound
    assert made(own_services, job, "poster.jpg").stat().st_size


@pytest.mark.parametrize("parts", [(OLD, NEW), (NEW, OLD, NEW), (SMALL, LARGE), (OLD, FIELDS, NARROW)])
def test_recordings_of_other_shapes_are_appended(
    parts: tuple[Part, ...], own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """Their clocks run over each other: which picture has which shape is told by its place in the file."""
    source = make_appended(tmp_path / "a.ts", parts, "mpeg2")
    job = drive(own_services, settings, source)
    assert (job.state, job.error) == (JobState.READY, None)
    assert job.plan is not None
    told = {warning.code: warning for warning in job.warnings}
    assert {"shape_changes", "parts_joined"} <= set(told)
    assert told["shape_changes"].values["seconds"] == pytest.approx(first_other(parts) / RATE, abs=0.05)
    top = job.plan.rungs[0]
    pictures = look_at(made(own_services, job, f"{top.name}.mp4"), top.width, top.height)
    assert [picture.number for picture in pictures] == list(range(sum(part.frames for part in parts)))
    assert_shaped(pictures, parts, (top.width, top.height))


def first_other(parts: tuple[Part, ...]) -> int:
    """Return how many pictures there are before the first one of another shape."""
    forms = [(part.width, part.height, part.aspect) for part in parts]
    changed = next(number for number, form in enumerate(forms) if form != forms[0])
    return sum(part.frames for part in parts[:changed])


def finished(job: Job, warnings: tuple[str, ...]) -> Plan:
    """Return the plan of a job that is ready and warns of this."""
    assert (job.state, job.error) == (JobState.READY, None)
    assert tuple(warning.code for warning in job.warnings) == warnings
    assert job.plan is not None
    return job.plan


def assert_shaped(pictures: list[Found], parts: tuple[Part, ...], canvas: tuple[int, int]) -> None:
    """Fail unless every picture fills the canvas in one direction, is in its middle and has a round disc."""
    kinds = [part for part in parts for _ in range(part.frames)]
    for picture, part in zip(pictures, kinds, strict=True):
        assert picture.roundness == pytest.approx(1, abs=ROUND)
        width, height = part.shown
        scale = min(canvas[0] / width, canvas[1] / height)
        left, top, across, down = picture.place
        assert (across, down) == pytest.approx((width * scale, height * scale), abs=4)
        assert (2 * left + across, 2 * top + down) == pytest.approx(canvas, abs=6)
