"""The packets of a file: when its pictures show and its sound is heard, in the order of the file. Pure."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, compress, pairwise
from operator import add, lt
from statistics import median_low

from workers.planning.facts import Stream
from workers.planning.packet_columns import IS_KEY, KEY, UNKNOWN_POSITION, Columns, all_told, read
from workers.planning.raw_streams import counted_times, counting_rate

# If more than one packet of so many has no time of showing, the container keeps times of decoding (AVI) or those of a
# few pictures (DVD); if fewer, it is damaged.
UNTIMED = 10
LEAP_SECONDS = 60.0  # of times of decoding: no picture is held back for so long; it is the last of its recording


@dataclass(frozen=True, slots=True)
class Packets:
    """What is shown or heard of one stream, a packet each, in the file's order; arrays: tuples take six times more.

    `times` are when they begin and `lengths` how long they last, in seconds on the source's clock; a length is 0 where
    the file says none. `decoded` are when they are decoded, which goes back only where the clock does. `places` number
    the packets among those of all streams. `keyframes` are sorted; those of packets that are not shown are among them.
    `sought` are the times up to which a file must be sought so that each keyframe comes: those of its decoding.
    `counted_rate` is there where the packets have no times of their own, and these were counted; `by_decoding` tells
    that they are those at which decoders show the pictures.
    """

    places: Sequence[int] = ()
    times: Sequence[float] = ()
    lengths: Sequence[float] = ()
    decoded: Sequence[float] = ()
    keyframes: tuple[float, ...] = ()
    sought: tuple[float, ...] = ()
    counted_rate: Fraction | None = None
    by_decoding: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """The packets of every stream that has any, by its index."""

    columns: Mapping[int, Columns] = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Listing:
        """Return what ffprobe's lines say, one for each packet: `index|pts|dts|duration|pos|flags`."""
        return cls(read(text))

    @property
    def streams(self) -> frozenset[int]:
        """The indexes of the streams that have packets."""
        return frozenset(self.columns)

    def met_at(self, stream: int) -> float | None:
        """Return how far on the source's clock a reader of the file is when it meets the stream.

        That is at its first keyframe, or at its first packet where none is marked; None where it has no time. Of a
        stream that a muxer wrote late that is later than its own time.
        """
        columns = self._of(stream)
        timed = [not math.isnan(time) for time in columns.times]
        keys = (number for number, mark in enumerate(columns.marks) if mark & KEY and timed[number])
        first = next(chain(keys, (number for number, known in enumerate(timed) if known)), None)
        if first is None:
            return None
        before = (one.times[: bisect_left(one.places, columns.places[first])] for one in self.columns.values())
        return max(time for time in chain([columns.times[first]], *before) if not math.isnan(time))

    def last_end(self) -> float:
        """Return when the last packet of any stream ends, seconds on the source's clock; minus infinity without any."""
        return max(map(_last_end, self.columns.values()), default=-math.inf)

    @property
    def positions(self) -> list[int]:
        """Where packets of any stream begin in the file, in bytes, as far as it is known; sorted."""
        known = (columns.positions for columns in self.columns.values())
        return sorted(position for position in chain.from_iterable(known) if position != UNKNOWN_POSITION)

    @property
    def read_to(self) -> int:
        """Where the last packet in the file begins, in bytes; 0 where that is not known."""
        return max((0, *(max(columns.positions, default=0) for columns in self.columns.values())))

    def position(self, place: int) -> int | None:
        """Return where the packet of this place begins in the file, in bytes; None where that is not known."""
        for columns in self.columns.values():
            number = bisect_left(columns.places, place)
            if number < len(columns.places) and columns.places[number] == place:
                return None if columns.positions[number] == UNKNOWN_POSITION else columns.positions[number]
        return None

    def keyframe_positions(self, video: Stream) -> list[int]:
        """Return where the stream's keyframes begin in the file, in bytes and in its order, where that is known."""
        columns = self._of(video.index)
        return [at for at in compress(columns.positions, columns.marks.translate(IS_KEY)) if at != UNKNOWN_POSITION]

    def pictures(self, video: Stream) -> Packets:
        """Return the stream's pictures; packets without a time or marked as discarded (edit lists) are not shown."""
        columns = self._of(video.index)
        if video.late:  # what comes before the first keyframe came before its parameters, and cannot be decoded
            first = next((number for number, mark in enumerate(columns.marks) if mark & KEY), 0)
            columns = columns.without_first(first)
        rate: Fraction | None = None
        if video.raw and columns.places:
            columns, rate = _counted(columns, video.average_rate)
        if _untimed(columns) * UNTIMED > len(columns.places):
            return _by_decoding(columns, video.delay)
        keyframes, sought = _keyframes(columns)
        return replace(_shown(columns), keyframes=keyframes, sought=sought, counted_rate=rate)

    def sounds(self, audio: Stream) -> Packets:
        """Return the stream's sound; a packet without a time follows the one before it."""
        columns = self._of(audio.index)
        return _shown(columns if all_told(columns.times) else _following(columns))

    def in_order(self, video: Stream) -> bool:
        """Tell whether the stream's pictures show in the order in which they are decoded, in each recording of it."""
        columns = self._of(video.index)
        times, decoded = columns.times, columns.decoded
        if not all_told(times):
            return False
        return all(map(lt, times, times[1:])) or all(map(_goes_on, times, times[1:], decoded, decoded[1:]))

    def _of(self, stream: int) -> Columns:
        return self.columns.get(stream) or Columns()


