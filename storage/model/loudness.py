"""Loudness of sound (EBU R 128, ITU-R BS.1770-4), and how it is brought to a wanted one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# LUFS that a job may ask for: of broadcasts (EBU R 128), of streams heard on the move (AES TD1008), and what most music
# services play at.
TARGETS = (-23, -16, -14)
# EBU R 128 allows -1 dBTP; what is coded with loss comes out a little higher than it went in (EBU Tech 3344).
HIGHEST_PEAK = -1.0
# The meter's gate: below it there is nothing to be measured (BS.1770-4).
SILENCE = -70.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """What was measured of a track: `integrated` in LUFS and `range` in LU, `true_peak` in dBTP; None in silence."""

    integrated: float | None
    range: float
    true_peak: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of the track of sound of this name, and how many decibels louder the video has it."""

    track: str
    loudness: Loudness
    gain: float = 0.0


def gain_to(target: float, measured: Loudness) -> float:
    """Return how many decibels bring a track to the target in LUFS, its peaks below HIGHEST_PEAK; silence stays."""
    if measured.integrated is None or measured.true_peak is None:
        return 0.0
    return round(min(target - measured.integrated, HIGHEST_PEAK - measured.true_peak), 2)


def lacks(target: float, one: Measured) -> float:
    """Return by how many LU the track is quieter than the target, as its peaks allow no more; 0 where it is not."""
    heard = one.loudness.integrated
    return 0.0 if heard is None else max(0.0, round(target - heard - one.gain, 1))
