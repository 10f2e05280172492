"""Clocks that jump: recordings joined end to end, broken timestamps, a camera set to another day. Pure.

The runs of pictures and sound that belong together make a part, and parts are joined one behind the other.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import compress
from operator import add
from typing import Protocol, Self, TypeVar

from storage.model.plan import ClockPiece
from workers.planning.clock_runs import (
    ABSURD_SECONDS,
    SHARED_SECONDS,
    SOUND_BACK_SECONDS,
    Run,
    exact_step,
    reordering,
    runs_of,
    typical_step,
)
from workers.planning.frame_rate import output_rate
from workers.planning.packets import Listing, Packets

RUN_IN_SECONDS = 0.05  # an encoder's run-in ahead of the first picture, of two AAC frames, is nothing to be heard
SOUND_SLACK_SECONDS = 0.25  # decoders tell times of sound that differ from the packets' by an encoder's delay
LEAST_OF_A_STEP = 0.1  # of sound is no reason for one more picture
ROUNDING_SECONDS = 0.01
LONGEST_GRID_SECONDS = 0.05  # parts are moved by half of it at most: a hole in sound that nobody hears
RUN_OUT_SECONDS = 0.1  # encoders leave so much of sound behind the last picture; more is meant to be heard


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of the clock: `at` seconds of the joined timeline's clock, `by` seconds, negative for back."""

    at: float
    by: float


@dataclass(frozen=True, slots=True)
class Spans:
    """When packets begin and when they end, in seconds: columns, as pairs keep the garbage collector busy."""

    begins: Sequence[float] = ()
    ends: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """How the clock of a file becomes one that goes on: the pieces of pictures and sound; none for a steady clock.

    `shown` and `heard` are the packets on that clock, in the order of the file. `picture_places` and `sound_places` are
    those of the packets with which the pieces begin.
    """

    shown: Spans
    heard: Spans
    pictures: tuple[ClockPiece, ...] = ()
    sound: tuple[ClockPiece, ...] = ()
    jumps: tuple[Jump, ...] = ()
    picture_places: tuple[int, ...] = ()
    sound_places: tuple[int, ...] = ()


def placed(clock: Clock, listing: Listing) -> Clock:
    """Return the clock with where its pieces begin in the file."""
    return replace(
        clock,
        pictures=_placed(clock.pictures, clock.picture_places, listing),
        sound=_placed(clock.sound, clock.sound_places, listing),
    )


def _placed(pieces: Sequence[ClockPiece], places: Sequence[int], listing: Listing) -> tuple[ClockPiece, ...]:
    placed = zip(pieces, places, strict=True) if pieces else ()
    return tuple(replace(piece, position=listing.position(place)) for piece, place in placed)


class Timed(Protocol):
    """A look at one moment: when it shows or sounds, in seconds, and where the file has it, in bytes."""

    @property
    def time(self) -> float | None:
        """Seconds on the source's clock."""

    @property
    def position(self) -> int | None:
        """Bytes from the beginning of the file."""

    def at(self, time: float) -> Self:
        """Return the look at another time."""


_Timed = TypeVar("_Timed", bound=Timed)


def on_joined_clock(looks: Sequence[_Timed], pieces: Sequence[ClockPiece]) -> tuple[_Timed, ...]:
    """Return the looks at the times that they have once the pieces are joined; as they are for a steady clock.

    Those whose place in the file is not known are left out: nobody can tell of which piece they are. What the first
    look into a piece shows is taken to be so from the end of the piece before on.
    """
    positions = [piece.position for piece in pieces if piece.position is not None]
    if not pieces or len(positions) < len(pieces):
        return tuple(looks)
    found = {one.position: one for one in looks if one.position is not None}
    joined, begun = list[_Timed](), 0
    for position in sorted(found):
        look, number = found[position], max(0, bisect_right(positions, position) - 1)
        if number > begun:
            joined.append(look.at(pieces[number - 1].end - pieces[number - 1].shift))
        elif look.time is not None:
            joined.append(look.at(look.time - pieces[number].shift))
        begun = max(begun, number)
    return tuple(joined)


def clock_of(pictures: Packets, sound: Packets, *, delay: int) -> Clock:
    """Return how the parts of a recording are joined. The pictures are reordered over `delay` places."""
    step = typical_step(pictures.times)
    back = reordering(delay, step)
    seen = runs_of(pictures, sound, back=back, step=step)
    audible = runs_of(sound, pictures, back=SOUND_BACK_SECONDS, step=0.0)
    if _is_steady(seen, audible, len(pictures.times), len(sound.times)):
        return Clock(_moved(pictures), _moved(sound))
    joined = _joined(seen, audible, _Joining(exact_step(pictures.times), back, delay, holds=pictures.by_decoding))
    return replace(
        joined,
        shown=_of_runs(pictures, seen, joined.pictures),
        heard=_of_runs(sound, audible, joined.sound),
        picture_places=tuple(run.places[0] for run in seen),
        sound_places=tuple(run.places[0] for run in audible),
    )


