"""Colours through the real stages: known ones in, in every coding sources have, and the same ones out, tagged so."""

from __future__ import annotations

import colorsys
import json
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.services import Services
from storage.settings import Settings
from tests.support.colours import (
    FROM_BT709_TO_BT2020,
    LARGE,
    PATCHES,
    SMALL,
    Coding,
    Rgb,
    cut,
    hlg,
    in_bt709,
    pq,
    read_patches,
    times,
    worst,
    write_patches,
)
from tests.support.driving import drive
from tests.support.results import made

# Of the signal: 3 steps of 8 bits. Rounding to YUV of 8 bits moves blue by up to one, and scaling rounds once more.
TOLERANCE = 0.013
JPEG_TOLERANCE = 0.018  # a second rounding, and JPEG's own loss
HUGE = 256  # pixels of a patch: ten of them are wider than any rung
X264 = ("-c:v", "libx264", "-qp", "0")
X265 = ("-c:v", "libx265", "-x265-params", "lossless=1:log-level=error")
SD, EBU, SMPTE_C = "smpte170m", "bt470bg", "smpte170m"
TAGS = {"color_range": "tv", "color_space": "bt709", "color_transfer": "bt709", "color_primaries": "bt709"}
COLR = b"colrnclx\x00\x01\x00\x01\x00\x01\x00"  # primaries, transfer and matrix 1 (BT.709), limited range


@dataclass(frozen=True)
class Case:
    """A source of PATCHES: its coding, how it is encoded, whether its tags say so."""

    coding: Coding
    encoder: tuple[str, ...] = X264
    name: str = "source.mp4"
    width: int = SMALL
    tagged: bool = True


def as_rgb(pixels: str, *encoder: str) -> tuple[str, ...]:
    """Return options that encode RGB: the format conversion is zimg's, from exact 4:4:4."""
    return ("-vf", f"zscale=matrix=gbr:range=full,format=gbrp,format={pixels}", *encoder)


CASES = {
    "bt709": Case(Coding()),
    "bt709, full": Case(Coding(full=True)),
    "bt709, scaled": Case(Coding(), width=HUGE),
    "bt709, full, scaled": Case(Coding(full=True), width=HUGE),
    "bt709, 10 bit": Case(Coding(bits=10)),
    "bt709, 10 bit, full": Case(Coding(bits=10, full=True), X265),
    "bt709, 10 bit 4:2:2": Case(Coding(bits=10, chroma=422)),
    "bt709, 4:4:4": Case(Coding(chroma=444)),
    "bt709, 4:4:4, full": Case(Coding(chroma=444, full=True), ("-c:v", "ffv1"), "source.mkv"),
    "bt709, 12 bit 4:4:4": Case(Coding(bits=12, chroma=444), ("-c:v", "ffv1"), "source.mkv"),
    "high definition without tags": Case(Coding(), width=LARGE, tagged=False),
    "standard definition without tags": Case(Coding(SD), tagged=False),
    "smpte170m": Case(Coding(SD, SMPTE_C, "smpte170m")),
    "bt470bg": Case(Coding("bt470bg", EBU, "smpte170m")),
    "smpte240m": Case(Coding("smpte240m", SMPTE_C, "smpte240m")),
    "bt601 10 bit 4:2:2": Case(Coding(SD, SMPTE_C, "smpte170m", bits=10, chroma=422)),
    "phone: bt601, full": Case(Coding("bt470bg", EBU, "smpte170m", full=True)),
    "phone: bt601, full, scaled": Case(Coding("bt470bg", EBU, "smpte170m", full=True), width=HUGE),
    "camera: motion jpeg": Case(
        Coding("bt470bg", chroma=422, full=True), ("-c:v", "mjpeg", "-q:v", "1", "-pix_fmt", "yuvj422p"), "source.avi"
    ),
    "bt2020 without hdr": Case(Coding("bt2020nc", "bt2020", "bt2020-10", bits=10), X265),
    "p3": Case(Coding("bt709", "smpte432", "bt709", bits=10), X265),
    "rgb, png": Case(Coding(chroma=444), as_rgb("rgb24", "-c:v", "png"), "source.mov", tagged=False),
    "rgb, h264": Case(Coding(chroma=444), as_rgb("gbrp", "-c:v", "libx264rgb", "-qp", "0"), tagged=False),
    "rgb, raw": Case(Coding(chroma=444), as_rgb("bgr0", "-c:v", "rawvideo"), "source.nut", tagged=False),
}


def made_of(case: Case, signals: list[Rgb], services: Services, settings: Settings, folder: Path) -> Job:
    """Take patches of the signals through all stages."""
    output = [*case.encoder, *(case.coding.tags if case.tagged else UNTAGGED)]
    source = write_patches(folder / case.name, signals, case.coding, width=case.width, output=output)
    job = drive(services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, ())
    return job


UNTAGGED = [
    part for name in ("color_range", "colorspace", "color_primaries", "color_trc") for part in (f"-{name}", "unknown")
]


