"""Pictures as ffprobe decoded them in many places of a file, and at which places it is to look. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Self

from workers.planning.facts import Probe, Stream
from workers.planning.frame_facts import count_of, frame_lines, position_of, seconds_of, spread

# Decoded for looking: a keyframe of a megapixel costs about 10 ms of CPU, and playback waits. Looking goes on beside
# the listing of packets, so a long file may be looked at more often: docs/encoding.md.
PIXELS_AT_ONCE = 5_000_000
PIXELS_A_SECOND = 5_000
PIXELS_A_SECOND_OF_STREAMS = 15_000  # their packets take twice as long to list, and there changes are most likely
MIN_LOOKS, MAX_LOOKS = 3, 96
KEYFRAME_SECONDS = 0.5  # encoders set keyframes seldom more often
# Every picture of these is decoded, whether or not keyframes alone are asked for.
_DECODED_WHOLE = frozenset({"vp9", "av1"})
_INTRA = frozenset(
    {"prores", "dnxhd", "dvvideo", "cfhd", "mjpeg", "jpeg2000", "png", "rawvideo", "v210", "ffv1", "ffvhuff"}
    | {"huffyuv", "magicyuv", "utvideo"}
)
# Seeking in these does not look for keyframes: so many seconds are read until there is one.
SOUGHT_BLINDLY = frozenset({"mpegts", "mpeg"})
BLIND_SECONDS = 3
MAX_GAPS = 8  # looked through for the time of a change, each at most as long as two looks are apart
MAX_LINES = 20_000  # read of what ffprobe prints; all keyframes of MAX_LOOKS places are far fewer
_TAGS = ("pixel_format", "range", "matrix", "primaries", "transfer")


@dataclass(frozen=True, slots=True)
class Look:
    """A picture as it was decoded, `time` seconds on the source's clock; None where the container has none for it.

    `aspect` is that of its pixels, `position` where the file has it, in bytes, as far as that is known. The rest is in
    ffmpeg's words, as in `Stream`.
    """

    time: float | None
    width: int
    height: int
    aspect: Fraction = Fraction(1)
    interlaced: bool = False
    top_first: bool = False
    pixel_format: str = ""
    range: str = ""
    matrix: str = ""
    primaries: str = ""
    transfer: str = ""
    position: int | None = None

    @property
    def tags(self) -> dict[str, str]:
        """What it says of its numbers, by the names of `Stream`."""
        return {tag: getattr(self, tag) for tag in _TAGS}

    def at(self, time: float) -> Self:
        """Return the same at another time."""
        return replace(self, time=time)

    @classmethod
    def described(cls, video: Stream) -> Self:
        """Return the picture that the container's description of a stream without fields promises."""
        tags = {tag: getattr(video, tag) for tag in _TAGS}
        return cls(video.start_time, video.width, video.height, video.pixel_aspect, **tags)


def looks_worth(probe: Probe, video: Stream, seconds: float) -> int:
    """Return in how many places a file of so many seconds is looked at."""
    pixels = max(1, video.width * video.height)
    growing = PIXELS_A_SECOND_OF_STREAMS if probe.container in SOUGHT_BLINDLY else PIXELS_A_SECOND
    return max(MIN_LOOKS, min(MAX_LOOKS, int((PIXELS_AT_ONCE + growing * seconds) / pixels)))


def places(probe: Probe, video: Stream, seconds: float) -> str | None:
    """Return the places to look at as ffprobe's intervals, None for the whole file."""
    blind = probe.container in SOUGHT_BLINDLY
    count = looks_worth(probe, video, seconds)
    all_decoded = video.codec in _DECODED_WHOLE | _INTRA
    decoded = seconds * (max(1.0, float(video.average_rate)) if all_decoded else 1 / KEYFRAME_SECONDS)
    if decoded <= count or (blind and seconds <= BLIND_SECONDS * count):
        return None
    length = f"+{BLIND_SECONDS}" if blind else "+#1"
    return spread(probe, seconds, count, length)


def gaps_of(looks: tuple[Look, ...]) -> str | None:
    """Return the intervals in which something changes at an unknown time that matters, None if there are none.

    A picture's size shows by itself; another shape of pixels or other colours at the same size have to be timed.
    """
    timed = sorted(((one.time, one) for one in looks if one.time is not None), key=lambda timed: timed[0])
    changing = [f"{a:.6f}%{b:.6f}" for (a, before), (b, after) in pairwise(timed) if _must_be_timed(before, after)]
    return ",".join(changing[:MAX_GAPS]) or None


def parse_looks(text: str) -> tuple[Look, ...]:
    """Return the pictures of `name=value|...` lines; lines that are not of a picture are passed over."""
    return tuple(found for line in frame_lines(text, MAX_LINES) if (found := _look(line)) is not None)


def _must_be_timed(before: Look, after: Look) -> bool:
    resized = (before.width, before.height) != (after.width, after.height)
    return (before.aspect != after.aspect and not resized) or before.tags != after.tags


def _look(line: dict[str, str]) -> Look | None:
    width, height = count_of(line.get("width", "")), count_of(line.get("height", ""))
    if not width or not height:
        return None
    across, down = map(count_of, line.get("sample_aspect_ratio", "").partition(":")[::2])
    return Look(
        time=seconds_of(line.get("best_effort_timestamp_time", "")),
        width=width,
        height=height,
        aspect=Fraction(across, down) if across and down else Fraction(1),
        interlaced=line.get("interlaced_frame") == "1",
        top_first=line.get("top_field_first") == "1",
        pixel_format=line.get("pix_fmt", ""),
        range=line.get("color_range", ""),
        matrix=line.get("color_space", ""),
        primaries=line.get("color_primaries", ""),
        transfer=line.get("color_transfer", ""),
        position=position_of(line.get("pkt_pos", "")),
    )
