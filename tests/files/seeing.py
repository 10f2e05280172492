"""Which picture of the source is on at a moment of the result, by likeness of small grey pictures; and which way up.

Brightness and contrast do not matter: HDR, transparency and levels change them. Stills tell nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import MOST_SECONDS, SIDE, Small, Times
from tests.files.recording import Recording
from tests.files.results import View

RANDOM_PICTURES = 48
END_PICTURES = 6  # at each end, one after the other
MOST_PLACES = 24  # joins of fragments, and pauses, that are looked at
TELLING = 4.0  # a source's picture is another one if it differs by more than so many times what encoding lost
STILL = 0.002  # squared distance of normalised pictures: less is no movement
NOISE = 0.5  # steps of brightness that rounding leaves in a small picture
FLAT = 3.0  # standard deviation in steps of brightness: a picture that has less shows nothing
ALIKE = 0.6  # correlation: a picture that is like none is less like all of them
TURNED = 0.1  # how much more a turned picture must be like it
SAME_SHAPE = 0.025  # as a share: sizes are even numbers of pixels
PAUSE_STEPS = 3.0
MOST_ALLOWED = 8  # pictures that may be on at one moment, of those that are most like it
NEAR_PICTURES, FAR_PICTURES = 200, 600  # pictures that one is told from: on each side, and from the whole length
_ROUNDING = 0.002  # seconds that coarse clocks leave

TURNS = ("upright", "turned 90", "turned 180", "turned 270", "mirrored", "mirrored 90", "mirrored 180", "mirrored 270")
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """What comparing pictures gave: how many told something, (time, seconds off) of those wrong, which way they lie.

    `likeness` is the usual correlation with the picture that is to be on, of all that show something.

    Seconds off are those of the source's picture that is shown instead; nan where it is like none.
    """

    compared: int
    likeness: float
    wrong: tuple[tuple[float, float], ...]
    turn: str

    @property
    def worst(self) -> float:
        """The farthest that a picture is off, seconds; nan if one is like none."""
        return max((abs(off) for _, off in self.wrong), key=lambda off: (np.isnan(off), off), default=0.0)


@dataclass(frozen=True)
class _Verdict:
    """One picture: its likeness to the best of those that may be on, its turn, and whether others could be told.

    `other` is the number of the picture that is on instead, -1 if it is like none.
    """

    likeness: float
    turn: str
    telling: bool
    other: int | None


def fitted(small: Small, shapes: Times, canvas: float) -> Small:
    """Return the pictures on a canvas of this shape, each in its own with bars around it."""
    told = small
    for shape in np.unique(shapes):
        if abs(shape / canvas - 1) > SAME_SHAPE:
            told = told.copy() if told is small else told
            across, down = min(1.0, shape / canvas), min(1.0, canvas / shape)
            weights = _weights(down), _weights(across)
            chosen = shapes == shape
            told[chosen] = np.einsum("ij,njk,lk->nil", weights[0], small[chosen], weights[1], optimize=True)
    return told


def _weights(share: float) -> Floats:
    """Return the matrix that shrinks SIDE points to this share of SIDE, in the middle between bars."""
    weights = np.zeros((SIDE, SIDE), np.float32)
    edges = (np.arange(SIDE + 1) - SIDE * (1 - share) / 2) / share
    for row, (first, last) in enumerate(pairwise(edges)):
        covered = np.minimum(np.arange(1, SIDE + 1), last) - np.maximum(np.arange(SIDE), first)
        weights[row] = np.maximum(covered, 0) * share
    return weights


def normalised(small: Small) -> Floats:
    """Return each picture as a vector of length 1 and mean 0; zeros where it shows nothing."""
    flat = small.reshape(len(small), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(lengths > FLAT / 3 * SIDE, flat / np.maximum(lengths, 1e-6), 0).astype(np.float32)


def places(recorded: Recording, view: View, seed: int) -> list[int]:
    """Return the numbers of the result's pictures to look at: anywhere, at ends, beside joins and pauses."""
    chance, times = random.Random(seed), view.pictures.times
    count = len(times)
    steps = np.diff(recorded.shown)
    paused = np.flatnonzero(steps > max(0.2, PAUSE_STEPS * recorded.step))
    sides = [recorded.shown[n] for n in paused] + [recorded.shown[n + 1] for n in paused]
    borders = [list(view.joins), [float(side) for side in sides], list(recorded.begins[1:])]
    near = [at for found in borders for at in chance.sample(found, min(len(found), MOST_PLACES))]
    chosen = set(chance.sample(range(count), min(count, RANDOM_PICTURES)))
    chosen |= {*range(END_PICTURES), *range(count - END_PICTURES, count)}
    for at in near:
        first = int(np.searchsorted(times, at - _ROUNDING))
        chosen |= {first - 2, first - 1, first, first + 1, first + 2}
    return sorted(n for n in chosen if 0 <= n < count and times[n] < MOST_SECONDS)


