"""Coded clips: each picture carries its number, each beep the number of its second. Made here, and read here.

The top sixth of a picture is twelve cells; cell b is white where bit b of the number is set. Sound beeps for 90 ms at
every second k with 500 + 100 k Hz. So any picture and any beep says where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BITS = 12
CODE = 6  # the code takes the top one of so many parts of the height
BEEP_SECONDS = 0.09
LOWEST_HERTZ, STEP_HERTZ = 500, 100
BLACK, GREY, WHITE = 16, 96, 235
BODY = 48  # brighter than bars and darker than GREY, whatever an encoder and a scaler left of both
_BRIGHT = 128
_LOUDNESS = 0.6  # of a beep that is made
_HEARD = 0.06  # above what codecs ring with, below a beep whose channels were mixed
_QUIET_SECONDS = 0.15  # a new beep begins after so much silence
_SHORTEST_SECONDS = 0.02  # clicks at a cut are no beeps
_TONE_SECONDS = (0.01, 0.08)  # of a beep: its pitch is looked for within, away from where it fades
_FFT = 1 << 16

Planes = NDArray[np.uint8]
Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """A beep: when it begins (seconds), the second whose pitch it has, and how long it lasts (seconds)."""

    at: float
    k: int
    seconds: float


def coded_pictures(numbers: Iterable[int], width: int, height: int) -> Planes:
    """Return grey pictures (count, height, width) with these numbers, a white round disc below them."""
    wanted = np.fromiter(numbers, np.int64)
    picture = np.full((height, width), GREY, np.uint8)
    ys, xs = np.mgrid[:height, :width]
    radius = height / 4
    picture[(xs + 0.5 - width / 2) ** 2 + (ys + 0.5 - height * 0.6) ** 2 <= radius**2] = WHITE
    pictures = np.repeat(picture[None], len(wanted), axis=0)
    cell = np.minimum(np.arange(width) * BITS // width, BITS - 1)
    bits = (wanted[:, None] >> cell[None, :]) & 1
    pictures[:, : height // CODE] = np.where(bits, WHITE, BLACK).astype(np.uint8)[:, None, :]
    return pictures


def coded_sound(seconds: float, rate: int, *, first: int = 0) -> Sound:
    """Return one channel that beeps at every second; the first beep has the pitch of second `first`."""
    times = np.arange(round(seconds * rate)) / rate
    second = np.floor(times)
    phase = times - second
    tone = np.sin(2 * np.pi * (LOWEST_HERTZ + STEP_HERTZ * (second + first)) * phase)
    return np.where(phase < BEEP_SECONDS, _LOUDNESS * tone, 0.0).astype(np.float32)


def numbers_in(pictures: Planes, *, framed: bool = False) -> NDArray[np.int64]:
    """Return the number of each grey picture; `framed` looks for it on a larger black canvas, else it fills that."""
    if not framed:
        return _read(pictures)
    found = np.zeros(len(pictures), np.int64)
    places = places_in(pictures)
    for place in np.unique(places, axis=0):
        left, top, right, bottom = (int(side) for side in place)
        alike = (places == place).all(axis=1)
        if right - left >= BITS and bottom - top >= CODE:
            found[alike] = _read(pictures[alike, top:bottom, left:right])
        else:
            found[alike] = -1  # nothing there
    return found


def places_in(pictures: Planes) -> NDArray[np.int64]:
    """Return where on its canvas each picture of `coded_pictures` lies: left, top, right, bottom in pixels."""
    body = pictures > BODY
    columns = body[:, pictures.shape[1] // 3 :].mean(axis=1) > 0.25
    left, right = _extent(columns)
    inside = np.arange(pictures.shape[2])[None, :]
    within = (inside >= left[:, None]) & (inside < right[:, None])
    filled = (body & within[:, None, :]).sum(axis=2) >= 0.95 * np.maximum(1, right - left)[:, None]
    # All bits of a code may be set: the body is what lies around the middle without a gap, less a code that is white.
    top, bottom = _around_middle(filled)
    code_too = _is_white_above(pictures, top, bottom, left, right)
    height = np.where(code_too, bottom - top, (bottom - top) * CODE / (CODE - 1))
    return np.stack([left, np.maximum(0, np.rint(bottom - height)).astype(np.int64), right, bottom], axis=1)


def discs_in(pictures: Planes) -> NDArray[np.int64]:
    """Return width and height of what is white in each picture, pixels; a code must not be among it."""
    white = pictures > _BRIGHT
    left, right = _extent(np.any(white, axis=1))
    top, bottom = _extent(np.any(white, axis=2))
    return np.stack([right - left, bottom - top], axis=1)


def beeps_in(sound: Sound, rate: int) -> list[Heard]:
    """Return all beeps of one channel from its first sample on."""
    loud = np.flatnonzero(np.abs(sound) > _HEARD)
    if not len(loud):
        return []
    gaps = np.flatnonzero(np.diff(loud) > _QUIET_SECONDS * rate)
    starts, ends = loud[np.r_[0, gaps + 1]], loud[np.r_[gaps, len(loud) - 1]] + 1
    spans = [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
    return [
        Heard(start / rate, _pitch(sound[start:end], rate), (end - start) / rate)
        for start, end in spans
        if end - start >= _SHORTEST_SECONDS * rate
    ]


def _read(pictures: Planes) -> NDArray[np.int64]:
    height, width = pictures.shape[1:]
    row = height / CODE
    code = pictures[:, int(row / 4) : max(int(row / 4) + 1, int(row * 3 / 4))]
    found = np.zeros(len(pictures), np.int64)
    for bit in range(BITS):
        start, end = (bit + 0.25) * width / BITS, (bit + 0.75) * width / BITS
        cell = code[:, :, int(start) : max(int(start) + 1, int(end))]
        found |= (cell.mean(axis=(1, 2)) > _BRIGHT).astype(np.int64) << bit
    return found


def _extent(marked: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and past the last of each row that is marked; 0 and 0 where none is."""
    anything = marked.any(axis=1)
    first = np.where(anything, marked.argmax(axis=1), 0)
    last = np.where(anything, marked.shape[1] - marked[:, ::-1].argmax(axis=1), 0)
    return first, last


def _around_middle(filled: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return top and bottom of the filled rows around the middle one."""
    middle = filled.shape[1] // 2
    below, above = ~filled[:, middle:], ~filled[:, :middle][:, ::-1]
    bottom = np.where(below.any(axis=1), middle + below.argmax(axis=1), filled.shape[1])
    top = np.where(above.any(axis=1), middle - above.argmax(axis=1), 0)
    return top, bottom


def _is_white_above(
    pictures: Planes,
    top: NDArray[np.int64],
    bottom: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell of each picture whether the rows at its top are a code of nothing but white cells."""
    middle = (left + right) // 2
    lower = np.minimum(bottom - 1, top + 1)
    rows = np.arange(len(pictures))
    bright: NDArray[np.bool_] = pictures[rows, lower, np.minimum(middle, pictures.shape[2] - 1)] > _BRIGHT
    return (bottom > top) & bright


def _pitch(beep: Sound, rate: int) -> int:
    start, end = (int(seconds * rate) for seconds in _TONE_SECONDS)
    tone = beep[start:end] if len(beep) > 2 * start else beep
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), _FFT))
    return round((float(spectrum.argmax()) * rate / _FFT - LOWEST_HERTZ) / STEP_HERTZ)
