"""What a coded clip has to become, and where a result is unlike that. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tests.support.coded import LOWEST_HERTZ, STEP_HERTZ, Heard

BEEP_TOLERANCE = 0.060  # seconds, as the field's README says
MISREAD_WITHIN = 0.15  # seconds beside a beep that was cut
HALF_WAY = 0.5  # seconds between two beeps: what is heard farther away is another one
JOINED_TOLERANCE = 0.080  # seconds: a shorter hole between two recordings is bridged by stretching
RUN_IN_SECONDS = 0.050  # of an encoder, before the picture: it need not be kept
SOUND_TAIL_SECONDS = 0.100  # behind the last picture need not be kept
END_SECONDS = 0.030  # a frame of AAC may be filled up
PART_SECONDS = 0.12  # an appended recording may begin so much earlier or later: run-in and tail; and a picture's step
BENT = 0.03  # of its pitch a beep may be higher or lower where sound is stretched to its clock: half a semitone
RATE_AGREES = 0.0005  # between 59.94 and 60 lie 0.001
JITTER_SHARE = 0.03  # of all pictures may be lost, and as many repeated, where the times jitter: nearly none
_EPSILON = 0.0015  # what clocks of whole milliseconds leave: so much a picture may lie off besides
_WRONG = "wrong pictures"
_SHOWN = 3  # so many places of a kind are told


@dataclass(frozen=True, slots=True)
class Beep:
    """A beep that is to be heard `at` a time (seconds); one that is not `sure` was cut or may be."""

    at: float
    k: int
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A recording appended to another: where it begins (seconds), and its first picture's and first beep's number."""

    at: float
    first_picture: int
    first_beep: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What is right: all times in seconds after the first picture or sound.

    `shown` are (time, number) of the source's pictures: the first stands before it, each one until the next; without
    any their numbers are not looked at. `ends` are the ends of pictures and sound, 0 without sound. `run_in` is how
    long after the beginning the timeline may begin as well, `may_miss` how many pictures need not be there and
    `misplaced` how many frames may show one of beside.
    `jitters` tells that times do, `framed` that pictures stand on a larger canvas. `parts` are recordings after the
    first; each may begin a little earlier or later, its pictures and sound together. Where the end is not known
    exactly, it may be so `loose`, seconds.
    """

    shown: tuple[tuple[float, int], ...]
    beeps: tuple[Beep, ...] = ()
    ends: tuple[float, float] = (0.0, 0.0)
    rate: Fraction | None = None
    run_in: float = 0.0
    jitters: bool = False
    framed: bool = False
    may_miss: int = 0
    misplaced: int = 0
    parts: tuple[Part, ...] = ()
    loose: float = 0.0
    rate_within: float = RATE_AGREES

    @property
    def seconds(self) -> float:
        """Length of the whole timeline."""
        return max(self.ends)


@dataclass(frozen=True, slots=True)
class Came:
    """What came out of one rung: when each picture shows and its number; the beeps, None without sound; its rate."""

    times: Sequence[float]
    numbers: Sequence[int]
    beeps: list[Heard] | None
    rate: Fraction
    sound_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


def unlike(came: Came, truth: Truth) -> list[str]:
    """Return what differs from the truth, in words; nothing where all is right."""
    if not len(came.times):
        return ["no pictures"]
    run_in = min(truth.run_in, RUN_IN_SECONDS)
    tried = list[list[str]]()
    for shift in sorted({*(0.0, run_in, -run_in), *_on_grid(came, truth, (0.0, run_in, -run_in))}, key=abs):
        moved = _moved(came, truth, shift)
        tried.append([*_length(came, moved), *_rate(came, moved), *_pictures(came, moved), *_beeps(came, moved)])
    return min(tried, key=lambda told: (any(_WRONG in sentence for sentence in told), len(told)))


def _on_grid(came: Came, truth: Truth, shifts: Sequence[float]) -> Iterator[float]:
    """Yield how much later the timeline may begin so that the first picture shows exactly with a frame.

    That is up to a frame earlier than the first sound, or so little later that no more than a run-in is lost.
    """
    if not truth.shown:
        return
    for shift in shifts:
        into_frame = (truth.shown[0][0] - shift) % float(1 / came.rate)
        if into_frame > _EPSILON:
            yield shift + into_frame - float(1 / came.rate)
            if into_frame <= RUN_IN_SECONDS:
                yield shift + into_frame


def _moved(came: Came, truth: Truth, shift: float) -> Truth:
    """Return the truth `shift` seconds earlier, and each further part where its pictures are, if that is near."""
    shown = [(at - shift, number) for at, number in truth.shown]
    beeps = [replace(beep, at=beep.at - shift) for beep in truth.beeps]
    late = -shift
    first_seen = dict(zip(reversed(came.numbers), reversed(came.times), strict=True))
    for index, part in enumerate(truth.parts, start=1):
        numbers = range(part.first_picture, truth.parts[index].first_picture if index < len(truth.parts) else 1 << 30)
        seen = sorted(first_seen[n] - at for at, n in shown if n in numbers and n in first_seen)
        own = seen[len(seen) // 2] if seen else 0.0
        if abs(own) > _part_slack(came) * index:
            continue
        pitches = range(part.first_beep, truth.parts[index].first_beep if index < len(truth.parts) else 1 << 30)
        shown = [(at + own if n in numbers else at, n) for at, n in shown]
        beeps = [replace(beep, at=beep.at + own) if beep.k in pitches else beep for beep in beeps]
        late = own
    return replace(
        truth,
        shown=tuple(shown),
        beeps=tuple(beeps),
        ends=(truth.ends[0] + late, truth.ends[1] + late if truth.ends[1] else 0.0),
    )


def _part_slack(came: Came) -> float:
    """Return how much later each further recording may begin: whole steps of pictures from the one before."""
    return PART_SECONDS + float(1 / came.rate)


def _length(came: Came, truth: Truth) -> Iterator[str]:
    step = float(1 / came.rate)
    seconds = came.times[-1] - came.times[0] + step
    picture, sound = truth.ends
    least = max(picture, sound - SOUND_TAIL_SECONDS) - 1.5 * step - truth.loose
    most = truth.seconds + END_SECONDS + 1.5 * step + _part_slack(came) * len(truth.parts) + truth.loose
    if not least <= seconds <= most:
        yield f"{seconds:.2f} s instead of {truth.seconds:.2f} s"
    if abs(came.times[0]) > _EPSILON:
        yield f"begins at {came.times[0]:.3f} s"
    if came.beeps is not None and came.sound_seconds > seconds + max(step, 2 * END_SECONDS):
        yield f"sound of {came.sound_seconds:.2f} s beside pictures of {seconds:.2f} s"


def _rate(came: Came, truth: Truth) -> Iterator[str]:
    if truth.rate is not None and abs(came.rate / truth.rate - 1) > truth.rate_within:
        yield f"{float(came.rate):.3f} pictures a second instead of {float(truth.rate):.3f}"


def _pictures(came: Came, truth: Truth) -> Iterator[str]:
    """Yield how the pictures differ."""
    if not truth.shown:
        return
    step = float(1 / came.rate)
    starts, numbers = [at for at, _ in truth.shown], [number for _, number in truth.shown]
    wrong, torn = list[str](), 0
    for time, number in zip(came.times, came.numbers, strict=True):
        at = time - came.times[0]
        earliest = max(0, bisect_right(starts, at - step + _EPSILON) - 1)
        latest = max(0, bisect_right(starts, at + step + _EPSILON) - 1)
        if at > starts[-1]:  # of several pictures within the last frame one stands
            earliest = min(earliest, max(0, bisect_right(starts, starts[-1] - step + _EPSILON) - 1))
        if truth.loose and at > truth.ends[0] - truth.loose:
            earliest = max(0, bisect_right(starts, truth.ends[0] - truth.loose - step) - 1)
            latest = max(latest, bisect_right(starts, truth.ends[0] + truth.loose) - 1)
        near = numbers[earliest : latest + 1]
        if number not in near and truth.loose and at > truth.ends[0] - truth.loose and torn < truth.may_miss:
            torn += 1  # what was cut in its midst shows any number
        elif number not in near:
            wrong.append(f"{number} at {time:.2f} s instead of {near[len(near) // 2]}")
    if len(wrong) > truth.misplaced:
        yield f"{len(wrong)} {_WRONG}: {', '.join(wrong[:_SHOWN])}"
    else:
        yield from _counts(came, truth, step)


def _counts(came: Came, truth: Truth, step: float) -> Iterator[str]:
    """Yield pictures that are lost or stand for longer than they should, where every picture is at a right place."""
    lasts: dict[int, float] = {}
    ends = [*(at for at, _ in truth.shown[1:]), max(truth.seconds, truth.shown[-1][0] + step)]
    for (at, number), end in zip(truth.shown, ends, strict=True):
        since = at if lasts or number != truth.shown[0][1] else 0.0
        lasts[number] = lasts.get(number, 0.0) + end - since
    if truth.loose:
        sure = {number for at, number in truth.shown if at < truth.ends[0] - truth.loose}
        lasts = {number: lasting for number, lasting in lasts.items() if number in sure}
    if not lasts:
        return
    counted = Counter(int(number) for number in came.numbers)
    share = JITTER_SHARE if truth.jitters else 0.0
    typical = sorted(lasts.values())[len(lasts) // 2]
    allowed = truth.may_miss + round(share * len(lasts)) + _between_frames(came, truth)
    lost = [number for number in lasts if not counted[number]]
    if typical > 0.97 * step and len(lost) > allowed:
        yield f"{len(lost)} of {len(lasts)} pictures lost: {', '.join(map(str, lost[:_SHOWN]))}"
    # Of several pictures within the last frame one stands to the end.
    final = {number for at, number in truth.shown if at > truth.shown[-1][0] - step + _EPSILON}
    long = {
        number: most
        for number, lasting in lasts.items()
        if number not in final and counted[number] > (most := _most(lasting, step))
    }
    if len(long) > allowed:
        told = (f"{number} {counted[number]} times" for number in list(long)[:_SHOWN])
        yield f"{len(long)} pictures repeated: {', '.join(told)}"
    if truth.jitters:
        twice = sum(count > 1 and lasts.get(number, math.inf) < 1.9 * step for number, count in counted.items())
        if twice > allowed + 1:
            yield f"{twice} pictures repeated"


def _between_frames(came: Came, truth: Truth) -> int:
    """Return how many pictures the design itself may lose: frame round(time x rate) is another's, or nearly so."""
    taken, lost = set[int](), 0
    for at, _ in truth.shown:
        exact = at * float(came.rate)
        nearest = int(exact + 0.5)
        is_near_border = abs(exact % 1 - 0.5) < _EPSILON * float(came.rate)
        lost += nearest in taken or is_near_border
        taken.add(nearest)
    return lost


