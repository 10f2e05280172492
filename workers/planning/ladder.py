"""The ladder: which rungs a picture gets and their sizes. Pure; never larger than the source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from storage.model.plan import Rung

MIN_SIDE = 16  # pixels; below one macroblock encoders and players misbehave
NEAR = Fraction(9, 10)  # a source within 10 % of a standard rung gets that rung only: two alike cost time, not quality


@dataclass(frozen=True, slots=True)
class _Standard:
    """A rung: its box (long by short side, pixels), quality, and cap at up to 30 frames per second (bits/s)."""

    name: str
    long: int
    short: int
    crf: int
    maxrate: int


# Chosen by measurement; the figures stand in docs/encoding-why.md.
STANDARD_RUNGS = (
    _Standard("1080p", 1920, 1080, crf=22, maxrate=6_000_000),
    _Standard("720p", 1280, 720, crf=22, maxrate=3_500_000),
    _Standard("480p", 854, 480, crf=22, maxrate=1_800_000),
)
HIGH_RATE = 30  # frames per second; above, the caps grow: by half at 60, as neighbouring frames are more alike
BUFFER_SECONDS = 2  # decoder buffer at the cap: lets a scene cut breathe without a player running dry


def ladder(width: int, height: int, rate: Fraction) -> tuple[Rung, ...]:
    """Return the rungs for a displayed picture of square pixels, largest first; at least one.

    The largest standard box that the picture fills comes first; a picture between two boxes (or below all) keeps its
    own size as top rung, named by the lines a 16:9 picture of its extent has (as the standard rungs of wide films are).
    A box that would leave less than MIN_SIDE of a strip's narrow side makes no rung.
    """
    scales = [(box, scale) for box in STANDARD_RUNGS if (scale := _scale(box, width, height))]
    least = min(Fraction(1), Fraction(MIN_SIDE, min(width, height)))
    rungs = [_rung(box, width, height, scale, rate) for box, scale in scales if scale >= least]
    if not rungs or _share(rungs[0], width, height) < NEAR:
        own = _own_size(width, height)
        if own is not None:
            rungs.insert(0, _rung(own, width, height, Fraction(1), rate))
    # A strip longer than every box: shrunk as far as its narrow side allows.
    return tuple(rungs) or (_rung(STANDARD_RUNGS[0], width, height, least, rate),)


def _scale(box: _Standard, width: int, height: int) -> Fraction | None:
    """Return the factor (at most 1) that fits the picture into the box, None if it would have to grow."""
    long, short = max(width, height), min(width, height)
    fit = min(Fraction(box.long, long), Fraction(box.short, short))
    # 848x480 and 852x480 are what people call 480p though the box is 854 wide.
    fills = fit <= 1 or short == box.short or long == box.long
    return min(fit, Fraction(1)) if fills else None


def _share(rung: Rung, width: int, height: int) -> Fraction:
    return Fraction(max(rung.width, rung.height), max(width, height))


def _own_size(width: int, height: int) -> _Standard | None:
    """Return a box of the picture's own size with the rates of the next standard rung above; None above them all."""
    long, short = max(width, height), min(width, height)
    if _scale(STANDARD_RUNGS[0], width, height):
        return None
    above = [box for box in STANDARD_RUNGS if _scale(box, width, height) is None]
    lines = even(max(Fraction(short), Fraction(long * 9, 16)))
    return _Standard(f"{lines}p", long, short, crf=above[-1].crf, maxrate=above[-1].maxrate)


def _rung(box: _Standard, width: int, height: int, scale: Fraction, rate: Fraction) -> Rung:
    maxrate = int(box.maxrate * (1 + max(Fraction(0), rate - HIGH_RATE) / (2 * HIGH_RATE)))
    return Rung(
        name=box.name,
        width=even(width * scale),
        height=even(height * scale),
        crf=box.crf,
        maxrate=maxrate,
        bufsize=maxrate * BUFFER_SECONDS,
    )


def even(length: Fraction | int) -> int:
    """Return the nearest even number, not above an odd source's own size: 4:2:0 halves both sides."""
    return max(2, 2 * round(Fraction(length) / 2 - Fraction(1, 100)))
