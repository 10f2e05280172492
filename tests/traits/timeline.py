"""What a clip holds and when, and what is right for it: from its traits alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from tests.support.coded import BEEP_SECONDS
from tests.support.coded_truth import RATE_AGREES, Beep, Part, Truth
from tests.traits.containers import FINE, RUN_IN_SAMPLES
from tests.traits.traits import Traits

SAMPLE_RATE = 48_000
PICTURES_OF_A_PART, BEEPS_OF_A_PART = 1000, 30  # numbers of parts lie so far apart
STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in (
        (5, 1), (6, 1), (8, 1), (10, 1), (12, 1), (25, 2), (15, 1), (20, 1), (24000, 1001), (24, 1), (25, 1),
        (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1),
    )
)  # fmt: skip
_FILM_RATES = 1001  # rates with this denominator stay 1000/1001 of a whole one when they are halved
ROUGHLY = 0.003  # 29.97 for 30, not 25
MILLISECONDS, SHORT_SECONDS = 1000, 4.0  # a millisecond in so few seconds is the difference of 60 and 59.94
# ffmpeg's decoder of MPEG-2 drops the picture that it holds back where the next one has another shape. In program
# streams its parser gives one key picture in hundreds the time of the picture behind it.
LOST_BY_DECODERS = 3
_EDGE = 0.04  # seconds beside a cut in which a beep may be heard or not
_ELEVENTHS = 11


@dataclass(frozen=True)
class Recording:
    """One recording on its own clock, whose zero is its first picture without jitter; seconds.

    `pictures` are (time, number); `sound` is (begin, end), None without; `first_beep` the pitch of its first beep.
    `further` are (begin, end) of the sounds in other languages.
    """

    pictures: tuple[tuple[float, int], ...]
    picture_end: float
    sound: tuple[float, float] | None
    first_beep: int
    further: tuple[tuple[float, float], ...] = ()

    @property
    def begin(self) -> float:
        """The first moment of picture or sound."""
        first = self.pictures[0][0]
        return first if self.sound is None else min(first, self.sound[0], *(begin for begin, _ in self.further))

    @property
    def end(self) -> float:
        """The last moment of picture or sound."""
        return self.picture_end if self.sound is None else max(self.picture_end, self.sound[1])

    def with_track(self, number: int) -> Recording:
        """Return it with the sound of a language in place of the first one's; its beeps have pitches of their own."""
        first = self.first_beep + number * BEEPS_OF_A_PART
        return self if number == 0 else replace(self, sound=self.further[number - 1], first_beep=first)


def jitter_of(traits: Traits, n: int) -> float:
    """Return how late the n-th picture is, between minus and plus the traits' jitter."""
    return traits.jitter * ((7 * n * n + 3 * n) % _ELEVENTHS / 5 - 1)


def sound_start(traits: Traits) -> float:
    """Return when sound begins: where an encoder counts in pictures, whole ones before the first."""
    start = traits.sound_start
    if start >= 0 or traits.video in FINE:
        return start
    return -float(max(1, round(-start * traits.exact_rate)) / traits.exact_rate)


def pauses_before(traits: Traits, n: int) -> float:
    """Return how long the pictures paused before the n-th one."""
    return sum(paused_for(traits, length) for at, length in traits.pauses if n >= paused_at(traits, at))


def paused_for(traits: Traits, length: float) -> float:
    """Return how long a pause really is: where an encoder counts in pictures, whole ones."""
    return length if traits.video in FINE else float(round(length * traits.exact_rate) / traits.exact_rate)


def paused_at(traits: Traits, at: float) -> int:
    """Return the number of the first picture after a pause at that time."""
    return max(1, min(traits.frames - 1, round(at * traits.exact_rate)))


def recording(traits: Traits, part: int = 0) -> Recording:
    """Return what one of the recordings of a clip holds."""
    step = float(1 / traits.exact_rate)
    times = [n * step + jitter_of(traits, n) + pauses_before(traits, n) for n in range(traits.frames)]
    end = traits.frames * step + pauses_before(traits, traits.frames)
    first = part * PICTURES_OF_A_PART
    pictures = tuple((time, first + n) for n, time in enumerate(times))
    sound = (sound_start(traits), end + traits.sound_end) if traits.audio else None
    further = tuple(
        (sound[0] + traits.lag * number, sound[1]) for number in range(1, len(traits.languages)) if sound is not None
    )
    return Recording(pictures, end, sound, part * BEEPS_OF_A_PART, further)


