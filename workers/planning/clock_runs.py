"""Where the clock of a stream goes on, and where it jumps: the runs of its packets. Pure.

A recording is read in the order in which its file has the packets. Where the clock goes back, or where pictures and
sound jump ahead together, a new run begins. A pause of pictures is no jump while the sound goes on, or while nothing in
the file speaks against it: a screen recorder writes no picture as long as nothing moves. Only a pause that is longer
than any video that is taken here is no pause.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import sub

from workers.planning.packets import Packets

GAP_SECONDS = 60.0  # shorter pauses that pictures and sound share are lost reception more often than another recording
ABSURD_SECONDS = 12 * 3600.0  # between two packets, or pictures and sound: longer than what is encoded here at all
TINY_GAP_SECONDS = 5.0  # in the first packets of a part: a stray one is told from a pause by what the clock does next
GAP_STEPS = 20.0  # and only where pictures otherwise come much faster: a slide show's steps are all long
STRAY_PACKETS = 2  # so few packets on a clock of their own are damage, not a scene
# Containers may list pictures in the order of decoding. H.264 reorders over at most 16 places, encoders over 2 to 4;
# what decodes first may show so many steps earlier than one listed before it, and a little for rounding.
LEAST_REORDERING = 3
MOST_REORDERED = 16
BACK_SECONDS = 0.2
SORTED_AT_ONCE = 16 * MOST_REORDERED  # so many that few steps are missed between them, and few pieces hold a jump
ALIKE = 0.35  # steps that differ by less are one step, rounded: 16 and 17 ms, 4 and 5 ms at 240 pictures a second
SOUND_BACK_SECONDS = 0.5  # times of sound jitter by less, packets overlap by less
SHARED_SECONDS = 1.0  # interleaving: what belongs together begins and ends so near
SHARED = 0.8  # of a jump, both streams have nothing: in a part that follows, sound may begin late


@dataclass(frozen=True, slots=True)
class Run:
    """Packets of a stream, by their `numbers`, over which its clock goes on.

    The earliest begins at `start` and the latest at `latest`, which ends at `end`; the first and the last are `decoded`
    at these times: seconds on the source's clock. `places` are those of the first and the last packet in the file.
    """

    numbers: Sequence[int]
    start: float
    latest: float
    end: float
    decoded: tuple[float, float]
    places: tuple[int, int]

    @property
    def is_tiny(self) -> bool:
        """Tell whether it holds so few packets that it may be damage."""
        return len(self.numbers) <= STRAY_PACKETS

    def of(self, column: Sequence[float]) -> Sequence[float]:
        """Return the run's part of a column of all packets."""
        return _of(column, self.numbers)

    def with_next(self, other: Run) -> Run:
        """Return the run that goes on as the other one, which follows."""
        ends = max((self.latest, self.end), (other.latest, other.end))
        decoded, places = (self.decoded[0], other.decoded[1]), (self.places[0], other.places[1])
        return Run([*self.numbers, *other.numbers], min(self.start, other.start), *ends, decoded, places)


def reordering(delay: int, step: float) -> float:
    """Return how far back the clock of pictures goes, in seconds, that are reordered over `delay` places."""
    return max(delay, LEAST_REORDERING) * step + BACK_SECONDS


