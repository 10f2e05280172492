"""Tracks beside the picture whose codec no upload may reach: which they are, and how tools are kept from meeting them.

ffprobe opens a decoder for each stream, also for those that nobody selects, and ends at the first that it may not open
(5.1 and 7.1). So tools see such a stream without the name of its codec: they list it, and look for no decoder.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage.errors import ToolError, ToolTimeoutError
from workers.planning.facts import Probe
from workers.planning.headers import asf, avi, matroska, mp4
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.probe import PROBE_BYTES, STREAMS_SECONDS
from workers.sandbox.allowed_inputs import as_input, input_arguments
from workers.sandbox.reach import reach_of
from workers.sandbox.run import ToolLimits, Watch, run_tool

MOST_UNLISTED = 8  # each is met by one more ffprobe of 0.1 s, and a plan begun anew; real files have one or two
LAST_LINES = 2  # the decoder's name and the stream's number; what a file makes ffprobe say before may have no end
# In the words of ffmpeg 5.1 and 7.1 (libavcodec/avcodec.c, fftools/ffprobe.c), in this order.
_DECODER = re.compile(r"Codec \(([\w.-]{1,32})\) not on whitelist", re.ASCII)
_STREAM = re.compile(r"Could not open codec for input stream (\d{1,4})$", re.ASCII)
FINDERS = (mp4.codec_places, matroska.codec_places, avi.codec_places, asf.codec_places)


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Streams without the names of their codecs: the spans of bytes that are `blank`, and each stream's decoder."""

    blank: tuple[tuple[int, int], ...] = ()
    decoders: tuple[tuple[int, str], ...] = ()

    def told_in(self, probe: Probe) -> Probe:
        """Return the probe of the file that is seen so, with the decoders that the streams would need."""
        needed = dict(self.decoders)
        streams = (replace(stream, unlisted=needed.get(stream.index, "")) for stream in probe.streams)
        return replace(probe, streams=tuple(streams))


NOTHING_UNLISTED = Unlisted()


def with_next(url: str, file: Ranges, known: Unlisted, watch: Watch) -> Unlisted | None:
    """Return these and the next stream, at which ffprobe ends; None where it cannot be kept from meeting it.

    Raises LeaseLostError when cancelled.
    """
    met = _met(url, watch)
    if met is None or met[0] in dict(known.decoders) or len(known.decoders) == MOST_UNLISTED:
        return None
    places = next((found for find in FINDERS if (found := find(file, met[0]))), ())
    return Unlisted((*known.blank, *places), (*known.decoders, met)) if places else None


def _met(url: str, watch: Watch) -> tuple[int, str] | None:
    """Return the stream at which ffprobe ends, and the decoder that it may not open."""
    argv = ["ffprobe", "-v", "warning", *input_arguments(url), "-show_entries", "format=format_name", as_input(url)]
    lines = deque[str](maxlen=LAST_LINES)
    limits = ToolLimits(STREAMS_SECONDS, STREAMS_SECONDS, PROBE_BYTES)
    try:
        run_tool(argv, limits, reach=reach_of(url), watch=replace(watch, on_message=lines.append))
    except (ToolError, ToolTimeoutError):
        return _read(lines)
    return None


def _read(lines: Iterable[str]) -> tuple[int, str] | None:
    told = "\n".join(lines)
    decoder, stream = _DECODER.search(told), _STREAM.search(told)
    return None if decoder is None or stream is None else (int(stream[1]), decoder[1])