@pytest.mark.parametrize("name", CASES)
def test_colours_are_the_sources(name: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Each rung shows the colours of the source as BT.709, and says in its headers that it is BT.709."""
    case, signals = CASES[name], list(PATCHES.values())
    job = made_of(case, signals, own_services, settings, tmp_path)
    assert job.plan is not None
    expected = [in_bt709(signal, case.coding.primaries) for signal in signals]
    for rung in job.plan.rungs:
        target = made(own_services, job, f"{rung.name}.mp4")
        assert worst(read_patches(target, len(signals)), expected) <= TOLERANCE
        assert tags(target) == TAGS
        assert COLR in target.read_bytes()
        assert COLR in made(own_services, job, f"hls/{rung.name}/init.mp4").read_bytes()
    poster = made(own_services, job, "poster.jpg")
    # JPEG has one coding, whatever the video's: BT.601, full range.
    if case.coding.bits == 8:
        assert worst(read_patches(poster, len(signals), matrix="bt470bg", full=True), expected) <= JPEG_TOLERANCE


def tags(video: Path) -> dict[str, str]:
    """Return what the H.264 stream says of its colours, without its container."""
    raw = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(video), "-c", "copy", "-f", "h264", "-"]
    stream = subprocess.run(raw, check=True, timeout=60, capture_output=True).stdout
    probe = ["ffprobe", "-v", "error", "-f", "h264", "-show_entries", f"stream={','.join(TAGS)}", "-of", "json", "-"]
    answer = subprocess.run(probe, check=True, timeout=60, capture_output=True, input=stream).stdout
    found: dict[str, str] = json.loads(answer)["streams"][0]
    return found


NITS = (0, 0.1, 1, 5, 10, 26, 50, 100, 203, 400, 600, 1000)
DIFFUSE_WHITE = {"smpte2084": 0.837, "arib-std-b67": 0.851}  # where 203 nit (HLG: 75 %) come to; docs/encoding-why.md
LIGHTS: dict[str, Rgb] = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "cyan": (0, 1, 1),
    "magenta": (1, 0, 1),
    "yellow": (1, 1, 0),
    "skin": (0.6, 0.3, 0.2),
}
HUE_DEGREES = 7.0  # half of them are the steps of 10 bits in the dark components of a pure green
HDR = {
    "10 bit": Case(Coding("bt2020nc", "bt2020", bits=10), X265),
    "10 bit, full": Case(Coding("bt2020nc", "bt2020", bits=10, full=True), X265),
    "12 bit 4:2:2": Case(Coding("bt2020nc", "bt2020", bits=12, chroma=422), ("-c:v", "ffv1"), "source.mkv"),
    "10 bit, scaled": Case(Coding("bt2020nc", "bt2020", bits=10), X265, width=HUGE),
}


def lit(transfer: str, light: Rgb) -> Rgb:
    """Return the HDR signal of light of BT.2020's primaries, nit."""
    red, green, blue = light
    return (pq(red), pq(green), pq(blue)) if transfer == "smpte2084" else hlg(light)


def hdr(case: Case, transfer: str) -> Case:
    """Return the case with this transfer."""
    coding = case.coding
    hdr_coding = Coding(coding.matrix, coding.primaries, transfer, coding.full, coding.bits, coding.chroma)
    return Case(hdr_coding, case.encoder, case.name, case.width)


@pytest.mark.parametrize("transfer", DIFFUSE_WHITE)
@pytest.mark.parametrize("name", HDR)
def test_light_of_hdr_becomes_sdr(
    name: str, transfer: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """A grey ramp stays grey and rises; mid-tones are as bright beside diffuse white's light as they were."""
    brighter = (2000.0, 4000.0, 10_000.0) if transfer == "smpte2084" else ()
    nits = (*NITS, *brighter)
    signals = [lit(transfer, (light, light, light)) for light in nits]
    job = made_of(hdr(HDR[name], transfer), signals, own_services, settings, tmp_path)
    assert job.plan is not None
    target = made(own_services, job, f"{job.plan.rungs[0].name}.mp4")
    assert tags(target) == TAGS
    shown = dict(zip(nits, read_patches(target, len(nits)), strict=True))
    for red, green, blue in shown.values():
        assert max(red, green, blue) - min(red, green, blue) <= 0.005
    greys = {light: signal[1] for light, signal in shown.items()}
    assert all(after > before for before, after in pairwise(greys.values()))
    assert (greys[0], greys[nits[-1]]) == pytest.approx((0, 1), abs=TOLERANCE)
    assert greys[203] == pytest.approx(DIFFUSE_WHITE[transfer], abs=TOLERANCE)
    for light in (1, 5, 10, 26, 50):
        assert greys[light] == pytest.approx((light / 203) ** (1 / 2.4), abs=TOLERANCE)


@pytest.mark.parametrize("transfer", DIFFUSE_WHITE)
def test_hues_of_hdr_stay(transfer: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """What BT.709 can show keeps its hue; colours beyond become the fullest of their hue, not dark or grey ones."""
    inside = [(203 * red, 203 * green, 203 * blue) for red, green, blue in LIGHTS.values()]
    signals = [lit(transfer, times(FROM_BT709_TO_BT2020, light)) for light in inside]
    signals += [lit(transfer, light) for light in inside[:3]]
    job = made_of(hdr(HDR["10 bit"], transfer), signals, own_services, settings, tmp_path)
    assert job.plan is not None
    shown = read_patches(made(own_services, job, f"{job.plan.rungs[0].name}.mp4"), len(signals))
    for light, signal in zip((*LIGHTS.values(), *list(LIGHTS.values())[:3]), shown, strict=True):
        red, green, blue = light
        wanted = (red ** (1 / 2.4), green ** (1 / 2.4), blue ** (1 / 2.4))
        assert hue_between(cut(signal), wanted) <= HUE_DEGREES
        assert max(signal) >= 0.73
    for signal in shown[-3:]:
        assert sorted(cut(signal))[1] <= TOLERANCE


def hue_between(one: Rgb, other: Rgb) -> float:
    """Return the angle between two hues in degrees."""
    turn = (colorsys.rgb_to_hsv(*one)[0] - colorsys.rgb_to_hsv(*other)[0]) % 1
    return 360 * min(turn, 1 - turn)
