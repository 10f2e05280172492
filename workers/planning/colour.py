"""Colours: what a source's numbers mean. Pure.

What a file says of itself counts. Where it is silent, conventions do: small pictures are BT.601, larger ones BT.709, PQ
and HLG are BT.2020; formats of RGB and of JPEG use the full range, all others the limited one.
"""

from __future__ import annotations

from storage.model.plan import HDR_TRANSFERS, Colour
from workers.planning.facts import Stream

RGB = "gbr"  # ffmpeg's name of the matrix that is none
# Players guess likewise (mpv, Chromium): from 720p on a picture without tags is high definition.
HD_WIDTH, SD_HEIGHT = 1280, 576
_MATRICES = frozenset({"bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c", "ictcp"})
_PRIMARIES = frozenset(
    {"bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film"}
    | {"bt2020", "smpte428", "smpte431", "smpte432", "jedec-p22", "ebu3213"}
)
_RGB_FORMATS = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "xyz", "x2rgb", "x2bgr")
_GREY_FORMATS = ("gray", "ya8", "ya16", "mono")
_ALPHA_FORMATS = ("yuva", "ayuv", "vuya", "gbrap", "rgba", "bgra", "argb", "abgr", "ya8", "ya16", "pal8")


def colour_of(video: Stream) -> Colour:
    """Return what the stream's numbers mean, by its tags and the conventions."""
    rgb = video.pixel_format.startswith(_RGB_FORMATS)
    wide = video.transfer in HDR_TRANSFERS or video.primaries == "bt2020" or video.matrix == "bt2020nc"
    high = video.width >= HD_WIDTH or video.height > SD_HEIGHT
    said = video.matrix if video.matrix in _MATRICES else None
    grey = video.pixel_format.startswith(_GREY_FORMATS)
    full = rgb or grey or video.pixel_format.startswith("yuvj")
    return Colour(
        matrix=RGB if rgb else said or ("bt2020nc" if wide else "bt709" if high or grey else "smpte170m"),
        primaries=video.primaries if video.primaries in _PRIMARIES else "bt2020" if wide else "bt709",
        # The curves of SDR (BT.709's, BT.601's, sRGB's) are shown alike by players, so they are not told apart.
        transfer=video.transfer if video.transfer in HDR_TRANSFERS else "bt709",
        full=rgb or video.range == "pc" or (full and video.range != "tv"),
    )


def has_alpha(video: Stream) -> bool:
    """Tell whether parts of the picture may be transparent."""
    return video.alpha_mode or video.pixel_format.startswith(_ALPHA_FORMATS)
