"""The right timeline of a source: from the first picture or sound to the last of either, as the design states it.

A clock that goes back begins a new part; parts follow each other, pictures and sound together. A pause stays a pause,
however long, unless it is absurd. Nothing here is the planner's: times are those of decoded pictures and samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import MOST_SECONDS, SAMPLE_RATE, Pictures, Sound, Times
from tests.files.lines import line
from tests.files.listing import Listing, Packet
from tests.files.parts import Ranges, parts_of, ranges_of

PAUSE_SECONDS = 10.0  # of everything at once: this long it may be a jump of the clock
ABSURD_SECONDS = 6 * 3600.0  # nobody watches such a pause
_USUAL_STEP = 0.04


@dataclass(frozen=True)
class Part:
    """A stretch of the source's clock, seconds: from `start` to `end`, after `pause` of nothing on the same clock.

    `end` is the least, `late` the most that the last picture's length allows.
    """

    start: float
    end: float
    late: float
    pause: float


@dataclass(frozen=True)
class Recording:
    """A source as it is to be shown: pictures with their places, sound from the beginning on, and the length.

    `shown` are seconds of the result's timeline, in order as `pictures` are. `begins` are where the parts begin on it,
    `shortest` and `longest` the length's limits. `lead` is how much the sound comes before the first picture.
    """

    pictures: Pictures
    shown: Times
    part_of: Times
    heard: Sound
    heard_part: Times
    parts: tuple[Part, ...]
    begins: tuple[float, ...]
    shortest: float
    longest: float
    step: float
    lead: float
    bounded: bool

    def moved(self, deltas: Sequence[float]) -> Times:
        """Return when each picture is shown, each part moved by so many seconds."""
        return np.asarray(self.shown + np.array(deltas)[self.part_of.astype(int)])

    def sound(self, deltas: Sequence[float], seconds: float) -> NDArray[np.float32]:
        """Return the sound of the first so many seconds, zeros where there is none, each part moved as told."""
        place = _moves(self.parts, self.begins) + np.array([*deltas])
        return line(self.heard, self.heard.times + place[self.heard_part.astype(int)], seconds)


def recording(pictures: Pictures, heard: Sound, listed: Listing, audio: int | None, *, join: bool) -> Recording:
    """Lay out the source with the sound of one stream; `join` closes long pauses as jumps of the clock are closed."""
    ranges = ranges_of(listed.packets, [stream for stream in (listed.video, audio) if stream is not None])
    step = _step(pictures.times)
    last = _last_seconds(pictures, listed.of(listed.video), step)
    seen = parts_of(pictures.times, _known(ranges, listed.video))
    said = parts_of(heard.times, _known(ranges, audio))
    parts, seen, said = _parts(pictures.times, heard, seen, said, (step, last))
    begins = _begins(parts, join=join)
    place = _moves(parts, begins)
    order = np.argsort(pictures.times + place[seen.astype(int)], kind="stable")
    bounded = pictures.bounded or heard.bounded
    length = begins[-1] + parts[-1].end - parts[-1].start if parts else 0.0
    if bounded:
        length = max(length, _length_of(ranges, {listed.video: min(last, step)}))
    return Recording(
        pictures=_ordered(pictures, order),
        shown=(pictures.times + place[seen.astype(int)])[order],
        part_of=seen[order],
        heard=heard,
        heard_part=said,
        parts=parts,
        begins=begins,
        shortest=length,
        longest=length + (parts[-1].late - parts[-1].end if parts else 0.0),
        step=step,
        lead=float(pictures.times.min() - heard.times.min()) if len(pictures) and len(heard) else 0.0,
        bounded=bounded or length > MOST_SECONDS,
    )


def _parts(
    times: Times, heard: Sound, seen: Times, said: Times, last: tuple[float, float]
) -> tuple[tuple[Part, ...], Times, Times]:
    """Cut the file's parts at long pauses of everything; return them, and of pictures and sound in which they are.

    `seen` and `said` tell it of the file's parts; `last` are two lengths that the last picture may have.
    """
    lengths = np.full(len(times), min(last[0], _USUAL_STEP) if len(times) > 1 else last[0])  # on for certain
    ends = heard.times + heard.counts / SAMPLE_RATE
    found, in_part, in_sound = list[Part](), np.zeros(len(times)), np.zeros(len(heard))
    for number in range(int(max([*seen, *said], default=-1)) + 1):
        here, there = seen == number, said == number
        starts = np.concatenate([times[here], heard.times[there]])
        for first, final, pause in _stretches(starts, np.concatenate([(times + lengths)[here], ends[there]])):
            inside = here & (times >= first) & (times < final)
            in_part[inside] = len(found)
            in_sound[there & (heard.times >= first) & (heard.times < final)] = len(found)
            behind = float(times[inside].max()) if inside.any() else first
            found.append(Part(first, max(final, behind + min(last)), max(final, behind + max(last)), pause))
    return tuple(found), in_part, in_sound


def _begins(parts: Sequence[Part], *, join: bool) -> tuple[float, ...]:
    begins, at = list[float](), 0.0
    for part in parts:
        at += part.pause if part.pause < ABSURD_SECONDS and not join else 0.0
        begins.append(at)
        at += part.end - part.start
    return tuple(begins)


def _ordered(pictures: Pictures, order: NDArray[np.int64]) -> Pictures:
    return replace(
        pictures,
        small=pictures.small[order],
        times=pictures.times[order],
        sizes=pictures.sizes[order],
        shapes=pictures.shapes[order],
    )


def _length_of(ranges: dict[int, Ranges], lasts: dict[int | None, float]) -> float:
    """Return the length of all parts together, by the packets' times and how long each stream's last one lasts."""
    parts = dict[int, tuple[float, float]]()
    for stream, known in ranges.items():
        for part, first, last in known:
            end = last + lasts.get(stream, 0.0)
            before = parts.get(part, (first, end))
            parts[part] = (min(before[0], first), max(before[1], end))
    return sum(last - first for first, last in parts.values())


def pauses(parts: Sequence[Part]) -> list[float]:
    """Return the pauses of everything between parts."""
    return [part.pause for part in parts if part.pause]


def _known(ranges: dict[int, Ranges], stream: int | None) -> Ranges:
    return [] if stream is None else ranges.get(stream, [])


def _moves(parts: Sequence[Part], begins: Sequence[float]) -> Times:
    """Return by how much each part is moved to the result's timeline."""
    return np.array([begin - part.start for begin, part in zip(begins, parts, strict=True)] or [0.0])


def _stretches(starts: Times, ends: Times) -> list[tuple[float, float, float]]:
    """Return where pictures or sound begin and end without a long pause of both: start, end, the pause before."""
    order = np.argsort(starts, kind="stable")
    found = list[tuple[float, float, float]]()
    for start, end in zip(starts[order], ends[order], strict=True):
        if found and start - found[-1][1] <= PAUSE_SECONDS:
            found[-1] = (found[-1][0], max(found[-1][1], float(end)), found[-1][2])
        else:
            found.append((float(start), float(end), float(start) - found[-1][1] if found else 0.0))
    return found


def _step(times: Times) -> float:
    """Return the usual time from one picture to the next."""
    steps = np.diff(np.sort(times))
    steps = steps[(steps > 0) & (steps < 2.0)]
    return float(np.median(steps)) if len(steps) else _USUAL_STEP


def _last_seconds(pictures: Pictures, packets: list[Packet], step: float) -> float:
    """Return how long the last picture lasts by its packet; a step where the file does not tell."""
    if not len(pictures):
        return 0.0
    final = pictures.times[-1]
    told = [packet.seconds for packet in packets if packet.time is not None and abs(packet.time - final) < step / 2]
    return next((seconds for seconds in told if seconds), step)