def halves(traits: Traits) -> tuple[Recording, Recording]:
    """Return the two halves of a clip that changes in the middle; the second one's beeps begin with its own."""
    whole, half = recording(traits), traits.frames // 2
    middle = half / float(traits.exact_rate)
    sounds = ((0.0, middle), (middle, whole.picture_end)) if traits.audio else (None, None)
    return (
        Recording(whole.pictures[:half], middle, sounds[0], 0),
        Recording(whole.pictures[half:], whole.picture_end, sounds[1], BEEPS_OF_A_PART),
    )


def moved(made: Recording, seconds: float) -> Recording:
    """Return the recording so much later."""
    return replace(
        made,
        pictures=tuple((at + seconds, number) for at, number in made.pictures),
        picture_end=made.picture_end + seconds,
        sound=None if made.sound is None else (made.sound[0] + seconds, made.sound[1] + seconds),
        further=tuple((begin + seconds, end + seconds) for begin, end in made.further),
    )


def beeps_of(traits: Traits, made: Recording) -> tuple[Beep, ...]:
    """Return when the recording's beeps are heard on its clock."""
    if made.sound is None:
        return ()
    begin, end = made.sound
    slow = 1 + traits.drift
    length = (end - begin) / slow
    whole = range(int(length) + 1)
    heard = [Beep(begin + k * slow, made.first_beep + k, length - k > BEEP_SECONDS + _EDGE) for k in whole]
    for at, lasting in traits.holes:
        heard = [kept for beep in heard if (kept := _after_hole(beep, begin + at, begin + at + lasting)) is not None]
    return tuple(beep for beep in heard if beep.at < end)


def _after_hole(beep: Beep, start: float, end: float) -> Beep | None:
    """Return the beep as it is heard through a hole in the sound, None if it is not."""
    if beep.at + BEEP_SECONDS + _EDGE < start or beep.at - _EDGE > end:
        return beep
    is_gone = beep.at - _EDGE > start and beep.at + BEEP_SECONDS + _EDGE < end
    return None if is_gone else replace(beep, sure=False)


def truth_of(traits: Traits, *, track: int = 0) -> Truth:
    """Return what is right for a clip that is not cut off, with the sound of one of its languages."""
    shown, beeps, parts = list[tuple[float, int]](), list[Beep](), list[Part]()
    ends, at = (0.0, 0.0), 0.0
    for part in range(traits.parts):
        made = recording(traits, part)
        placed = moved(made, at - made.begin).with_track(track)
        parts.append(Part(at, placed.pictures[0][1], placed.first_beep))
        shown += placed.pictures
        for piece in halves(traits) if traits.change else (placed,):
            beeps += beeps_of(traits, piece)
        ends = placed.picture_end, 0.0 if placed.sound is None else placed.sound[1]
        at = placed.end
    return Truth(
        shown=tuple(shown),
        beeps=tuple(_told_apart(beeps)),
        ends=ends,
        rate=output_rate(traits.exact_rate),
        rate_within=ROUGHLY if _has_rough_times(traits) else RATE_AGREES,
        run_in=run_in(traits),
        jitters=traits.jitter > 0,
        framed=traits.change in {"size", "shape", "portrait", "aspect"},
        misplaced=LOST_BY_DECODERS if traits.container == "mpg" else 0,
        may_miss=LOST_BY_DECODERS if (traits.change and traits.video == "mpeg2") or traits.container == "mpg" else 0,
        parts=tuple(parts[1:]),
    )


def _told_apart(beeps: list[Beep]) -> Iterator[Beep]:
    """Yield the beeps; of two that follow each other at once, where recordings meet, only one may be made out."""
    ends = -BEEP_SECONDS - _EDGE
    for beep in beeps:
        yield replace(beep, sure=beep.sure and beep.at > ends + _EDGE)
        ends = beep.at + BEEP_SECONDS


def _has_rough_times(traits: Traits) -> bool:
    """Tell whether the average rate may be that of a neighbour: jitter, whole milliseconds, halves put together."""
    is_short = traits.kind.ticks == MILLISECONDS and traits.seconds < SHORT_SECONDS
    return bool(traits.jitter) or is_short or (bool(traits.change) and traits.container != "ts")


def run_in(traits: Traits) -> float:
    """Return how long before the first sound its encoder may begin."""
    return RUN_IN_SAMPLES.get(traits.audio, 0) / SAMPLE_RATE


def output_rate(source: Fraction) -> Fraction:
    """Return the rate that the design asks for: a standard one as near as 2 %, at most 60."""
    if source > STANDARD_RATES[-1]:
        return Fraction(60000, 1001) if source.denominator == _FILM_RATES else STANDARD_RATES[-1]
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - source))
    return nearest if abs(nearest / source - 1) <= Fraction(2, 100) else source
