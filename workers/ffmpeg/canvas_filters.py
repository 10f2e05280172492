"""Every picture in its own shape on one canvas: the filters for sources whose pictures change on their way. Pure.

ffmpeg keeps its graph when pictures change. Of all filters only `scale` and `pad` take that in; others would squeeze
the pictures or read beyond their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from storage.model.plan import HDR_TRANSFERS, Colour, Crop, Shape, VideoSource
from workers.ffmpeg.colour_filters import scaled
from workers.planning.colour import RGB
from workers.planning.picture_changes import MAX_PIXEL_ASPECT

# A picture this near the canvas' shape fills it, and so do those of which a side was rounded: no bars of a pixel.
ALIKE = 0.01
ROUNDED_PIXELS = 1.5
# Sides and bars are whole steps of so many pixels: chroma halves them. Fields are pairs of lines in all planes, which
# bars must not turn over.
STEP, FIELD_STEP = 2, 4
_HALF_MILLISECOND = 0.0005  # times of pictures are rounded to microseconds when printed
# Whatever pictures say of themselves, `scale` is to keep their numbers, of which the plan knows the meaning: newer
# ffmpeg makes all like the first one. Only RGB becomes this.
_KEPT_MATRIX = "bt709"
_ANY_ASPECT = f"if(between(sar,1/{MAX_PIXEL_ASPECT},{MAX_PIXEL_ASPECT}),sar,1)"


def on_canvas(stream: Any, video: VideoSource, *, behind: float = 0.0) -> Any:
    """Return pictures as coded, but all of the size and with the pixels' shape of the source's canvas.

    `behind` is how many seconds the stream's clock shows less than the source's. Fields are not mixed.
    """
    aspect, step = pixel_aspect(video), FIELD_STEP if video.interlaced else STEP
    ratio = f"{aspect.numerator}/{aspect.denominator}"
    if video.crop is not None:
        stream = stream.filter("setsar", ratio)  # older ffmpeg reckons it of the picture with what is hidden
    size = _size((video.width, video.height), aspect, step, aspect_expression(video.shapes, behind))
    stream = stream.filter("scale", *size, flags="lanczos", eval="frame", interl=-1, **_kept(video))
    if form := _common_format(video):
        stream = stream.filter("format", form)
    if len(_colours(video)) > 1:
        stream = stream.filter("setparams", colorspace=_KEPT_MATRIX)  # or the next `scale` makes them alike
    padded = _padded(stream, (video.width, video.height), step)
    return padded.filter("setsar", ratio)


def fitted(stream: Any, size: tuple[int, int], colour: Colour) -> Any:
    """Return pictures in the size of a rung, square pixels, also those whose change nobody saw when it was planned.

    What follows is as for `colour_filters.scaled`.
    """
    inside = _size(size, Fraction(1), STEP, _ANY_ASPECT)
    return _padded(scaled(stream, *inside, colour, eval="frame"), size, STEP)


def pixel_aspect(video: VideoSource) -> Fraction:
    """Return the shape of the canvas' pixels, as coded."""
    shown = (video.display_width, video.display_height)
    width, height = reversed(shown) if video.rotation in {90, 270} else shown
    crop = video.crop or Crop()
    coded_width, coded_height = video.width - crop.left - crop.right, video.height - crop.top - crop.bottom
    return Fraction(width * coded_height, height * coded_width)


def aspect_expression(shapes: Sequence[Shape], behind: float) -> str:
    """Return the shape of a picture's pixels as an expression of its size and, only where needed, of its time.

    ffmpeg 7 takes every picture's pixels to be like the first one's.
    """
    sizes = dict.fromkeys((shape.width, shape.height) for shape in shapes)
    cases = [(f"eq(iw,{width})*eq(ih,{height})", _in_time(shapes, (width, height), behind)) for width, height in sizes]
    return _nested(cases, _ANY_ASPECT)


def _in_time(shapes: Sequence[Shape], size: tuple[int, int], behind: float) -> str:
    """Return the shape of the pixels of pictures of this size, an expression of time where it changes."""
    same = [shape for shape in shapes if (shape.width, shape.height) == size]
    cases = [
        (f"lt(t,{after.since - behind - _HALF_MILLISECOND:.6f})", _aspect(before))
        for before, after in pairwise(same)
        if _aspect(before) != _aspect(after)
    ]
    return _nested(cases, _aspect(same[-1]))


def _aspect(shape: Shape) -> str:
    return f"{shape.aspect_num}/{shape.aspect_den}"


def _nested(cases: Sequence[tuple[str, str]], otherwise: str) -> str:
    for condition, value in reversed(cases):
        otherwise = f"if({condition},{value},{otherwise})"
    return otherwise


def _size(canvas: tuple[int, int], aspect: Fraction, step: int, shape: str) -> tuple[str, str]:
    """Return the expressions of a picture's width and height on a canvas whose pixels have this aspect.

    `step` is of lines, `shape` the expression of the pixels' aspect of the picture.
    """
    width, height = canvas
    alike = max(ALIKE, ROUNDED_PIXELS / min(width, height))
    # How much wider than the canvas the picture is, kept for the second use of it.
    wider = f"st(0,iw*({shape})/ih*{height * aspect.denominator}/{width * aspect.numerator})"

    def side(length: int, share: str, step: int) -> str:
        return f"if(lt(abs({wider}-1),{alike:.4f}),{length},max({step},{step}*round({length}*min(1,{share})/{step})))"

    return side(width, "ld(0)", STEP), side(height, "1/ld(0)", step)


def _padded(stream: Any, canvas: tuple[int, int], step: int) -> Any:
    middle = (f"{STEP}*floor((ow-iw)/{2 * STEP})", f"{step}*floor((oh-ih)/{2 * step})")
    return stream.filter("pad", *canvas, *middle, eval="frame")


def as_converted(video: VideoSource, colour: Colour) -> Colour:
    """Return what a colour of the source means once it is on the canvas."""
    if not _common_format(video):
        return colour
    if colour.matrix == RGB:
        return replace(colour, matrix=_KEPT_MATRIX, full=False)
    return replace(colour, full=False)


def _kept(video: VideoSource) -> dict[str, str]:
    """Return what keeps the numbers of pictures when they are scaled, but for ranges where those are of both kinds."""
    matrix = {"in_color_matrix": _KEPT_MATRIX, "out_color_matrix": _KEPT_MATRIX} if len(_colours(video)) > 1 else {}
    if _common_format(video):
        return matrix | {"out_range": "tv"}
    return matrix | ({"in_range": "pc", "out_range": "pc"} if _is_full(video.colour) else {})


def _colours(video: VideoSource) -> set[Colour]:
    return {shape.colour for shape in video.shapes}


def _is_full(colour: Colour) -> bool:
    """Tell whether brightness and colour differences have the full range; of RGB this goes without saying."""
    return colour.full and colour.matrix != RGB


def _common_format(video: VideoSource) -> str | None:
    """Return the pixels' format, of limited range, to which unlike ones are brought; None where they are alike."""
    colours = _colours(video)
    if any(colour.transfer in HDR_TRANSFERS for colour in colours) and len(colours) > 1:
        return "yuv420p10le"
    return "yuv420p" if len({(colour.matrix == RGB, colour.full) for colour in colours}) > 1 else None
