"""Pictures of every shape through the real stages: transparent, turned, odd, anamorphic, interlaced, one of several."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.job_warnings import JobWarning, warning
from storage.services import Services
from storage.settings import Settings
from tests.support.boxes_of_mp4 import dolby_vision, turned
from tests.support.colours import read_patches, read_points, worst
from tests.support.driving import drive
from tests.support.looking import look
from tests.support.results import made
from tests.support.rows import bar_in_rows

TOLERANCE = 0.02  # of the signal: lossy sources, and edges near the places that are looked at
RED, GREEN, BLUE, WHITE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)
BT709 = ("-colorspace", "bt709", "-color_range", "tv", "-color_primaries", "bt709", "-color_trc", "bt709")
TAGGED = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"


def ffmpeg(*arguments: str, data: bytes | None = None) -> None:
    """Run ffmpeg with sources given as lavfi graphs, files or raw data."""
    command = ["ffmpeg", "-v", "error", *([] if data else ["-nostdin"]), *arguments]
    subprocess.run(command, check=True, timeout=60, input=data)


def ready(source: Path, services: Services, settings: Settings, *warnings: JobWarning) -> tuple[Job, Path]:
    """Take the file through all stages; return the job and its largest rung."""
    job = drive(services, settings, source)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, warnings)
    assert job.plan is not None
    return job, made(services, job, f"{job.plan.rungs[0].name}.mp4")


# Colour and opacity of patches, and what they are in front of black.
GLASS = (((1, 0, 0), 1.0), ((0.8, 0.8, 0.8), 0.5), ((0, 1, 0), 0.0), ((1, 1, 1), 1.0), ((0.2, 0.4, 0.9), 0.25))
ALPHA = {
    "prores 4444": ("mov", "yuva444p10le", "-c:v prores_ks -profile:v 4444 -qscale:v 1"),
    "png": ("mov", "rgba", "-c:v png"),
    "animation": ("mov", "argb", "-c:v qtrle"),
    "vp9": ("webm", "yuva420p", "-c:v libvpx-vp9 -crf 4 -b:v 0 -auto-alt-ref 0"),
    "vp8": ("webm", "yuva420p", "-c:v libvpx -crf 4 -b:v 5M -auto-alt-ref 0"),
    "ffv1": ("mkv", "yuva444p", "-c:v ffv1"),
}


@pytest.mark.parametrize("name", ALPHA)
def test_what_is_transparent_is_black(name: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Half transparent is half as bright, and the colour that lies under what is transparent is not seen."""
    suffix, pixels, encoder = ALPHA[name]
    row = b"".join(bytes(round(255 * part) for part in (*colour, opacity)) * 40 for colour, opacity in GLASS)
    # VP8 has no tags; a picture of this size is BT.601 then.
    matrix, tagged = ("smpte170m", "null") if name == "vp8" else ("bt709", TAGGED)
    converted = "null" if "rgb" in pixels else f"zscale=matrix={matrix}:range=limited"
    source = tmp_path / f"glass.{suffix}"
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{40 * len(GLASS)}x80", "-r", "10", "-i", "-"),
        *("-vf", f"{converted},format={pixels}" + ("" if "rgb" in pixels else f",{tagged}"), *encoder.split()),
        str(source),
        data=row * 80 * 10,
    )
    job, target = ready(source, own_services, settings)
    expected = [(red * opacity, green * opacity, blue * opacity) for (red, green, blue), opacity in GLASS]
    assert worst(read_patches(target, len(GLASS)), expected) <= TOLERANCE
    poster = made(own_services, job, "poster.jpg")
    shown = read_patches(poster, len(GLASS), matrix="bt470bg", full=True)
    assert worst(shown, expected) <= 2 * TOLERANCE


CORNERS = {
    "top left": (0.25, 0.25),
    "top right": (0.75, 0.25),
    "bottom left": (0.25, 0.75),
    "bottom right": (0.75, 0.75),
}
FLAG = (  # two rows of two, 320x192
    "".join(f"color={name}:s=160x96:r=10:d=1[{name}];" for name in ("red", "lime", "blue", "white"))
    + "[red][lime]hstack[top];[blue][white]hstack[bottom];[top][bottom]vstack,format=gbrp"
)


