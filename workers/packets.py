"""The packets of a file: when its pictures show and its sound is heard, in the order of the file. Parsing is pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import dropwhile, pairwise
from statistics import median_low

from workers.demuxers import as_input, input_arguments, looking_arguments
from workers.probe import Stream
from workers.raw_streams import counted
from workers.tool import Limits, Watch, run_tool

PACKETS_SECONDS = 900.0  # 0.6 s for 290 MB on local disk (DESIGN §7); 64 GiB at 100 MB/s is 11 minutes
# If more than one packet of so many has no time of showing, the container keeps times of decoding (AVI) or those of a
# few pictures (DVD); if fewer, it is damaged.
UNTIMED = 10
_FIELDS = ("stream_index", "pts_time", "dts_time", "duration_time", "flags")
_UNKNOWN = frozenset({"", "N/A"})


@dataclass(frozen=True, slots=True)
class Packets:
    """What is shown or heard of one stream, a packet each, in the order of the file.

    `times` are when they begin and `lengths` how long they last, in seconds on the source's clock; a length is 0 where
    the file says none. `decoded` are when they are decoded, which goes back only where the clock does. `places` number
    the packets among those of all streams. `keyframes` are sorted; those of packets that are not shown are among them.
    `counted_rate` is there where the packets have no times of their own, and these were counted.
    """

    places: tuple[int, ...] = ()
    times: tuple[float, ...] = ()
    lengths: tuple[float, ...] = ()
    decoded: tuple[float, ...] = ()
    keyframes: tuple[float, ...] = ()
    counted_rate: Fraction | None = None


@dataclass(frozen=True)
class Listing:
    """ffprobe's lines, one for each packet of every stream: `index|pts|dts|duration|flags`."""

    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The lines, some of which may be empty."""
        return self.text.splitlines()

    @cached_property
    def streams(self) -> frozenset[int]:
        """The indexes of the streams that have packets."""
        found = {line.partition("|")[0] for line in self.lines}
        return frozenset(int(index) for index in found if index.isdecimal())

    def first_time(self, stream: int) -> float | None:
        """Return the time of the stream's first keyframe, or of its first packet where none is marked; or None."""
        timed = [(float(row[1]), row[4]) for _, row in self._rows(stream) if row[1] not in _UNKNOWN]
        return next((time for time, flags in timed if "K" in flags), timed[0][0] if timed else None)

    def last_end(self) -> float:
        """Return when the last packet of any stream ends, seconds on the source's clock; minus infinity without any."""
        rows = (row for stream in self.streams for _, row in self._rows(stream))
        return max((float(row[1]) + _length(row[3]) for row in rows if row[1] not in _UNKNOWN), default=float("-inf"))

    def pictures(self, video: Stream) -> Packets:
        """Return the stream's pictures; packets without a time or marked as discarded (edit lists) are not shown."""
        rows = list(self._rows(video.index))
        if video.late:  # what comes before the first keyframe came before its parameters, and cannot be decoded
            rows = list(dropwhile(lambda row: "K" not in row[1][4], rows)) or rows
        packets, rate = counted([row[1:] for _, row in rows], video.average_rate, raw=video.raw)
        rows = (
            [(place, [row[0], *packet]) for (place, row), packet in zip(rows, packets, strict=True)] if rate else rows
        )
        untimed = sum(row[1] in _UNKNOWN and row[2] not in _UNKNOWN for _, row in rows)
        if untimed * UNTIMED > len(rows):
            return _by_decoding(rows, video.delay)
        timed = [(place, row) for place, row in rows if row[1] not in _UNKNOWN]
        shown = _packets((place, float(row[1]), _length(row[3]), row[2]) for place, row in timed if "D" not in row[4])
        keyframes = tuple(sorted(float(row[1]) for _, row in timed if "K" in row[4]))
        return replace(shown, keyframes=keyframes, counted_rate=rate)

    def sounds(self, audio: Stream) -> Packets:
        """Return the stream's sound; a packet without a time follows the one before it."""
        return _packets(self._heard(audio.index))

    def in_order(self, video: Stream) -> bool:
        """Tell whether the stream's pictures show in the order in which they stand in the file."""
        times = [row[1] for _, row in self._rows(video.index)]
        return not _UNKNOWN.intersection(times) and all(a < b for a, b in pairwise(map(float, times)))

    def _heard(self, stream: int) -> Iterator[tuple[int, float, float, str]]:
        ends: float | None = None
        for place, (_, shown, decoded, length, flags, *_) in self._rows(stream):
            lasts = _length(length)
            told = shown if shown not in _UNKNOWN else decoded
            time = float(told) if told not in _UNKNOWN else ends
            if time is None:
                continue
            ends = time + lasts
            if "D" not in flags:
                yield place, time, lasts, told

    def _rows(self, stream: int) -> Iterator[tuple[int, list[str]]]:
        begins = f"{stream}|"
        for place, line in enumerate(self.lines):
            if line.startswith(begins) and len(row := line.split("|")) >= len(_FIELDS):
                yield place, row


