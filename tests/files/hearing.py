"""Whether the same sound is heard at the same time: loudness and lag in windows over the whole length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import SAMPLE_RATE, Times
from tests.files.seeing import Floats

WINDOW_SECONDS = 0.5  # of loudness
SPAN_SECONDS = 2.0  # of correlation
LAG_SECONDS = 0.060  # more is unlike: people notice less
SEARCH_SECONDS = 1.0  # how far a lag is looked for
LOUD = 0.003  # root mean square of full scale 1: -50 dB may be meant to be heard
SILENT = 0.0003  # -70 dB
ALIKE = 0.8  # correlation of the same sound through a codec: 0.99 and more was seen
KIN = 0.85  # likeness of spectra of the same sound: 0.92 and more was seen, 1 % too slow as well
IN_TIME = 0.6  # correlation of envelopes
NEARLY = 0.9  # of the best correlation: a tone is like itself at many lags
BANDS = 80  # of 50 Hz
VARIED = 0.3  # deviation of an envelope by its mean: less tells no time
_ENVELOPE_RATE = 200
_EDGE_WINDOWS = 1  # a window's border may cut a beep: neighbours count


@dataclass(frozen=True)
class Heard:
    """What comparing sound gave: windows with a verdict, and (time, what) of those unlike.

    What is "missing", "noise", "unlike" or a lag in milliseconds. `lag` is the worst, seconds.
    """

    compared: int
    wrong: tuple[tuple[float, str], ...]
    lag: float


def hear(wanted: Floats, got: Floats) -> Heard:
    """Compare two lines of both ears' sound that begin at the same moment; ears that are alike are compared once."""
    length = max(len(wanted), len(got))
    one, other = (np.pad(line, ((0, length - len(line)), (0, 0))) for line in (wanted, got))
    ears = (0,) if all(np.array_equal(line[:, 0], line[:, 1]) for line in (one, other)) else (0, 1)
    found = [_hear(one[:, ear], other[:, ear]) for ear in ears]
    wrong = sorted({place for ear in found for place in ear.wrong})
    worst = max((ear.lag for ear in found), key=lambda lag: (np.isnan(lag), abs(lag)))
    return Heard(sum(ear.compared for ear in found), tuple(wrong), worst)


def _hear(one: Floats, other: Floats) -> Heard:
    length = len(one)
    loud = _loudness(one, other)
    lags, compared = list[tuple[float, str]](), 0
    worst = 0.0
    span = int(SPAN_SECONDS * SAMPLE_RATE)
    for start in range(0, max(1, length - span // 2), span):
        lag = _lag(one[start : start + span], other, start)
        if lag is None:
            continue
        compared += 1
        worst = lag if abs(lag) > abs(worst) or np.isnan(lag) else worst
        if np.isnan(lag):
            lags.append((start / SAMPLE_RATE, "unlike"))
        elif abs(lag) > LAG_SECONDS:
            lags.append((start / SAMPLE_RATE, f"{lag * 1000:+.0f} ms"))
    return Heard(compared + loud.compared, (*loud.wrong, *lags), worst)


def _loudness(one: Floats, other: Floats) -> Heard:
    """Compare loudness: what is loud may not be silent, nor what is silent loud, with the neighbours looked at."""
    window = int(WINDOW_SECONDS * SAMPLE_RATE)
    wanted, got = _rms(one, window), _rms(other, window)
    wrong = [(float(n * WINDOW_SECONDS), "missing") for n in np.flatnonzero(_against(wanted, got))]
    wrong += [(float(n * WINDOW_SECONDS), "noise") for n in np.flatnonzero(_against(got, wanted))]
    return Heard(int(((wanted > LOUD) | (wanted < SILENT)).sum()), tuple(wrong), 0.0)


def _against(loud: Times, quiet: Times) -> NDArray[np.bool_]:
    """Tell where the one is loud while the other is silent there and on both sides."""
    around = np.maximum.reduce([np.roll(np.pad(quiet, 1, mode="edge"), shift)[1:-1] for shift in (-1, 0, 1)])
    return np.asarray((loud > LOUD) & (around < SILENT))


def _rms(line: Floats, window: int) -> Times:
    whole = np.pad(line, (0, -len(line) % window)).reshape(-1, window)
    return np.asarray(np.sqrt((whole.astype(np.float64) ** 2).mean(axis=1)))


def _lag(piece: Floats, line: Floats, start: int) -> float | None:
    """Return how much later a stretch of the wanted sound is heard, seconds; None: untold, nan: nothing is like it."""
    if _rms(piece, len(piece))[0] < LOUD:
        return None
    reach = int(SEARCH_SECONDS * SAMPLE_RATE)
    around = np.pad(line, (reach, reach + len(piece)))[start : start + len(piece) + 2 * reach]
    by_samples = _best(piece, around, SAMPLE_RATE)
    if by_samples[1] >= ALIKE:
        return by_samples[0]
    if _kinship(piece, around[reach : reach + len(piece)]) < KIN:
        return float("nan")
    envelopes = (_envelope(piece), _envelope(around))
    if envelopes[0].std() < VARIED * envelopes[0].mean():
        return None
    lag, alike = _best(envelopes[0] - envelopes[0].mean(), envelopes[1] - envelopes[1].mean(), _ENVELOPE_RATE)
    return lag if alike >= IN_TIME else float("nan")


def _kinship(one: Floats, other: Floats) -> float:
    """Return how alike the spectra are in bands, 0 to 1, wherever the sounds lie: other words, another voice."""
    spectra = [np.abs(np.fft.rfft(line)) for line in (one, other)]
    bands = [spectrum[: len(spectrum) // BANDS * BANDS].reshape(BANDS, -1).sum(axis=1) for spectrum in spectra]
    return float(bands[0] @ bands[1] / (np.linalg.norm(bands[0]) * np.linalg.norm(bands[1]) + 1e-9))


def _best(piece: Floats, around: Floats, rate: int) -> tuple[float, float]:
    """Return lag (seconds) and correlation where the piece fits best; no lag if it fits nearly as well in time."""
    size = 1 << int(np.ceil(np.log2(len(around) + len(piece))))
    spectrum = np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size))
    count = len(around) - len(piece) + 1
    crossed = np.fft.irfft(spectrum, size)[:count]
    energy = np.concatenate([[0.0], np.cumsum(around.astype(np.float64) ** 2)])
    local = energy[len(piece) : len(piece) + count] - energy[:count]
    # Where next to nothing is heard, any likeness is chance.
    floor = 0.05 * float((piece.astype(np.float64) ** 2).sum())
    alike = crossed / np.sqrt(np.maximum(local, floor) * float((piece.astype(np.float64) ** 2).sum()) + 1e-12)
    lags = (np.arange(count) - (count - 1) / 2) / rate
    best = int(np.argmax(alike))
    in_time = np.abs(lags) <= LAG_SECONDS
    near = int(np.argmax(np.where(in_time, alike, -1)))
    chosen = near if alike[near] >= NEARLY * alike[best] else best
    return float(lags[chosen]), float(alike[chosen])


def _envelope(line: Floats) -> Floats:
    window = SAMPLE_RATE // _ENVELOPE_RATE
    return _rms(line[: len(line) // window * window], window).astype(np.float32)
