"""Pictures that change on their way: the canvas they share, what changes when, and what is said of it. Pure.

A look at a picture stands until the next one. The canvas is the largest picture that lasts: the ladder follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from storage.model.job_warnings import Warnings, warning
from storage.model.plan import Colour, Crop, Shape
from workers.planning.colour import colour_of
from workers.planning.facts import Stream, sane_crop
from workers.planning.picture_facts import Look

MAX_PIXEL_ASPECT = 10  # real ones lie between 1:2 and 3:1; beyond this the header lies
LASTING_SECONDS = 1.0  # a larger picture for a moment is a broken header or what a cut left over
MAX_SHAPES = 32  # kept in a plan and written into commands; recordings change a few times an hour
# Decoders that forget the picture they hold back when the next one has another shape. They hold none back if told that
# pictures come in order.
LOSING_DECODERS = frozenset({"mpeg1video", "mpeg2video"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What looking came to.

    `video` is the stream as its canvas and `largest` as its largest picture, `colour` what the canvas' numbers mean;
    `shapes` are there if there are several.
    """

    video: Stream
    largest: Stream
    colour: Colour
    shapes: tuple[Shape, ...] = ()
    warnings: Warnings = ()


@dataclass(frozen=True, slots=True)
class _Timed:
    """A look, from when on it stands (seconds on the source's clock) and for how many seconds."""

    since: float
    lasts: float
    look: Look

    @property
    def form(self) -> tuple[int, int, Fraction]:
        """The size as coded and the shape of a pixel."""
        return self.look.width, self.look.height, sane(self.look.aspect)


def seen(video: Stream, looks: Sequence[Look], *, start: float, end: float) -> Seen:
    """Return what the looks tell of a stream whose pictures show from `start` to `end`; its header where none do."""
    if not looks:
        return Seen(video, video, colour_of(video))
    if video.crop is not None:
        # What a container crops it gives a shape as well, which older ffmpeg reckons of the whole picture.
        looks = [replace(one, aspect=video.pixel_aspect) for one in looks]
    timed = _timed(looks, start, end)
    shown = _canvas(timed)
    largest = max(looks, key=lambda one: one.width * one.height)
    shapes = _shapes(video, timed)
    return Seen(
        video=replace(
            video,
            width=shown.width,
            height=shown.height,
            pixel_aspect=shown.aspect,
            crop=None if video.crop is None else sane_crop(video.crop, shown.width, shown.height),
            field_order=_field_order(video, looks),
        ),
        largest=replace(video, width=largest.width, height=largest.height),
        colour=_colour(video, timed[0].look, shown),
        shapes=shapes if 1 < len(shapes) <= MAX_SHAPES else (),
        warnings=_warnings(video, timed, start),
    )


def sane(aspect: Fraction) -> Fraction:
    """Return a pixel's aspect, that of a square for one that no real source has."""
    return aspect if Fraction(1, MAX_PIXEL_ASPECT) <= aspect <= MAX_PIXEL_ASPECT else Fraction(1)


def square_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Return a picture's size in square pixels, never shrinking a side."""
    # Stretching one side up keeps every source pixel; x264 needs nothing more than the even sizes of the ladder.
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _timed(looks: Sequence[Look], start: float, end: float) -> list[_Timed]:
    """Return the looks in time; those without one stand between their neighbours in the file."""
    step = (end - start) / len(looks)
    times = [start + step * n if one.time is None else one.time for n, one in enumerate(looks)]
    ordered = sorted(range(len(looks)), key=times.__getitem__)
    until = [*(times[n] for n in ordered[1:]), end]
    return [_Timed(times[n], max(0.0, then - times[n]), looks[n]) for n, then in zip(ordered, until, strict=True)]


