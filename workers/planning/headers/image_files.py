"""Files of pictures: what is animated, what is still, and which JPEGs one after another are a video."""

from __future__ import annotations

import re

from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import Headers

MOST_CHUNKS = 64  # of PNG, up to the picture
# JPEG files of cameras hold two or three pictures (a preview, another eye, brighter lights); more make a video.
FEWEST_MOVING = 4
JPEG_BYTES = 8 * 1024**2  # looked through: more than so many pictures of an ordinary size
_WEBP_ANIMATED = 0x02  # in the flags of VP8X
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_NEXT_JPEG = re.compile(rb"\xff\xd9[\x00\xff]{0,16}?\xff\xd8\xff", re.DOTALL)
# Pictures of which a file never holds a video, by how they begin: TIFF and cameras' raw pictures, Photoshop, OpenEXR,
# JPEG XL, JPEG 2000 (whose films begin otherwise behind that), DPX, DDS, QOI, FITS, Radiance.
_STILLS = re.compile(
    rb"II\*\0|MM\0\*|II\+\0|MM\0\+|IIRO|IIU\0|8BPS\0[\x01\x02]|\x76\x2f\x31\x01|\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"
    rb"|\0\0\0\x0cjP  \r\n\x87\n.{4}ftypjp[2xm]|\xff\x4f\xff\x51|SDPX|XPDS|DDS \x7c|qoif|SIMPLE  =|#\?RADIANCE"
    rb"|BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|FUJIFILMCCD-RAW",
    re.DOTALL,
)
_STILL_BYTES = 32
_SEVERAL_VIEWS = b"MPF\x00"  # CIPA's format for several pictures of one moment


def read_webp(file: Ranges) -> Headers | None:
    """Return whether a WebP is animated, None for another file."""
    head = file.read(0, 21)
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    animated = head[12:16] == b"VP8X" and bool(head[20:] and head[20] & _WEBP_ANIMATED)
    return Headers("webp_pipe", animated=animated, still=not animated)


def read_png(file: Ranges) -> Headers | None:
    """Return whether what may be an animated PNG has one picture only, None for another file."""
    if file.read(0, 8) != _PNG:
        return None
    at = 8
    for _ in range(MOST_CHUNKS):
        head = file.read(at, 12)
        if len(head) < 12 or head[4:8] == b"IDAT":  # noqa: PLR2004 - a length, a kind, and the number of pictures
            break
        if head[4:8] == b"acTL":
            return Headers("apng", still=int.from_bytes(head[8:]) <= 1)
        at += 12 + int.from_bytes(head[:4])
    return Headers("png_pipe", still=True)


def read_jpeg(file: Ranges) -> Headers | None:
    """Return whether a JPEG goes on with so many others that they are a raw stream of video, None for another file."""
    if file.read(0, 3) != _JPEG:
        return None
    data = file.read(0, JPEG_BYTES)
    pictures = 1 + len(_NEXT_JPEG.findall(data))
    moving = pictures >= FEWEST_MOVING and _SEVERAL_VIEWS not in data
    return Headers("jpeg_pipe", moving=moving, still=not moving)


def read_still(file: Ranges) -> Headers | None:
    """Return that a file is a picture of a kind that has no films, None for another file."""
    return Headers("image2", still=True) if _STILLS.match(file.read(0, _STILL_BYTES)) else None
