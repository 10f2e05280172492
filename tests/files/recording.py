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
        return self.shown + np.array(deltas, np.float64)[self.part_of.astype(int)]

    def sound(self, deltas: Sequence[float], seconds: float) -> NDArray[np.float32]:
        """Return the sound of the first so many seconds, zeros where there is none, each part moved as told."""
        place = _moves(self.parts, self.begins) + np.array([*deltas])
        return line(self.heard, self.heard.times + place[self.heard_part.astype(int)], seconds)


def recording(pictures: Pictures, heard: Sound, listed: Listing, audio: int | None, *, join: bool) -> Recording:
    """Lay out the source with the sound of one stream; `join` closes long pauses as jumps of the clock are closed."""
    video = listed.of(listed.video)
    known = ranges_of(listed.packets, [stream for stream in (listed.video, audio) if stream is not None])
    seen_part = parts_of(pictures.times, _known(known, listed.video))
    heard_part = parts_of(heard.times, _known(known, audio))
    lengths = heard.counts / SAMPLE_RATE
    step = _step(pictures.times)
    last = _last_seconds(pictures, video, step)
    parts, seen, said = list[Part](), np.zeros(len(pictures)), np.zeros(len(heard))
    for number in range(int(max([*seen_part, *heard_part], default=-1)) + 1):
        here, there = seen_part == number, heard_part == number
        starts = np.concatenate([pictures.times[here], heard.times[there]])
        steps = _lengths(pictures.times[here], step)
        ends = np.concatenate([pictures.times[here] + steps, heard.times[there] + lengths[there]])
        for first, final, pause in _stretches(starts, ends):
            inside = here & (pictures.times >= first) & (pictures.times < final)
            seen[inside] = len(parts)
            said[there & (heard.times >= first) & (heard.times < final)] = len(parts)
            behind = pictures.times[inside].max() if inside.any() else first
            end = max(final, behind + min(last, step))
            parts.append(Part(first, end, max(final, behind + max(last, step)), pause))
    begins, at = list[float](), 0.0
    for part in parts:
        at += part.pause if part.pause < ABSURD_SECONDS and not join else 0.0
        begins.append(at)
        at += part.end - part.start
    place = _moves(parts, begins)
    order = np.argsort(pictures.times + place[seen.astype(int)], kind="stable")
    ordered = replace(
        pictures,
        small=pictures.small[order],
        times=pictures.times[order],
        sizes=pictures.sizes[order],
        shapes=pictures.shapes[order],
    )
    seen = seen[order]
    length = _whole(parts, at, [*video, *listed.of(audio)]) if pictures.bounded or heard.bounded else at
    lead = float(pictures.times.min() - heard.times.min()) if len(pictures) and len(heard) else 0.0
    return Recording(
        pictures=ordered,
        shown=ordered.times + place[seen.astype(int)],
        part_of=seen,
        heard=heard,
        heard_part=said,
        parts=tuple(parts),
        begins=tuple(begins),
        shortest=length,
        longest=length + (parts[-1].late - parts[-1].end if parts else 0.0),
        step=step,
        lead=lead,
        bounded=pictures.bounded or heard.bounded or length > MOST_SECONDS,
    )


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


def _lengths(times: Times, step: float) -> Times:
    """Return how long each picture is on for certain."""
    return np.full(len(times), min(step, _USUAL_STEP) if len(times) > 1 else step)


def _last_seconds(pictures: Pictures, packets: list[Packet], step: float) -> float:
    """Return how long the last picture lasts by its packet; a step where the file does not tell."""
    if not len(pictures):
        return 0.0
    final = pictures.times[-1]
    told = [packet.seconds for packet in packets if packet.time is not None and abs(packet.time - final) < step / 2]
    return next((seconds for seconds in told if seconds), step)


def _whole(parts: Sequence[Part], reached: float, packets: list[Packet]) -> float:
    """Return the length of what was decoded in part only, by the packets."""
    known = [(packet.time, packet.seconds or 0.0) for packet in packets if packet.time is not None]
    if not known or not parts:
        return reached
    end = max(time + seconds for time, seconds in known)
    return max(reached, reached + end - parts[-1].late)
