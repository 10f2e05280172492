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

    Seconds off are those of the source's picture that is shown instead; nan where it is like none.
    """

    compared: int
    wrong: tuple[tuple[float, float], ...]
    turn: str

    @property
    def worst(self) -> float:
        """The farthest that a picture is off, seconds; nan if one is like none."""
        return max((abs(off) for _, off in self.wrong), key=lambda off: (np.isnan(off), off), default=0.0)


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


class Eye:
    """A view's samples beside the source's pictures, reckoned once for many deltas."""

    def __init__(self, recorded: Recording, view: View, seed: int = 1) -> None:
        self._recorded, self._view = recorded, view
        seen = view.pictures
        width, height = seen.shapes[0], 1.0
        source = fitted(recorded.pictures.small, recorded.pictures.shapes, width / height)
        self._small, self._source = source, normalised(source)
        chosen = places(recorded, view, seed)
        self._times = seen.times[chosen]
        self._shown = seen.small[chosen]
        results = normalised(self._shown)
        self._distances = 2 - 2 * (results @ self._source.T)
        self._deviations = source.reshape(len(source), -1).std(axis=1)
        slack = recorded.step if recorded.pictures.interlaced else 0.0
        self._frame = 1 / view.rate + slack + _ROUNDING

    def look(self, deltas: Sequence[float]) -> Seen:
        """Return what is to be seen if each part of the source is moved by its delta."""
        shown = self._recorded.moved(deltas)
        ends = np.append(shown[1:], np.inf)
        first = np.concatenate([[-np.inf], shown[1:]])
        compared, wrong, turns = 0, list[tuple[float, float]](), list[str]()
        for number, time in enumerate(self._times):
            allowed = (first <= time + self._frame) & (np.maximum(ends, first) >= time - self._frame)
            verdict = self._judge(number, allowed)
            if verdict is None:
                continue
            compared += 1
            own, other = verdict
            if other is not None:
                off = float("nan") if other < 0 else float(shown[other] - time)
                wrong.append((float(time), off))
            turns.append(self._turn(number, own))
        usual = max(set(turns), key=turns.count) if turns else TURNS[0]
        return Seen(compared, tuple(wrong), usual if turns.count(usual) > len(turns) / 2 else TURNS[0])

    def _judge(self, number: int, allowed: NDArray[np.bool_]) -> tuple[int, int | None] | None:
        """Return the best of the allowed pictures and the one that is shown instead (-1 for none); None: untold."""
        distances = self._distances[number]
        inside = np.flatnonzero(allowed)
        inside = inside[np.argsort(distances[inside])[:MOST_ALLOWED]]
        own = int(inside[0])
        deviation = self._deviations[own]
        if deviation < FLAT:
            return None
        if (distances[inside] > 2 - 2 * ALIKE).all() and distances.min() > 2 - 2 * ALIKE:
            return own, -1
        others = self._others(own)
        others = others[~allowed[others]]
        # A picture that is near one of the allowed ones tells nothing.
        apart = (2 - 2 * (self._source[others] @ self._source[inside].T)).min(axis=1)
        limit = max(STILL + (NOISE / deviation) ** 2, TELLING * float(distances.min()))
        telling = others[apart > limit]
        if not len(telling):
            return None
        best = int(telling[np.argmin(distances[telling])])
        return own, best if distances[best] < distances[own] else None

    def _others(self, own: int) -> NDArray[np.int64]:
        """Return the pictures to tell this one from: all near it, and some of everywhere."""
        count = len(self._source)
        near = np.arange(max(0, own - NEAR_PICTURES), min(count, own + NEAR_PICTURES + 1))
        return np.union1d(near, np.arange(0, count, max(1, count // FAR_PICTURES)))

    def _turn(self, number: int, own: int) -> str:
        """Return which turn or mirror of the source's picture is most like the result's; upright when in doubt."""
        picture, shown = self._small[own], normalised(self._shown[number][None])[0]
        kinds = [np.rot90(side, turns) for side in (picture, picture[:, ::-1]) for turns in range(4)]
        alike = normalised(np.array(kinds)) @ shown
        best = int(np.argmax(alike))
        return TURNS[best] if alike[best] > alike[0] + TURNED else TURNS[0]
