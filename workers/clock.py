"""Clocks that jump: recordings joined end to end, broken timestamps, a camera set to another day. Pure.

A recording is read in the order in which its file has the packets. Where the clock goes back, or where pictures and
sound jump ahead together, a new part begins, and parts are joined one behind the other. A pause of pictures is no jump
while the sound goes on, or while nothing in the file speaks against it: a screen recorder writes no picture as long as
nothing moves. Only a pause that is longer than any video that is taken here is no pause.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from storage.plan import ClockPiece
from workers.packets import Packets

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
SOUND_BACK_SECONDS = 0.5  # times of sound jitter by less, packets overlap by less
SHARED_SECONDS = 1.0  # interleaving: a jump shows in the other stream so much earlier or later
RUN_IN_SECONDS = 0.05  # an encoder's run-in ahead of the first picture, of two AAC frames, is nothing to be heard
SOUND_SLACK_SECONDS = 0.25  # decoders tell times of sound that differ from the packets' by an encoder's delay
LEAST_OF_A_STEP = 0.1  # of sound is no reason for one more picture
ROUNDING_SECONDS = 0.01
RUN_OUT_SECONDS = 0.1  # encoders leave so much of sound behind the last picture; more is meant to be heard


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

    def with_next(self, other: Run) -> Run:
        """Return the run that goes on as the other one, which follows."""
        ends = max((self.latest, self.end), (other.latest, other.end))
        decoded, places = (self.decoded[0], other.decoded[1]), (self.places[0], other.places[1])
        return Run([*self.numbers, *other.numbers], min(self.start, other.start), *ends, decoded, places)


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of the clock: `at` seconds of the joined timeline's clock, `by` seconds, negative for back."""

    at: float
    by: float


@dataclass(frozen=True, slots=True)
class Clock:
    """How the clock of a file becomes one that goes on: the pieces of pictures and sound; none for a steady clock.

    `shown` and `heard` are the beginnings and ends of the packets on that clock, in the order of the file. `places` are
    those of the packets with which the pieces of sound begin.
    """

    shown: tuple[tuple[float, float], ...]
    heard: tuple[tuple[float, float], ...]
    pictures: tuple[ClockPiece, ...] = ()
    sound: tuple[ClockPiece, ...] = ()
    jumps: tuple[Jump, ...] = ()
    places: tuple[int, ...] = ()


def clock_of(pictures: Packets, sound: Packets, *, delay: int) -> Clock:
    """Return how the parts of a recording are joined. The pictures are reordered over `delay` places."""
    step = typical_step(pictures.times)
    back = max(delay, LEAST_REORDERING) * step + BACK_SECONDS
    seen = _runs(pictures, sound, back=back, step=step)
    audible = _runs(sound, pictures, back=SOUND_BACK_SECONDS, step=0.0)
    if _is_steady(seen, audible, len(pictures.times), len(sound.times)):
        return Clock(_moved(pictures), _moved(sound))
    joined = _joined(seen, audible, step, back, delay)
    return replace(
        joined,
        shown=tuple(_of_runs(pictures, seen, joined.pictures)),
        heard=tuple(_of_runs(sound, audible, joined.sound)),
        places=tuple(run.places[0] for run in audible),
    )


def _is_steady(seen: Sequence[Run], audible: Sequence[Run], pictures: int, sounds: int) -> bool:
    """Tell whether each stream is one run of all its packets, and the two lie near each other."""
    if any(max(run.start - other.end, other.start - run.end) > ABSURD_SECONDS for run in seen for other in audible):
        return False
    whole = ((seen, pictures), (audible, sounds))
    return all(not runs or (len(runs) == 1 and len(runs[0].numbers) == count) for runs, count in whole)


