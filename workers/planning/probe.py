"""What ffprobe is asked of a whole upload: its streams, the order of its fields, its packets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain

from storage.errors import ToolError, ToolTimeoutError
from storage.media_errors import NotMediaError, TooComplexError
from workers.planning.facts import Probe, Stream, parse_field_order, parse_probe
from workers.planning.packet_columns import FIELDS, MOST_PACKETS, Columns, Reader
from workers.planning.packets import Listing
from workers.planning.printed import DESCRIPTION_BYTES, Printed
from workers.sandbox.allowed_inputs import as_input, input_arguments, looking_arguments
from workers.sandbox.reach import reach_of
from workers.sandbox.run import ToolLimits, Watch, run_tool

STREAMS_SECONDS = 60.0  # the header of a 64 GiB file over a slow store takes seconds; a bomb must not take minutes
# Codecs whose pictures say themselves whether they are fields, in containers that need not: AVI with DV or XviD, say.
CODECS_WITH_FIELDS = frozenset({"dnxhd", "dvvideo", "h264", "mjpeg", "mpeg2video", "mpeg4", "utvideo", "vc1", "wmv3"})
FIELD_PACKETS = 8
# Of an ffprobe that decodes next to nothing: 96 MiB do for nine files of the test media, 4K and 8K among them. On top
# come what is looked through for late streams (LOOK_BYTES) and the index of a film of 12 hours.
PROBE_BYTES = 448 * 1024**2
# What workers.planning.facts reads, and no more: whole descriptions print every tag that somebody wrote into a file.
_TAGS = ("alpha_mode", "language", "title", "name", "handler_name", "spherical-video")
_STREAM = (
    "index", "codec_type", "codec_name", "width", "height", "sample_aspect_ratio", "field_order", "avg_frame_rate",
    "has_b_frames", "pix_fmt", "color_range", "color_space", "color_primaries", "color_transfer", "start_time",
    "duration", "channels", "channel_layout", "sample_fmt", "sample_rate", "id", "nb_frames", "time_base",
    "codec_tag_string",
)  # fmt: skip
DESCRIPTION = ":".join(
    (
        "format=format_name,start_time,duration",
        f"stream={','.join(_STREAM)}",
        "stream_disposition=default,attached_pic,forced,hearing_impaired",
        f"stream_tags={','.join(chain.from_iterable((tag, tag.upper(), tag.capitalize()) for tag in _TAGS))}",
        "stream_side_data_list",
        "program=program_id",
        "program_stream=index",
    )
)
CHAPTERS = "chapter=start_time,end_time:chapter_tags=title,TITLE"
PACKETS_SECONDS = 900.0  # 0.6 s for 290 MB on local disk (docs/design.md#encoding); 64 GiB at 100 MB/s is 11 minutes


def probe(url: str, watch: Watch, look_seconds: float = 0.0) -> Probe:
    """Ask ffprobe for container and streams, which it looks for in the first `look_seconds`, 0 for as usual.

    A file with more chapters than fit into DESCRIPTION_BYTES, tens of thousands, is taken to have none.

    Raises NotMediaError, TooComplexError, and ToolError when ffprobe was killed.
    """
    try:
        return _probed(url, watch, look_seconds, f"{DESCRIPTION}:{CHAPTERS}")
    except TooComplexError:
        return _probed(url, watch, look_seconds, DESCRIPTION)


def _probed(url: str, watch: Watch, look_seconds: float, entries: str) -> Probe:
    argv = [
        "ffprobe",
        "-v", "error",
        *looking_arguments(look_seconds),
        *input_arguments(url),
        "-of", "json",
        "-show_entries", entries,
        as_input(url),
    ]  # fmt: skip
    printed = Printed(DESCRIPTION_BYTES)
    try:
        run_tool(
            argv,
            ToolLimits(STREAMS_SECONDS, STREAMS_SECONDS, PROBE_BYTES),
            reach=reach_of(url),
            watch=watch,
            take=printed.take,
        )
        return replace(parse_probe(json.loads(printed.text())), look_seconds=look_seconds)
    except ToolTimeoutError as error:
        raise NotMediaError(detail=f"The file could not be examined in reasonable time. {error.detail}") from error
    except ToolError as error:
        if error.killed:
            raise
        raise NotMediaError(detail=error.detail) from error
    except ValueError as error:  # what ffprobe printed is no JSON, or a number in it is none
        raise NotMediaError(detail=str(error)) from error


def with_field_order(url: str, video: Stream, watch: Watch, look_seconds: float = 0.0) -> Stream:
    """Return the stream with the field order of its first pictures, where the container has none.

    It is not known either where these take too long to be decoded. Raises ToolError.
    """
    if video.field_order not in {"", "unknown"} or video.codec not in CODECS_WITH_FIELDS:
        return video
    argv = [
        "ffprobe",
        "-v", "error",
        *looking_arguments(look_seconds),
        *input_arguments(url),
        "-of", "compact=p=0:nk=1",
        "-select_streams", str(video.index),
        "-read_intervals", f"%+#{FIELD_PACKETS}",
        "-show_entries", "frame=interlaced_frame,top_field_first",
        as_input(url),
    ]  # fmt: skip
    printed = Printed(DESCRIPTION_BYTES)
    limits = ToolLimits(STREAMS_SECONDS, STREAMS_SECONDS)
    try:
        run_tool(argv, limits, reach=reach_of(url), watch=watch, take=printed.take_first)
    except ToolTimeoutError:
        return video
    return replace(video, field_order=parse_field_order(printed.text()))


def list_packets(
    url: str,
    watch: Watch,
    look_seconds: float = 0.0,
    *,
    met: Callable[[Mapping[int, Columns]], None] | None = None,
    most: int = MOST_PACKETS,
    by_index: bool = False,
) -> Listing:
    """Return the packets of all streams, without decoding. Raises ToolError, ToolTimeoutError, TooComplexError.

    The last is raised as soon as there are more than `most` of them.

    `look_seconds` are those of `probe`. `met` gets the columns as far as they are read, again and again. `by_index`
    takes the container's word for which packets are keyframes, and does not look into them.
    """
    argv = [
        "ffprobe",
        "-v", "error",
        *looking_arguments(look_seconds),
        *input_arguments(url),
        *(["-fflags", "+noparse"] if by_index else []),
        "-of", "compact=p=0:nk=1",
        "-show_entries", f"packet={','.join(FIELDS)}",
        "-o", "pipe:1",  # else each line is a write of its own: two hours took a third longer, most of it waking us
        as_input(url),
    ]  # fmt: skip
    reader = Reader(most)

    def take(data: bytes) -> None:
        reader.feed(data)
        if met is not None:
            met(reader.so_far)

    limits = ToolLimits(PACKETS_SECONDS, PACKETS_SECONDS, PROBE_BYTES)
    run_tool(argv, limits, reach=reach_of(url), watch=watch, take=take)
    return Listing(reader.columns())