def _most(lasting: float, step: float) -> int:
    """Return how many frames a picture that lasts so long may take."""
    exact = lasting / step
    return max(1, int(exact + 0.95))


def _beeps(came: Came, truth: Truth) -> Iterator[str]:
    """Yield how the beeps differ."""
    if came.beeps is None:
        if any(beep.sure for beep in truth.beeps):
            yield "no sound"
        return
    left = list(came.beeps)
    missing, late = list[str](), list[str]()
    for beep in truth.beeps:
        bent = round(BENT * (LOWEST_HERTZ / STEP_HERTZ + beep.k))
        same = [heard for heard in left if abs(heard.k - beep.k) <= bent and abs(heard.at - beep.at) <= HALF_WAY]
        if not same:
            missing += [f"{beep.k} at {beep.at:.2f} s"] if beep.sure else []
            continue
        nearest = min(same, key=lambda heard: abs(heard.at - beep.at))
        left.remove(nearest)
        off = nearest.at - beep.at
        joined = any(beep.k >= part.first_beep for part in truth.parts)
        if beep.sure and abs(off) > (JOINED_TOLERANCE if joined else BEEP_TOLERANCE):
            late.append(f"{beep.k} by {off * 1000:+.0f} ms")
    if missing:
        yield f"{len(missing)} beeps missing: {', '.join(missing[:_SHOWN])}"
    if late:
        yield f"{len(late)} beeps off: {', '.join(late[:_SHOWN])}"
    unsure = [beep.at for beep in truth.beeps if not beep.sure]  # cut, they may be heard at any pitch
    left = [heard for heard in left if all(abs(heard.at - at) > MISREAD_WITHIN for at in unsure)]
    if truth.loose:  # what was cut in the midst of a packet may click
        left = [heard for heard in left if heard.at < truth.ends[1] - truth.loose]
    if left:
        told = (f"{heard.k} at {heard.at:.2f} s" for heard in left[:_SHOWN])
        yield f"{len(left)} beeps too many: {', '.join(told)}"