def typical_step(times: Sequence[float]) -> float:
    """Return the median step between pictures in seconds, 0 where there is none; the times are in the file's order."""
    steps = _sorted_steps(times)
    return steps[len(steps) // 2] if steps else 0.0


def exact_step(times: Sequence[float]) -> float:
    """Return the average of the steps that are like the median one, 0 where there is none.

    Where times are whole milliseconds, the median of 59.94 pictures a second is 17 ms, and the average 16.683.
    """
    steps = _sorted_steps(times)
    typical = steps[len(steps) // 2] if steps else 0.0
    alike = steps[bisect_left(steps, typical * (1 - ALIKE)) : bisect_right(steps, typical * (1 + ALIKE))]
    return sum(alike) / len(alike) if alike else 0.0


def _sorted_steps(times: Sequence[float]) -> list[float]:
    """Return the steps between pictures, sorted.

    The times are sorted piece by piece, as the clocks of recordings in one file may run over each other.
    """
    steps = list[float]()
    for begin in range(0, len(times), SORTED_AT_ONCE):
        ordered = sorted(times[begin : begin + SORTED_AT_ONCE])
        steps += [step for step in map(sub, ordered[1:], ordered) if step > 0]
    return sorted(steps)


def runs_of(packets: Packets, other: Packets, *, back: float, step: float) -> list[Run]:
    """Return the runs of a stream beside another one, without stray packets.

    Its pictures come a `step` after each other, and its clock goes back where it does by more than `back`; seconds.
    """
    found = _without_strays(list(_steady(packets, back, step)), back)
    others, runs = sorted(other.times) if len(found) > 1 else [], found[:1]
    for run in found[1:]:
        ahead = run.decoded[0] > runs[-1].decoded[1] - back
        if ahead and _pauses(runs[-1], run, others):
            runs[-1] = runs[-1].with_next(run)
        else:
            runs.append(run)
    return runs


def _steady(packets: Packets, back: float, step: float) -> Iterator[Run]:
    """Yield what lies between the places where the clock goes back or far ahead."""
    decoded, begun, early = packets.decoded, 0, list[int]()
    limits = (max(TINY_GAP_SECONDS, GAP_STEPS * step), max(GAP_SECONDS, GAP_STEPS * step))
    steps = list(map(sub, decoded[1:], decoded))
    is_steady = not steps or (-back <= min(steps) and max(steps) <= limits[0])  # as nearly all are, of very many steps
    for number in [] if is_steady else [at for at, step in enumerate(steps, 1) if not -back <= step <= limits[0]]:
        limit = limits[number - begun > STRAY_PACKETS]
        if -back <= decoded[number] - decoded[number - 1] <= limit:
            continue
        # What is decoded ahead of its turn may belong to the part behind the jump.
        ahead = _ahead(packets, range(begun, number), decoded[number], back)
        yield _run(packets, range(begun, number), early, ahead)
        begun, early = number, ahead
    if decoded:
        yield _run(packets, range(begun, len(decoded)), early, [])


def _ahead(packets: Packets, numbers: range, behind: float, back: float) -> list[int]:
    """Return which of a run's last packets show outside of it, nearer to `behind` the jump that ends it."""
    begins, ends = packets.decoded[numbers[0]] - back, packets.decoded[numbers[-1]] + back
    found: list[int] = []
    for number in numbers[-MOST_REORDERED:]:
        time = packets.times[number]
        if not begins <= time <= ends and abs(time - behind) < min(abs(time - begins), abs(time - ends)):
            found.append(number)
    return found if len(found) < len(numbers) else []


def _run(packets: Packets, numbers: range, early: list[int], ahead: list[int]) -> Run:
    """Return the run of these packets: with those that were decoded early, without those decoded ahead for the next."""
    mine: Sequence[int] = numbers
    if early or ahead:
        mine = [*early, *(number for number in numbers if number not in ahead)]
    times = _of(packets.times, mine)
    latest = max(times)
    return Run(
        numbers=mine,
        start=min(times),
        latest=latest,
        end=latest + packets.lengths[mine[times.index(latest)]],
        decoded=(packets.decoded[numbers[0]], packets.decoded[numbers[-1]]),
        places=(packets.places[numbers[0]], packets.places[numbers[-1]]),
    )


def _without_strays(runs: list[Run], back: float) -> list[Run]:
    """Return the runs without tiny ones that the clock comes back from or goes back to, or that lie absurdly far."""
    kept: list[Run] = []
    for number, run in enumerate(runs):
        following = runs[number + 1] if number + 1 < len(runs) else None
        comes_back = following is not None and following.decoded[0] < run.decoded[1] - back
        goes_back = bool(kept) and run.decoded[0] < kept[-1].decoded[1] - back
        far = bool(kept) and run.decoded[0] - kept[-1].decoded[1] > ABSURD_SECONDS
        if not run.is_tiny or not (comes_back or goes_back or far):
            kept.append(run)
    return kept or runs[:1]


def _pauses(run: Run, following: Run, others: Sequence[float]) -> bool:
    """Tell whether a gap is a pause: its length is stated, or the other stream does not jump as well."""
    before, after = run.decoded[1], following.decoded[0]
    gap = after - before
    if gap > ABSURD_SECONDS:
        return False
    is_stated = (run.end - run.latest) * 2 > gap
    return is_stated or _shared(before, after, others) <= max(GAP_SECONDS, SHARED * gap)


def _shared(before: float, after: float, others: Sequence[float]) -> float:
    """Return for how long at a time the other stream, whose times are sorted, holds nothing within a gap."""
    near = others[max(0, bisect_right(others, before) - 1) : bisect_left(others, after) + 1]
    return max((min(end, after) - max(start, before) for start, end in pairwise(near)), default=0.0)


def _of(column: Sequence[float], numbers: Sequence[int]) -> Sequence[float]:
    if isinstance(numbers, range):
        return column[numbers.start : numbers.stop]
    return [column[number] for number in numbers]
