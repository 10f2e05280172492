"""The probe: what ffprobe says of an upload, as typed facts. Parsing is pure; `probe` is the thin shell."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from storage.errors import NotMediaError, ToolError, ToolTimeoutError
from workers.demuxers import as_input, input_arguments
from workers.tool import Limits, Watch, run_tool
from workers.turns import Turn, turn_told

STREAMS_SECONDS = 60.0  # the header of a 64 GiB file over a slow store takes seconds; a bomb must not take minutes
_UNKNOWN = "This file is not a video in a known format, or it is damaged."
# Dolby Vision profiles that may have a base picture nothing else can show (HEVC, AV1, stereoscopic HEVC); theirs is
# such a one if its compatibility is 0. The base of all others is SDR, HDR10 or HLG.
DOLBY_PROFILES = frozenset({5, 10, 20})
# Codecs whose pictures say themselves whether they are fields, in containers that need not: AVI with DV or XviD, say.
CODECS_WITH_FIELDS = frozenset({"dnxhd", "dvvideo", "h264", "mjpeg", "mpeg2video", "mpeg4", "utvideo", "vc1", "wmv3"})
FIELD_PACKETS = 8
MAX_STREAMS = 100  # a real file has a handful; 1500 tracks are an attack on everything that loops over them


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as the container declares it; times in seconds, None where unknown.

    Pictures are reordered over `delay` places in decoding. `range`, `matrix`, `primaries` and `transfer` are ffmpeg's
    names of what the colours are said to be. `alpha_mode` is WebM's word for transparency beside the picture,
    `dolby_only` tells that only Dolby Vision can show the picture.
    """

    index: int
    kind: str
    codec: str
    width: int
    height: int
    pixel_aspect: Fraction
    turn: Turn
    field_order: str
    average_rate: Fraction
    delay: int
    pixel_format: str
    range: str
    matrix: str
    primaries: str
    transfer: str
    alpha_mode: bool
    dolby_only: bool
    start_time: float
    duration: float | None
    default: bool
    cover: bool
    channels: int
    layout: str
    sample_format: str
    sample_rate: int
    language: str


@dataclass(frozen=True, slots=True)
class Probe:
    """The container and its streams; `start_time` is where its clock begins, in seconds."""

    container: str
    start_time: float
    duration: float | None
    streams: tuple[Stream, ...]


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


def fields_told(url: str, video: Stream, watch: Watch) -> Stream:
    """Return the stream with the field order of its first pictures, where the container has none. Raises ToolError."""
    if video.field_order not in {"", "unknown"} or video.codec not in CODECS_WITH_FIELDS:
        return video
    argv = [
        "ffprobe",
        "-v", "error",
        *input_arguments(url),
        "-of", "compact=p=0:nk=1",
        "-select_streams", str(video.index),
        "-read_intervals", f"%+#{FIELD_PACKETS}",
        "-show_entries", "frame=interlaced_frame,top_field_first",
        as_input(url),
    ]  # fmt: skip
    output = run_tool(argv, Limits(deadline=STREAMS_SECONDS, stall=STREAMS_SECONDS), watch=watch).decode()
    return replace(video, field_order=parse_field_order(output))


def parse_field_order(text: str) -> str:
    """Return ffprobe's word for what `interlaced|top first` lines of pictures say: `tt`, `bb` or `progressive`."""
    orders = [{"1|1": "tt", "1|0": "bb"}.get(line.strip().rstrip("|")) for line in text.splitlines()]
    return next(filter(None, orders), "progressive")


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
        turn=turn_told(item.get("side_data_list", [])),
        field_order=str(item.get("field_order", "")),
        average_rate=_ratio(item.get("avg_frame_rate", ""), "/"),
        delay=int(item.get("has_b_frames", 0)),
        pixel_format=str(item.get("pix_fmt", "")),
        range=str(item.get("color_range", "")),
        matrix=str(item.get("color_space", "")),
        primaries=str(item.get("color_primaries", "")),
        transfer=str(item.get("color_transfer", "")),
        alpha_mode=_tag(item, "alpha_mode") == "1",
        dolby_only=any(map(_is_dolby_only, item.get("side_data_list", []))),
        start_time=_seconds(item.get("start_time")) or 0.0,
        duration=_seconds(item.get("duration")),
        default=bool(disposition.get("default")),
        cover=bool(disposition.get("attached_pic")),
        channels=int(item.get("channels", 0)),
        layout=str(item.get("channel_layout", "")),
        sample_format=str(item.get("sample_fmt", "")),
        sample_rate=int(item.get("sample_rate", 0)),
        language=_tag(item, "language"),
    )


def _tag(item: dict[str, Any], name: str) -> str:
    """Return a stream's tag; writers differ in upper and lower case."""
    tags = {key.lower(): value for key, value in item.get("tags", {}).items()}
    return str(tags.get(name, ""))


def _is_dolby_only(side_data: dict[str, Any]) -> bool:
    """Tell whether this is a Dolby Vision record of a profile whose base picture is in Dolby's own colours."""
    profile, compatible = side_data.get("dv_profile"), side_data.get("dv_bl_signal_compatibility_id")
    return profile in DOLBY_PROFILES and compatible == 0


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
