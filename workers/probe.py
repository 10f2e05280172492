"""The probe: what ffprobe says of an upload, as typed facts. Parsing is pure; `probe` is the thin shell."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from storage.errors import NotMediaError, ToolError, ToolTimeoutError
from workers.demuxers import as_input, input_arguments
from workers.tool import Limits, Watch, run_tool

STREAMS_SECONDS = 60.0  # the header of a 64 GiB file over a slow store takes seconds; a bomb must not take minutes
PACKETS_SECONDS = 900.0  # 0.6 s for 290 MB on local disk (DESIGN §7); 64 GiB at 100 MB/s is 11 minutes
_UNKNOWN = "This file is not a video in a known format, or it is damaged."
MAX_STREAMS = 100  # a real file has a handful; 1500 tracks are an attack on everything that loops over them


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as the container declares it; times in seconds, None where unknown."""

    index: int
    kind: str
    codec: str
    width: int
    height: int
    pixel_aspect: Fraction
    rotation: int
    field_order: str
    average_rate: Fraction
    transfer: str
    start_time: float
    duration: float | None
    default: bool
    cover: bool
    channels: int
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Probe:
    """The container and its streams; `start_time` is where its clock begins, in seconds."""

    container: str
    start_time: float
    duration: float | None
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class PacketTimes:
    """Presentation times of one video stream's shown packets, and of its keyframes (also those that are not shown).

    Seconds on the source's clock, sorted; `last_duration` is the last shown packet's length.
    """

    times: tuple[float, ...]
    last_duration: float | None
    keyframes: tuple[float, ...]


def probe(url: str, watch: Watch) -> Probe:
    """Ask ffprobe for container and streams. Raises NotMediaError, and ToolError when ffprobe was killed."""
    argv = [
        "ffprobe",
        "-v", "error",
        *input_arguments(url),
        "-of", "json",
        "-show_format",
        "-show_streams",
        as_input(url),
    ]  # fmt: skip
    try:
        output = run_tool(argv, Limits(deadline=STREAMS_SECONDS, stall=STREAMS_SECONDS), watch=watch)
        return parse_probe(json.loads(output))
    except ToolTimeoutError as error:
        raise NotMediaError("The file could not be examined in reasonable time.", detail=error.detail) from error
    except ToolError as error:
        if error.killed:
            raise
        raise NotMediaError(_UNKNOWN, detail=error.detail) from error
    except ValueError as error:  # what ffprobe printed is no JSON, or a number in it is none
        raise NotMediaError(_UNKNOWN, detail=str(error)) from error


def packet_times(url: str, stream: int, watch: Watch) -> PacketTimes:
    """Read every packet's time of one stream without decoding. Raises ToolError, ToolTimeoutError."""
    argv = [
        "ffprobe",
        "-v", "error",
        *input_arguments(url),
        "-of", "compact=p=0:nk=1",
        "-select_streams", str(stream),
        "-show_entries", "packet=pts_time,duration_time,flags",
        as_input(url),
    ]  # fmt: skip
    limits = Limits(deadline=PACKETS_SECONDS, stall=PACKETS_SECONDS)
    return parse_packet_times(run_tool(argv, limits, watch=watch).decode())


def parse_packet_times(text: str) -> PacketTimes:
    """Parse `pts|duration|flags` lines; packets without a time or marked as discarded (edit lists) are not shown."""
    shown: list[tuple[float, float | None]] = []
    keyframes: list[float] = []
    for line in text.splitlines():
        time, _, rest = line.partition("|")
        duration, _, flags = rest.partition("|")
        if time in {"", "N/A"}:
            continue
        if "K" in flags:
            keyframes.append(float(time))
        if "D" not in flags:
            shown.append((float(time), None if duration == "N/A" else float(duration)))
    shown.sort(key=lambda packet: packet[0])
    return PacketTimes(
        times=tuple(time for time, _ in shown),
        last_duration=shown[-1][1] if shown else None,
        keyframes=tuple(sorted(keyframes)),
    )


def parse_probe(answer: dict[str, Any]) -> Probe:
    """Turn ffprobe's JSON into facts; raises NotMediaError when there is no stream or far too many."""
    streams = answer.get("streams", [])
    container = answer.get("format", {})
    if not streams:
        raise NotMediaError("The file holds no streams: it is empty, damaged or not a video.")
    if len(streams) > MAX_STREAMS:
        raise NotMediaError(f"The file declares {len(streams)} streams; real videos have a handful.")
    return Probe(
        container=str(container.get("format_name", "")),
        start_time=_seconds(container.get("start_time")) or 0.0,
        duration=_seconds(container.get("duration")),
        streams=tuple(_stream(item) for item in streams),
    )


def _stream(item: dict[str, Any]) -> Stream:
    disposition = item.get("disposition", {})
    return Stream(
        index=int(item["index"]),
        kind=str(item.get("codec_type", "")),
        codec=str(item.get("codec_name", "")),
        width=int(item.get("width", 0)),
        height=int(item.get("height", 0)),
        pixel_aspect=_ratio(item.get("sample_aspect_ratio", ""), ":") or Fraction(1),
        rotation=_rotation(item.get("side_data_list", [])),
        field_order=str(item.get("field_order", "")),
        average_rate=_ratio(item.get("avg_frame_rate", ""), "/"),
        transfer=str(item.get("color_transfer", "")),
        start_time=_seconds(item.get("start_time")) or 0.0,
        duration=_seconds(item.get("duration")),
        default=bool(disposition.get("default")),
        cover=bool(disposition.get("attached_pic")),
        channels=int(item.get("channels", 0)),
        sample_rate=int(item.get("sample_rate", 0)),
    )


def _seconds(text: str | None) -> float | None:
    """Return finite seconds or None: containers lie, and ffprobe prints what they say."""
    if text is None or text == "N/A":
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _ratio(text: str, separator: str) -> Fraction:
    """Return a positive ratio such as `30000/1001` or `4:3`, 0 for unknown."""
    numerator, _, denominator = text.partition(separator)
    if not (numerator.isdecimal() and denominator.isdecimal()) or int(denominator) == 0:
        return Fraction(0)
    return Fraction(int(numerator), int(denominator))


def _rotation(side_data: list[dict[str, Any]]) -> int:
    """Return the display rotation as 0, 90, 180 or 270; anything else (a crafted matrix) counts as none."""
    for data in side_data:
        rotation = int(data.get("rotation", 0)) % 360
        if rotation in {90, 180, 270}:
            return rotation
    return 0
