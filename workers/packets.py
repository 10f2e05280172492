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
LEAP_SECONDS = 60.0  # of times of decoding: no picture is held back for so long; it is the last of its recording
_FIELDS = ("stream_index", "pts_time", "dts_time", "duration_time", "flags")
# What is asked of ffprobe, which keeps this order: the place in the file stands ahead of the flags, and goes with them.
_ASKED = (*_FIELDS[:-1], "pos", _FIELDS[-1])
_UNKNOWN = frozenset({"", "N/A"})


@dataclass(frozen=True, slots=True)
class Packets:
    """What is shown or heard of one stream, a packet each, in the order of the file.

    `times` are when they begin and `lengths` how long they last, in seconds on the source's clock; a length is 0 where
    the file says none. `decoded` are when they are decoded, which goes back only where the clock does. `places` number
    the packets among those of all streams. `keyframes` are sorted; those of packets that are not shown are among them.
    `counted_rate` is there where the packets have no times of their own, and these were counted; `by_decoding` tells
    that they are those at which decoders show the pictures.
    """

    places: tuple[int, ...] = ()
    times: tuple[float, ...] = ()
    lengths: tuple[float, ...] = ()
    decoded: tuple[float, ...] = ()
    keyframes: tuple[float, ...] = ()
    counted_rate: Fraction | None = None
    by_decoding: bool = False


@dataclass(frozen=True)
class Listing:
    """ffprobe's lines, one for each packet of every stream: `index|pts|dts|duration|flags`.

    Ahead of the flags stands where the packet begins in the file, in bytes: `pos|flags`.
    """

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

    def positions(self, last: int = 0) -> Iterator[int]:
        """Yield where packets begin in the file, in bytes, as far as it is known: the `last` so many, 0 for all."""
        return (known for line in self.lines[-last:] if (known := _position(line)) is not None)

    def position(self, place: int) -> int | None:
        """Return where the packet of this place begins in the file, in bytes; None where that is not known."""
        return _position(self.lines[place])

    def pictures(self, video: Stream) -> Packets:
        """Return the stream's pictures; packets without a time or marked as discarded (edit lists) are not shown."""
        rows: Iterable[tuple[int, list[str]]] = self._rows(video.index)
        if video.late:  # what comes before the first keyframe came before its parameters, and cannot be decoded
            kept = list(rows)
            rows = list(dropwhile(lambda row: "K" not in row[1][4], kept)) or kept
        rate: Fraction | None = None
        if video.raw:
            kept = list(rows)
            packets, rate = counted([row[1:] for _, row in kept], video.average_rate, raw=True)
            rows = [(place, [row[0], *packet]) for (place, row), packet in zip(kept, packets, strict=True)]
        columns = _Columns.of(rows)
        if columns.untimed * UNTIMED > len(columns.places):
            return _by_decoding(columns, video.delay)
        return replace(columns.shown(), counted_rate=rate)

    def sounds(self, audio: Stream) -> Packets:
        """Return the stream's sound; a packet without a time follows the one before it."""
        columns = _Columns.of(self._rows(audio.index))
        if not _UNKNOWN.isdisjoint(columns.times):
            columns.follow()
        return replace(columns.shown(), keyframes=())

    def in_order(self, video: Stream) -> bool:
        """Tell whether the stream's pictures show in the order in which they stand in the file."""
        times = [row[1] for _, row in self._rows(video.index)]
        return not _UNKNOWN.intersection(times) and all(a < b for a, b in pairwise(map(float, times)))

    def _rows(self, stream: int) -> Iterator[tuple[int, list[str]]]:
        begins, bars = f"{stream}|", len(_FIELDS) - 1
        for place, line in enumerate(self.lines):
            if line.startswith(begins) and line.count("|") >= bars:
                yield place, line.split("|", bars)


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
        "-show_entries", f"packet={','.join(_ASKED)}",
        as_input(url),
    ]  # fmt: skip
    limits = Limits(deadline=PACKETS_SECONDS, stall=PACKETS_SECONDS)
    return Listing(run_tool(argv, limits, watch=watch).decode())