def list_packets(url: str, watch: Watch, look_seconds: float = 0.0) -> Listing:
    """Return the packets of all streams, without decoding. Raises ToolError, ToolTimeoutError.

    `look_seconds` are those of `workers.probe.probe`.
    """
    argv = [
        "ffprobe",
        "-v", "error",
        *looking_arguments(look_seconds),
        *input_arguments(url),
        "-of", "compact=p=0:nk=1",
        "-show_entries", f"packet={','.join(_FIELDS)}",
        as_input(url),
    ]  # fmt: skip
    limits = Limits(deadline=PACKETS_SECONDS, stall=PACKETS_SECONDS)
    return Listing(run_tool(argv, limits, watch=watch).decode())


def _by_decoding(rows: Sequence[tuple[int, list[str]]], delay: int) -> Packets:
    """Return times as the decoder gives them: a picture shows when `delay` more packets than its own have gone in."""
    timed = [(place, float(row[2]), row[3], row[4]) for place, row in rows if row[2] not in _UNKNOWN]
    decoded = [time for _, time, _, _ in timed]
    step = median_low(sorted(after - before for before, after in pairwise(decoded) if after > before) or [0.0])
    times = [time for run in _runs(decoded) for time in _shown(run, delay, step)]
    return Packets(
        places=tuple(place for place, *_ in timed),
        times=tuple(times),
        lengths=tuple(_length(length) for _, _, length, _ in timed),
        decoded=tuple(decoded),
        keyframes=tuple(sorted(time + step * delay for _, time, _, flags in timed if "K" in flags)),
    )


def _runs(decoded: Sequence[float]) -> Iterator[Sequence[float]]:
    """Yield the parts over which times of decoding do not go back: recordings may be joined in a file."""
    begun = 0
    for number, (before, after) in enumerate(pairwise(decoded), start=1):
        if after < before:
            yield decoded[begun:number]
            begun = number
    yield decoded[begun:]


def _shown(run: Sequence[float], delay: int, step: float) -> Sequence[float]:
    if not run:
        return run
    return [*run, *(run[-1] + step * n for n in range(1, delay + 1))][delay:]


def _packets(found: Iterable[tuple[int, float, float, str]]) -> Packets:
    """Return packets of places, times, lengths and times of decoding; one not told is that of the packet before.

    Where none is told, pictures are taken to be decoded as they are shown.
    """
    columns = tuple(zip(*found, strict=True))
    if not columns:
        return Packets()
    places, times, lengths, told = columns
    if _UNKNOWN.issuperset(told):
        return Packets(places, times, lengths, times)
    decoded, latest = list[float](), times[0]
    for text in told:
        latest = latest if text in _UNKNOWN else float(text)
        decoded.append(latest)
    return Packets(places, times, lengths, tuple(decoded))


def _length(text: str) -> float:
    return 0.0 if text in _UNKNOWN else float(text)