def _goes_on(time: float, next_time: float, decoded: float, next_decoded: float) -> bool:
    """Tell whether a picture shows behind the one decoded before it, or the clock begins anew with it."""
    return time < next_time or next_decoded < decoded


def _counted(columns: Columns, declared: Fraction) -> tuple[Columns, Fraction]:
    """Return a raw stream's packets with times by their number, and the rate that these go by."""
    rate = counting_rate(columns.lengths, declared)
    times = counted_times(len(columns.places) + 1, rate)
    counted = array("d", times[:-1])
    return replace(columns, times=counted, decoded=counted, lengths=array("d", [times[1]] * len(counted))), rate


def _last_end(columns: Columns) -> float:
    ends = map(add, columns.times, _lengths(columns))
    return max(ends if all_told(columns.times) else (end for end in ends if not math.isnan(end)), default=-math.inf)


def _untimed(columns: Columns) -> int:
    """Return how many packets are only told when they are decoded."""
    if all_told(columns.times):
        return 0
    told = zip(columns.times, columns.decoded, strict=True)
    return sum(math.isnan(time) and not math.isnan(decoded) for time, decoded in told)


def _following(columns: Columns) -> Columns:
    """Give each packet without a time its time of decoding, else the end of the packet before."""
    ends, times = math.nan, array("d")
    for told, decoded, length in zip(columns.times, columns.decoded, _lengths(columns), strict=True):
        time = told if not math.isnan(told) else ends if math.isnan(decoded) else decoded
        times.append(time)
        ends = time + length
    return replace(columns, times=times)


def _shown(columns: Columns) -> Packets:
    """Return the packets that have a time and are not discarded; where no decoding is told, it is as shown."""
    if not all_told(columns.times):
        columns = columns.only([not math.isnan(time) for time in columns.times])
    columns = columns.not_hidden()
    return Packets(
        places=columns.places,
        times=columns.times,
        lengths=_lengths(columns),
        decoded=_decoded(columns.decoded, columns.times),
    )


def _keyframes(columns: Columns) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return when keyframes show and up to when each must be sought: after a pause that is long before it shows."""
    times, decoded = columns.keys(columns.times), columns.keys(columns.decoded)
    known = sorted(pair for pair in zip(times, decoded, strict=True) if not math.isnan(pair[0]))
    # Nothing is less than NaN: where no decoding is told, it is when the keyframe shows.
    return tuple(time for time, _ in known), tuple(min(time, told) for time, told in known)


def _decoded(told: array[float], times: array[float]) -> array[float]:
    """Return the times of decoding; one that is not told is that of the packet before."""
    if all_told(told):
        return told
    if all(map(math.isnan, told)):
        return times
    decoded, latest = array("d"), times[0]
    for time in told:
        latest = latest if math.isnan(time) else time
        decoded.append(latest)
    return decoded


def _by_decoding(columns: Columns, delay: int) -> Packets:
    """Return times as the decoder gives them: a picture shows when `delay` more packets than its own have gone in."""
    columns = columns.only([not math.isnan(told) for told in columns.decoded])
    decoded = columns.decoded
    step = median_low(sorted(after - before for before, after in pairwise(decoded) if after > before) or [0.0])
    return Packets(
        places=columns.places,
        times=array("d", (time for run in _runs(decoded) for time in _shown_later(run, delay, step))),
        lengths=_lengths(columns),
        decoded=decoded,
        keyframes=tuple(sorted(time + step * delay for time in columns.keys(decoded))),
        sought=tuple(sorted(columns.keys(decoded))),
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


def _shown_later(run: Sequence[float], delay: int, step: float) -> Sequence[float]:
    if not run:
        return run
    return [*run, *(run[-1] + step * n for n in range(1, delay + 1))][delay:]


def _lengths(columns: Columns) -> array[float]:
    """Return how long the packets last, 0 where the file does not say it."""
    told = columns.lengths
    return told if all_told(told) else array("d", (0.0 if math.isnan(length) else length for length in told))