def typical_step(times: Sequence[float]) -> float:
    """Return the median step between pictures in seconds, 0 where there is none."""
    ordered = sorted(times)
    steps = sorted(after - before for before, after in pairwise(ordered) if after > before)
    return steps[len(steps) // 2] if steps else 0.0


def _runs(packets: Packets, other: Packets, *, back: float, step: float) -> list[Run]:
    """Return the runs of a stream beside another one, without stray packets."""
    found = _without_strays(list(_steady(packets, back, step)), back)
    others, runs = sorted(other.times), found[:1]
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
    for number in range(1, len(decoded)):
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
    times = [packets.times[number] for number in mine]
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
    if after - before > ABSURD_SECONDS:
        return False
    number = bisect_right(others, before + SHARED_SECONDS)
    jumps = 0 < number < len(others) and others[number] >= after - SHARED_SECONDS
    is_stated = (run.end - run.latest) * 2 > after - before
    return is_stated or not jumps or after - before <= GAP_SECONDS


def _moved(packets: Packets) -> tuple[tuple[float, float], ...]:
    return tuple((time, time + length) for time, length in zip(packets.times, packets.lengths, strict=True))


def _of_runs(packets: Packets, runs: Sequence[Run], pieces: Sequence[ClockPiece]) -> Iterator[tuple[float, float]]:
    """Yield what the runs hold on the joined clock, without stray packets among them."""
    for run, piece in zip(runs, pieces, strict=True):
        for number in run.numbers:
            time = packets.times[number]
            if piece.start <= time <= piece.end:
                yield time - piece.shift, time + packets.lengths[number] - piece.shift


def _joined(seen: Sequence[Run], audible: Sequence[Run], step: float, back: float, delay: int) -> Clock:
    """Return the runs one behind the other, those of pictures and sound that belong together moved together."""
    joining = _Joining(step, back, delay)
    at_picture, at_sound = 0, 0
    while at_picture < len(seen) or at_sound < len(audible):
        picture = seen[at_picture] if at_picture < len(seen) else None
        sound = audible[at_sound] if at_sound < len(audible) else None
        if picture is not None and sound is not None and not _belong(picture, sound):
            picture, sound = (picture, None) if picture.places[0] <= sound.places[0] else (None, sound)
        joining.add(picture, sound)
        at_picture += picture is not None
        at_sound += sound is not None
    return joining.clock()


def _belong(picture: Run, sound: Run) -> bool:
    """Tell whether the runs are of one recording: beside each other in the file, and on the clock if it is sane."""
    beside = picture.places[0] <= sound.places[1] and sound.places[0] <= picture.places[1]
    apart = max(picture.start - sound.end, sound.start - picture.end)
    return beside and (apart <= SHARED_SECONDS or apart > ABSURD_SECONDS)


class _Joining:
    """The joined clock as far as it goes; times in seconds."""

    def __init__(self, step: float, back: float, delay: int) -> None:
        self._step = step
        self._delay = delay
        self._back = back
        self._pictures: list[ClockPiece] = []
        self._sound: list[ClockPiece] = []
        self._jumps: list[Jump] = []
        self._shown_to: float | None = None
        self._heard_to: float | None = None
        self._raw_end = 0.0
        self._sound_place = -1

    def add(self, picture: Run | None, sound: Run | None) -> None:
        """Add what belongs together: a run of pictures, one of sound, or both."""
        raw = _beginning(picture, sound, self._step)
        apart = 0.0
        if picture is not None and sound is not None and abs(sound.start - picture.start) > ABSURD_SECONDS:
            raw, apart = picture.start, sound.start - picture.start
        begins = self._begins(picture, sound)
        shift = 0.0 if begins is None else raw - begins
        if begins is not None:
            self._jumps.append(Jump(begins, raw - self._raw_end))
        if apart:
            self._jumps.append(Jump(raw - shift, apart))
        if picture is not None:
            shown = _piece(picture, shift, self._step / 2, self._back)
            if begins is not None:  # decoders of program streams tell such a time of the last picture before
                shown = replace(shown, start=shown.start - self._delay * self._step)
            self._pictures.append(shown)
            self._shown_to = max(picture.end, picture.latest + self._step / 2) - shift
            self._raw_end = picture.end
        if sound is not None:
            heard = _piece(sound, shift + apart, SOUND_SLACK_SECONDS, SOUND_BACK_SECONDS)
            if begins is not None:  # a run-in would lie over the end of the part before
                heard = replace(heard, start=max(heard.start, raw + apart - ROUNDING_SECONDS))
            self._sound.append(heard)
            self._heard_to = sound.end - shift - apart
            self._sound_place = sound.places[1]
            self._raw_end = sound.end if picture is None else max(picture.end, sound.end - apart)

    def _begins(self, picture: Run | None, sound: Run | None) -> float | None:
        """Return where on the joined clock the next part begins, None for the first."""
        if self._shown_to is None or self._heard_to is None:
            return self._heard_to if self._shown_to is None else self._shown_to
        late = self._heard_to - self._shown_to
        if picture is None:
            return max(self._shown_to, self._heard_to)
        if late <= RUN_OUT_SECONDS or (sound is None and picture.places[0] < self._sound_place):
            return self._shown_to  # what little sound is left would move all pictures that follow off the grid
        return self._shown_to + (math.ceil(late / self._step) * self._step if self._step else late)

    def clock(self) -> Clock:
        """Return what was joined."""
        return Clock((), (), tuple(self._pictures), tuple(self._sound), tuple(self._jumps))


def head_steps(picture: float, sound: float | None, step: float) -> int:
    """Return how many whole steps of pictures the sound begins before the first picture; 0 for a run-in."""
    lead = 0.0 if sound is None else picture - sound
    return math.ceil(lead / step - LEAST_OF_A_STEP) if lead > RUN_IN_SECONDS and step else 0


def _beginning(picture: Run | None, sound: Run | None, step: float) -> float:
    if picture is None:
        return 0.0 if sound is None else sound.start
    return picture.start - head_steps(picture.start, None if sound is None else sound.start, step) * step


def _piece(run: Run, shift: float, slack: float, back: float) -> ClockPiece:
    return ClockPiece(start=run.start - slack, end=run.latest + slack, shift=shift, back=back)