@dataclass(frozen=True)
class Shape:
    """A source of four colours: filters that bring it to its size, how it is encoded, and the size that is shown."""

    filters: str
    shown: tuple[int, int]
    pixels: str = "yuv420p"
    encoder: str = "-c:v libx264 -qp 0"
    name: str = "flag.mp4"


SHAPES = {
    "odd 4:4:4": Shape("scale=321:191,setsar=1", (320, 190), "yuv444p"),
    "odd 4:2:0": Shape("scale=161:121,setsar=1", (160, 120), encoder="-c:v libvpx-vp9 -crf 4 -b:v 0", name="flag.webm"),
    "odd 4:2:2": Shape("scale=321:190,setsar=1", (320, 190), "yuv422p10le", "-c:v ffv1", "flag.mkv"),
    "wide pixels": Shape("setsar=2", (640, 192)),
    "pal 16:9": Shape("scale=720:576,setsar=64/45", (1024, 576)),
    "ntsc 4:3": Shape("scale=720:480,setsar=8/9", (720, 540)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_picture_keeps_its_shape(name: str, own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Odd sides lose a line or a column, pixels become square by growing a side, and every corner stays where it is."""
    shape = SHAPES[name]
    # zscale makes no odd sizes with less chroma than luma.
    coded = f"scale=out_color_matrix=bt709:out_range=tv,format={shape.pixels},{TAGGED}"
    source = tmp_path / shape.name
    ffmpeg("-filter_complex", f"{FLAG},{shape.filters},{coded}", *shape.encoder.split(), str(source))
    _, target = ready(source, own_services, settings)
    assert look(target).size == shape.shown
    assert worst(read_points(target, list(CORNERS.values())), [RED, GREEN, BLUE, WHITE]) <= TOLERANCE


TURNS = {  # clockwise, and the colours of the corners after it
    0: (RED, GREEN, BLUE, WHITE),
    90: (BLUE, RED, WHITE, GREEN),
    180: (WHITE, BLUE, GREEN, RED),
    270: (GREEN, WHITE, RED, BLUE),
}


HLG_TAGS = ("-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-tag:v", "hvc1")
X265 = ("-c:v", "libx265", "-x265-params", "log-level=error:lossless=1")
HELD = {"bt709": ("-c:v", "libx264", "-qp", "0"), "arib-std-b67": (*X265, *HLG_TAGS)}
LIGHT = {
    "bt709": f"zscale=matrix=bt709:range=limited,format=yuv420p,{TAGGED}",
    "arib-std-b67": (
        "zscale=transferin=bt709:primariesin=bt709:matrixin=gbr:transfer=arib-std-b67:primaries=bt2020:matrix=bt2020nc"
        ":range=limited:npl=203,format=yuv420p10le"
    ),
}


@pytest.mark.parametrize("degrees", TURNS)
@pytest.mark.parametrize("transfer", ["bt709", "arib-std-b67"])
def test_a_phone_may_be_held_any_way(
    degrees: int, transfer: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """The picture stands upright, also in HDR, and says of itself no turn any more."""
    flat = tmp_path / "flat.mp4"
    ffmpeg("-filter_complex", f"{FLAG},{LIGHT[transfer]}", *HELD[transfer], str(flat))
    job, target = ready(turned(flat, tmp_path / "turned.mp4", degrees), own_services, settings)
    assert job.plan is not None
    assert (job.plan.video.rotation, job.plan.video.colour.transfer) == (-degrees % 360, transfer)
    assert look(target).size == ((320, 192) if degrees % 180 == 0 else (192, 320))
    assert "side_data_list" not in look(target).streams["video"]
    for signal, wanted in zip(read_points(target, list(CORNERS.values())), TURNS[degrees], strict=True):
        brightest = max(signal)
        assert [round(max(0.0, part) / brightest) for part in signal] == list(map(round, wanted))


def test_dolby_visions_own_colours_are_refused(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Profile 5 has no picture for other players: a sentence says so, and nothing green and violet is made."""
    plain = tmp_path / "plain.mp4"
    ffmpeg("-filter_complex", f"{FLAG},{LIGHT['arib-std-b67']}", *HELD["arib-std-b67"], str(plain))
    refused = drive(own_services, settings, dolby_vision(plain, tmp_path / "five.mp4", profile=5, compatible=0))
    assert refused.state is JobState.FAILED
    assert refused.error is not None
    assert refused.error.code == "dolby_vision_only"
    phone = drive(own_services, settings, dolby_vision(plain, tmp_path / "phone.mp4", profile=8, compatible=4))
    assert (phone.state, phone.error) == (JobState.READY, None)


# Which field comes first, what says so, and the encoder.
INTERLACED = {
    "h264 mbaff, top first": ("top", "mp4", "-c:v libx264 -crf 10 -flags +ilme+ildct -x264opts tff=1"),
    "h264 mbaff, bottom first": ("bottom", "ts", "-c:v libx264 -crf 10 -flags +ilme+ildct -x264opts bff=1"),
    "mpeg2, top first": ("top", "mpg", "-c:v mpeg2video -q:v 2 -flags +ilme+ildct"),
    "mpeg2, bottom first": ("bottom", "ts", "-c:v mpeg2video -q:v 2 -flags +ilme+ildct"),
    "dv, its container silent": ("bottom", "avi", "-c:v dvvideo"),
    "mpeg4, its container silent": ("top", "avi", "-c:v mpeg4 -q:v 2 -flags +ilme+ildct"),
    "prores, top first": ("top", "mov", "-c:v prores_ks -flags +ilme+ildct"),
    "prores, bottom first": ("bottom", "mov", "-c:v prores_ks -flags +ilme+ildct"),
}
FIELD_STEP = 4  # pixels that the bar moves in 1/50 s
# In 8 bits, whatever comes behind: white in 10 bits would be another number.
BAR = (
    "color=black:s=720x576:r=50:d=1.2,format=yuv420p,"
    f"geq=lum='if(between(X-16-N*{FIELD_STEP},0,23),235,16)':cb=128:cr=128"
)


@pytest.mark.parametrize("name", INTERLACED)
def test_fields_become_pictures_in_their_order(
    name: str, own_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """A moving bar's edges are straight in every picture, its steps even, and it is where the first field had it."""
    first, suffix, encoder = INTERLACED[name]
    fields = f"tinterlace=interleave_{first},setfield={'tff' if first == 'top' else 'bff'}"
    pixels = "yuv422p10le" if "prores" in name else "yuv420p"
    source = tmp_path / f"fields.{suffix}"
    ffmpeg("-filter_complex", f"{BAR},{fields},format={pixels}", *encoder.split(), str(source))
    job, _ = ready(source, own_services, settings)
    assert job.plan is not None
    assert job.plan.video.interlaced
    rung = job.plan.rungs[-1]
    rows = bar_in_rows(made(own_services, job, f"{rung.name}.mp4"))
    scale = rung.width / 720
    places = [sum(picture) / len(picture) / scale for picture in rows]
    assert len(places) == 30
    for picture in rows[1:]:
        assert max(picture) - min(picture) < 0.25  # pixels; combed by a field of motion they are 4
    assert all(2 * FIELD_STEP - 0.4 < after - before < 2 * FIELD_STEP + 0.4 for before, after in pairwise(places))
    assert places[1] == pytest.approx(16 + 23 / 2 + 2 * FIELD_STEP, abs=0.5)


def test_the_default_track_is_the_video(own_services: Services, settings: Settings, tmp_path: Path) -> None:
    """Neither another video track before it, nor cover art, subtitles, or timed data are taken for it."""
    cover, source, words = tmp_path / "cover.png", tmp_path / "tracks.mp4", tmp_path / "words.srt"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=640x360", "-frames:v", "1", str(cover))
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nwords\n")
    pictures = [part for name in ("blue", "lime") for part in ("-f", "lavfi", "-i", f"color={name}:s=320x180:r=10:d=1")]
    dispositions = ["-disposition:v:0", "0", "-disposition:v:1", "default", "-disposition:v:2", "attached_pic"]
    ffmpeg(
        *pictures,
        *("-i", str(cover), "-i", str(words), "-map", "0", "-map", "1", "-map", "2", "-map", "3"),
        *("-c:v", "libx264", "-c:v:2", "png", "-c:s", "mov_text", *dispositions),
        *("-timecode", "10:00:00:00", str(source)),
    )
    _, target = ready(source, own_services, settings, warning("video_left_out", n=1))
    signal = read_points(target, [(0.5, 0.5)])[0]
    assert signal.index(max(signal)) == 1