def _canvas(timed: Sequence[_Timed]) -> Look:
    """Return a picture of the largest shape in square pixels that lasts, else of the one that lasts longest."""
    lasts: dict[tuple[int, int, Fraction], float] = {}
    for one in timed:
        lasts[one.form] = lasts.get(one.form, 0.0) + one.lasts

    def size(form: tuple[int, int, Fraction]) -> tuple[Fraction, int, float]:
        width, height, aspect = form
        return width * height * max(aspect, 1 / aspect), width * height, lasts[form]

    lasting = [form for form, seconds in lasts.items() if seconds >= LASTING_SECONDS]
    best = max(lasting, key=size) if lasting else max(lasts, key=lambda form: (lasts[form], size(form)))
    return next(one.look for one in timed if one.form == best)


def _field_order(video: Stream, looks: Sequence[Look]) -> str:
    """Return the stream's field order, of its first interlaced picture where there are fields anywhere."""
    first = next((one for one in looks if one.interlaced), None)
    if first is None:
        return "progressive" if video.field_order in {"", "unknown"} else video.field_order
    return "tt" if first.top_first else "bb"


def _shapes(video: Stream, timed: Sequence[_Timed]) -> tuple[Shape, ...]:
    """Return what the pictures are like, one after the other where it changes."""
    shapes: list[Shape] = []
    for one in timed:
        width, height, aspect = one.form
        colour = _colour(video, timed[0].look, one.look)
        shape = Shape(one.since, width, height, aspect.numerator, aspect.denominator, colour)
        if not shapes or replace(shape, since=shapes[-1].since) != shapes[-1]:
            shapes.append(shape)
    return tuple(shapes)


def _colour(video: Stream, first: Look, one: Look) -> Colour:
    """Return what a picture's numbers mean: what the header says but for what it says otherwise than the first did."""
    other: dict[str, Any] = {tag: value for tag, value in one.tags.items() if value != first.tags[tag]}
    # Without tags size tells, but one encoder that grows its pictures does not change its colours with them.
    if "matrix" in other:
        other |= {"width": one.width, "height": one.height}
    return colour_of(replace(video, **other))


def _warnings(video: Stream, timed: Sequence[_Timed], start: float) -> Warnings:
    """Say what changes, when first, and from what to what."""

    def change(of: Callable[[_Timed], Any]) -> tuple[float, _Timed] | None:
        other = next((one for one in timed if of(one) != of(timed[0])), None)
        return None if other is None else (max(0.0, other.since - start), other)

    found: list[Any] = []
    if shape := change(lambda one: one.form):
        found.append(warning("shape_changes", seconds=shape[0], **_sizes(timed[0], shape[1])))
    if fields := change(lambda one: one.look.interlaced):
        found.append(warning("fields_change", seconds=fields[0]))
    if colour := change(lambda one: _colour(video, timed[0].look, one.look)):
        found.append(warning("colour_changes", seconds=colour[0]))
    elif pixels := change(lambda one: one.look.pixel_format):
        found.append(warning("pixels_change", seconds=pixels[0]))
    return tuple(found)


def _sizes(before: _Timed, after: _Timed) -> dict[str, float]:
    """Return both sizes as they are shown, as coded if those are equal."""
    (width, height), (to_width, to_height) = square_size(*before.form), square_size(*after.form)
    if (width, height) == (to_width, to_height):
        (width, height, _), (to_width, to_height, _) = before.form, after.form
    return {"width": width, "height": height, "to_width": to_width, "to_height": to_height}


def display_size(video: Stream) -> tuple[int, int, Warnings]:
    """Return what a viewer sees, in square pixels, never shrinking a side; and warnings."""
    aspect = sane(video.pixel_aspect)
    warnings = () if aspect == video.pixel_aspect else (warning("pixel_shape"),)
    crop = video.crop or Crop()
    width, height = video.width - crop.left - crop.right, video.height - crop.top - crop.bottom
    width, height = square_size(width, height, aspect)
    if video.turn.rotation in {90, 270}:
        width, height = height, width
    return width, height, warnings