class Atlas:
    """The source's pictures on the result's canvas, and how far they are from each other, reckoned where asked."""

    def __init__(self, recorded: Recording, canvas: float) -> None:
        self.small = fitted(recorded.pictures.small, recorded.pictures.shapes, canvas)
        self.all = normalised(self.small)
        self.deviations = self.small.reshape(len(self.small), -1).std(axis=1)
        self._far = slice(0, None, max(1, len(self.small) // FAR_PICTURES))
        self._known = dict[tuple[int, ...], Floats]()  # views of one result ask the same

    def others(self, own: int) -> NDArray[np.int64]:
        """Return the pictures to tell this one from: all near it, and some of everywhere."""
        count = len(self.small)
        return np.concatenate([np.arange(count)[self._near(own)], np.arange(count)[self._far]])

    def apart(self, own: int, allowed: NDArray[np.int64]) -> Floats:
        """Return how far each of these others is from the nearest of the allowed pictures."""
        key = (own, *sorted(allowed.tolist()))
        if key not in self._known:
            rows = self.all[allowed].T
            alike = np.concatenate([self.all[self._near(own)] @ rows, self.all[self._far] @ rows])
            self._known[key] = np.asarray(2 - 2 * alike.max(axis=1))
        return self._known[key]

    def _near(self, own: int) -> slice:
        return slice(max(0, own - NEAR_PICTURES), own + NEAR_PICTURES + 1)


class Eye:
    """A view's samples beside the source's pictures, reckoned once for many deltas."""

    def __init__(self, recorded: Recording, view: View, atlas: Atlas, seed: int = 1) -> None:
        self._recorded, self._atlas = recorded, atlas
        seen = view.pictures
        chosen = places(recorded, view, seed)
        self._times = seen.times[chosen]
        self._shown = seen.small[chosen]
        self._distances = 2 - 2 * (normalised(self._shown) @ atlas.all.T)
        slack = recorded.step if recorded.pictures.interlaced else 0.0
        self._frame = 1 / view.rate + slack + _ROUNDING

    def look(self, deltas: Sequence[float]) -> Seen:
        """Return what is to be seen if each part of the source is moved by its delta."""
        shown = self._recorded.moved(deltas)
        ends = np.append(shown[1:], np.inf)
        first = np.concatenate([[-np.inf], shown[1:]])
        found = list[tuple[float, _Verdict]]()
        for number, time in enumerate(self._times):
            allowed = (first <= time + self._frame) & (ends > time - self._frame + 2 * _ROUNDING)
            if (verdict := self._judge(number, np.flatnonzero(allowed))) is not None:
                found.append((float(time), verdict))
        wrong = [(time, verdict.other) for time, verdict in found if verdict.other is not None]
        turns = [verdict.turn for _, verdict in found]
        usual = max(set(turns), key=turns.count, default=TURNS[0])
        return Seen(
            compared=sum(verdict.telling for _, verdict in found),
            likeness=float(np.median([verdict.likeness for _, verdict in found])) if found else 1.0,
            wrong=tuple((time, float("nan") if other < 0 else float(shown[other] - time)) for time, other in wrong),
            turn=usual if turns.count(usual) > len(turns) / 2 else TURNS[0],
        )

    def _judge(self, number: int, may: NDArray[np.int64]) -> _Verdict | None:
        """Return what a picture of the result shows where these of the source may be on; None where one is blank."""
        distances = self._distances[number]
        allowed = may[np.argsort(distances[may])[:MOST_ALLOWED]]
        own = int(allowed[0])
        deviation = float(self._atlas.deviations[allowed].min())
        if deviation < FLAT:
            return None
        likeness, turn = 1 - float(distances[own]) / 2, self._turn(number, own)
        nearest = float(distances.min())
        if 1 - nearest / 2 < ALIKE:
            return _Verdict(likeness, turn, telling=True, other=-1)
        # A picture that is near one of the allowed ones tells nothing.
        apart = self._atlas.apart(own, allowed)
        limit = max(STILL + (NOISE / deviation) ** 2, TELLING * nearest)
        telling = np.setdiff1d(self._atlas.others(own)[apart > limit], may)
        if not len(telling):
            return _Verdict(likeness, turn, telling=False, other=None)
        best = int(telling[np.argmin(distances[telling])])
        return _Verdict(likeness, turn, telling=True, other=best if distances[best] < distances[own] else None)

    def _turn(self, number: int, own: int) -> str:
        """Return which turn or mirror of the source's picture is most like the result's; upright when in doubt."""
        picture, shown = self._atlas.small[own], normalised(self._shown[number][None])[0]
        kinds = [np.rot90(side, turns) for side in (picture, picture[:, ::-1]) for turns in range(4)]
        alike = normalised(np.array(kinds)) @ shown
        best = int(np.argmax(alike))
        return TURNS[best] if alike[best] > alike[0] + TURNED else TURNS[0]