def _is_steady(seen: Sequence[Run], audible: Sequence[Run], pictures: int, sounds: int) -> bool:
    """Tell whether each stream is one run of all its packets, and the two lie near each other."""
    if any(max(run.start - other.end, other.start - run.end) > ABSURD_SECONDS for run in seen for other in audible):
        return False
    whole = ((seen, pictures), (audible, sounds))
    return all(not runs or (len(runs) == 1 and len(runs[0].numbers) == count) for runs, count in whole)


def _moved(packets: Packets) -> Spans:
    return Spans(packets.times, array("d", map(add, packets.times, packets.lengths)))


def _of_runs(packets: Packets, runs: Sequence[Run], pieces: Sequence[ClockPiece]) -> Spans:
    """Return what the runs hold on the joined clock, without stray packets among them."""
    begins, ends = array("d"), array("d")
    for run, piece in zip(runs, pieces, strict=True):
        begun, lengths = run.of(packets.times), run.of(packets.lengths)
        kept = [piece.start <= time <= piece.end for time in begun]
        times = list(compress(begun, kept))
        begins.extend([time - piece.shift for time in times])
        ends.extend([time + length - piece.shift for time, length in zip(times, compress(lengths, kept), strict=True)])
    return Spans(begins, ends)


def _joined(seen: Sequence[Run], audible: Sequence[Run], joining: _Joining) -> Clock:
    """Return the runs one behind the other, those of pictures and sound that belong together moved together."""
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

    def __init__(self, step: float, back: float, delay: int, *, holds: bool) -> None:
        self._step = step
        self._delay = delay
        self._holds = holds
        self._back = back
        self._pictures: list[ClockPiece] = []
        self._sound: list[ClockPiece] = []
        self._jumps: list[Jump] = []
        self._shown_to: float | None = None
        self._latest_shown = 0.0
        self._heard_to: float | None = None
        self._raw_end = 0.0
        self._sound_place = -1
        self._origin: float | None = None
        self._grid = 1 / float(output_rate(Fraction(1 / step))) if step else 0.0

    def add(self, picture: Run | None, sound: Run | None) -> None:
        """Add what belongs together: a run of pictures, one of sound, or both."""
        raw = _beginning(picture, sound, self._step)
        apart = 0.0
        if picture is not None and sound is not None and abs(sound.start - picture.start) > ABSURD_SECONDS:
            raw, apart = picture.start, sound.start - picture.start
        begins = self._on_grid(self._begins(picture, sound), picture)
        shift = 0.0 if begins is None else raw - begins
        if begins is not None:
            self._jumps.append(Jump(begins, raw - self._raw_end))
        if apart:
            self._jumps.append(Jump(raw - shift, apart))
        if picture is not None:
            self._origin = picture.start - shift if self._origin is None else self._origin
            shown = _piece(picture, shift, self._step / 2, self._back)
            if begins is not None:
                shown = self._with_held(shown, picture)
            self._pictures.append(shown)
            # Where no length is told the last picture lasts as the others do; else at least half of that.
            least = self._step if picture.end == picture.latest else self._step / 2
            self._shown_to = max(picture.end, picture.latest + least) - shift
            self._latest_shown = picture.latest - shift
            self._raw_end = picture.end
        if sound is not None:
            heard = _piece(sound, shift + apart, SOUND_SLACK_SECONDS, SOUND_BACK_SECONDS)
            if begins is not None:  # a run-in would lie over the end of the part before
                heard = replace(heard, start=max(heard.start, raw + apart - ROUNDING_SECONDS))
            self._sound.append(heard)
            self._heard_to = sound.end - shift - apart
            self._sound_place = sound.places[1]
            self._raw_end = sound.end if picture is None else max(picture.end, sound.end - apart)

    def _with_held(self, piece: ClockPiece, run: Run) -> ClockPiece:
        """Return the piece with room for pictures without a time, which decoders tell to be as much earlier.

        Those are its own first ones. Where hardly any picture has a time they are the last ones of the piece before:
        decoders hold them back over the jump, and give them the times at which the first of the run are decoded.
        """
        held = self._delay * self._step
        last = run.decoded[0] + max(0.0, held - self._step)
        early = replace(piece, start=piece.start - held)
        return replace(early, held_to=piece.start, held_shift=last - self._latest_shown) if self._holds else early

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

    def _on_grid(self, begins: float | None, picture: Run | None) -> float | None:
        """Return where a part with pictures begins: a whole number of output frames behind the first picture of all.

        A pause shifts pictures against these frames. Shifts that add up would come to half a frame, and there times
        that are rounded show one picture twice and the next one never.
        """
        if begins is None or picture is None or self._origin is None or not 0 < self._grid <= LONGEST_GRID_SECONDS:
            return begins
        return self._origin + round((begins - self._origin) / self._grid) * self._grid

    def clock(self) -> Clock:
        """Return what was joined."""
        return Clock(Spans(), Spans(), tuple(self._pictures), tuple(self._sound), tuple(self._jumps))


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
