"""Filters of colours and sizes: they make BT.709, the one coding of all outputs, of any source. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from storage.model.plan import BT709, Colour
from workers.planning.colour import RGB

_NUMBERS = {"smpte240m": 7}  # zscale of ffmpeg 5.1 misspells this one's name
# Light of the brightest code in nit. PQ's own end whatever the mastering metadata say: those stand at frames, so that
# two segments could be mapped differently, and the curve loses next to nothing by leaving room for all of PQ.
HDR_PEAKS = {"smpte2084": 10_000, "arib-std-b67": 1_000}
DIFFUSE_WHITE_NITS = 203  # of PQ, and of HLG at 75 % (BT.2408)
# Light up to this share of diffuse white passes unchanged beside it: faces and mid-tones look as in SDR. Above, it is
# compressed; diffuse white comes to 0.84 of the signal, between BT.2446's methods A (0.69) and C (0.96).
KNEE = 0.3
_OUTPUT = {"matrix": "bt709", "primaries": "bt709", "transfer": "bt709", "range": "limited"}


def scaled(stream: Any, width: int | str, height: int | str, colour: Colour, **more: str) -> Any:
    """Return the picture in another size; colours mean what they meant, but for a full range that nothing else turns.

    What follows must be `to_bt709` of the same colour. `more` are further options of the filter.
    """
    options = {"flags": "lanczos"} | more  # about +2 VMAF at 480p over bicubic; measured, see docs/encoding.md
    if colour.full and colour.matrix != RGB:
        options |= {"in_range": "pc", "out_range": "pc" if _is_converted(colour) else "tv"}
    return stream.filter("scale", width, height, **options).filter("setsar", "1")


def smaller(stream: Any, width: int, height: int) -> Any:
    """Return pictures that `to_bt709` made in a smaller size: zimg takes half of swscale's time for equal quality."""
    return stream.filter("zscale", width, height, filter="lanczos").filter("setsar", "1")


def to_bt709(stream: Any, colour: Colour) -> Any:
    """Return BT.709, limited range, 8 bit 4:2:0, and tagged so, of scaled pictures whose numbers mean `colour`.

    Most sources are coded so already and only get the tags.
    """
    if _is_converted(colour):
        stream = _converted(stream, colour)
    return stream.filter("format", "yuv420p").filter(
        "setparams", range="tv", color_primaries="bt709", color_trc="bt709", colorspace="bt709"
    )


def to_jpeg(stream: Any) -> Any:
    """Return what a JPEG holds by its standard, full range of BT.601, of a stream that is BT.709."""
    return stream.filter("zscale", matrix="smpte170m", range="full").filter("format", "yuvj420p")


def on_black(stream: Any) -> Any:
    """Return the picture in front of black instead of a transparent one."""
    return stream.filter("premultiply", inplace=1)


def _is_converted(colour: Colour) -> bool:
    return replace(colour, full=False) != BT709


def _converted(stream: Any, colour: Colour) -> Any:
    source = {
        # zscale is told what it gets: frames may say something else of themselves, and each segment another thing.
        "matrixin": _NUMBERS.get(colour.matrix, colour.matrix),
        "primariesin": colour.primaries,
        "transferin": colour.transfer,
        "rangein": "full" if colour.full else "limited",
    }
    if colour.transfer in HDR_PEAKS:
        linear = stream.filter("zscale", **source, transfer="linear", primaries="bt709", npl=DIFFUSE_WHITE_NITS)
        return _in_gamut(_tone_mapped(linear, HDR_PEAKS[colour.transfer] / DIFFUSE_WHITE_NITS), dither="ordered")
    if colour.primaries != BT709.primaries:
        return _in_gamut(stream.filter("zscale", **source, primaries="bt709"))
    return stream.filter("zscale", **source, **_OUTPUT)


def _tone_mapped(linear: Any, peak: float) -> Any:
    """Return SDR of linear light in which diffuse white is 1 and the brightest there can be is `peak`.

    One curve for a pixel's brightest component, and the others are scaled with it: hues stay, and greys stay grey.
    """
    curve = linear.filter("format", "gbrpf32le").filter("tonemap", "mobius", param=KNEE, peak=f"{peak:.4f}", desat=0)
    return curve.filter("zscale", transfer="bt709")


def _in_gamut(stream: Any, **options: str) -> Any:
    """Return BT.709 with what lies outside of its colours cut at the components: luma and chroma would cut worse."""
    return stream.filter("format", "gbrp10le").filter("zscale", **_OUTPUT, **options)