@dataclass(frozen=True, slots=True)
class _Columns:
    """The packets of a stream as ffprobe says them, a list for each thing: lists of rows would keep collecting garbage.

    That took half of the time of planning two hours.
    """

    places: list[int]
    times: list[str]
    decoded: list[str]
    lengths: list[str]
    flags: list[str]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, list[str]]]) -> _Columns:
        """Return the columns of rows that are read once."""
        columns = cls([], [], [], [], [])
        for place, (_, time, decoded, length, flags) in rows:
            columns.places.append(place)
            columns.times.append(time)
            columns.decoded.append(decoded)
            columns.lengths.append(length)
            columns.flags.append(flags)
        return columns

    @property
    def untimed(self) -> int:
        """Packets that are only told when they are decoded."""
        told = zip(self.times, self.decoded, strict=True)
        return sum(time in _UNKNOWN and decoded not in _UNKNOWN for time, decoded in told)

    def follow(self) -> None:
        """Give each packet without a time its time of decoding, else the end of the packet before."""
        ends = ""
        for number, told in enumerate(self.times):
            if told in _UNKNOWN:
                self.times[number] = ends if self.decoded[number] in _UNKNOWN else self.decoded[number]
            if (time := self.times[number]) not in _UNKNOWN:
                ends = repr(float(time) + _length(self.lengths[number]))

    def shown(self) -> Packets:
        """Return the packets that have a time and are not discarded; where no decoding is told, it is as shown."""
        timed = [number for number, time in enumerate(self.times) if time not in _UNKNOWN]
        kept = [number for number in timed if "D" not in self.flags[number]]
        times = tuple([float(self.times[number]) for number in kept])
        told = [self.decoded[number] for number in kept]
        return Packets(
            places=tuple([self.places[number] for number in kept]),
            times=times,
            lengths=tuple([_length(self.lengths[number]) for number in kept]),
            decoded=times if _UNKNOWN.issuperset(told) else _filled(told, times[0]),
            keyframes=tuple(sorted([float(self.times[number]) for number in timed if "K" in self.flags[number]])),
        )


def _position(line: str) -> int | None:
    told = line.split("|", len(_FIELDS) - 1)[-1].partition("|")[0]
    return int(told) if told.isdecimal() else None


def _filled(told: Sequence[str], latest: float) -> tuple[float, ...]:
    """Return the times of decoding; one that is not told is that of the packet before."""
    decoded = list[float]()
    for text in told:
        latest = latest if text in _UNKNOWN else float(text)
        decoded.append(latest)
    return tuple(decoded)


def _by_decoding(columns: _Columns, delay: int) -> Packets:
    """Return times as the decoder gives them: a picture shows when `delay` more packets than its own have gone in."""
    timed = [number for number, told in enumerate(columns.decoded) if told not in _UNKNOWN]
    decoded = [float(columns.decoded[number]) for number in timed]
    step = median_low(sorted(after - before for before, after in pairwise(decoded) if after > before) or [0.0])
    times = [time for run in _runs(decoded) for time in _shown(run, delay, step)]
    keys = [time for number, time in zip(timed, decoded, strict=True) if "K" in columns.flags[number]]
    return Packets(
        places=tuple([columns.places[number] for number in timed]),
        times=tuple(times),
        lengths=tuple([_length(columns.lengths[number]) for number in timed]),
        decoded=tuple(decoded),
        keyframes=tuple(sorted(time + step * delay for time in keys)),
        by_decoding=True,
    )


def _runs(decoded: Sequence[float]) -> Iterator[Sequence[float]]:
    """Yield the parts over which times of decoding go neither back nor far ahead: recordings may be joined."""
    begun = 0
    for number, (before, after) in enumerate(pairwise(decoded), start=1):
        if not before <= after <= before + LEAP_SECONDS:
            yield decoded[begun:number]
            begun = number
    yield decoded[begun:]


def _shown(run: Sequence[float], delay: int, step: float) -> Sequence[float]:
    if not run:
        return run
    return [*run, *(run[-1] + step * n for n in range(1, delay + 1))][delay:]


def _length(text: str) -> float:
    return 0.0 if text in _UNKNOWN else float(text)
