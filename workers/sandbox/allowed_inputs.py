"""What ffmpeg may open: containers of video by content, no protocol beyond the one its input needs, no odd decoder.

ffmpeg follows playlists: a text file named `.mp4` made ffprobe fetch an internal host. So every opening of an upload
carries the lists of containers, protocols and decoders and the largest picture; playlists, image sequences, SDP, concat
and the like are not among them (docs/design.md#facts).
"""

from __future__ import annotations

import math

from workers.sandbox.allowed_codecs import CODEC_WHITELIST

# Names as `ffmpeg -demuxers` prints them; a demuxer with several names is allowed by any one of them.
_CONTAINERS = (
    "mov",  # MP4, MOV, 3GP, M4A
    "matroska",  # MKV, WebM
    "mpegts",
    "mpeg",  # MPEG program streams: DVD, old cameras
    "avi",
    "flv",
    "asf",  # WMV
    "ogg",
    "mxf",  # broadcast cameras
    "dv",
    "gif",
    "apng",
    "rm",
    "nut",
    "ivf",
    "wtv",  # Windows Media Center
    "pva",  # TechnoTrend's receivers
    "gxf",  # broadcast servers
    "yuv4mpegpipe",
    "h264",  # raw streams, as some cameras and exporters write
    "hevc",
    "m4v",
    "mjpeg",
    "mpegvideo",
    "obu",  # AV1
    "vc1",
    "dirac",
    # Sound only: opened so that the refusal can say what the file is.
    "mp3",
    "wav",
    "flac",
    "aac",
    # Still pictures, for the same reason.
    "jpeg_pipe",
    "png_pipe",
    "webp_pipe",
    "bmp_pipe",
)
FORMAT_WHITELIST = ",".join(_CONTAINERS)
# What a tool looks at to find all streams, where its defaults (5 s and 5 MB) do not do. It keeps it in memory.
LOOK_BYTES = 256 * 1024**2
# Of a picture that is decoded, whatever its container says: 8K (8192 x 4320) with as much again, as two eyes one above
# the other are. MAX_SOURCE_PIXELS may be set up to this.
MAX_PIXELS = 8192 * 8192


def protocol_whitelist(url: str) -> str:
    """Return the protocols ffmpeg may use to read this one input: a path, or an address of workers.sandbox.relay."""
    return "http,tcp" if "://" in url else "file"


def input_options(url: str) -> dict[str, str | int]:
    """Return the options that must stand before every `-i`: of an upload, and of what was made of it."""
    return {
        "protocol_whitelist": protocol_whitelist(url),
        "format_whitelist": FORMAT_WHITELIST,
        "codec_whitelist": CODEC_WHITELIST,
        "max_pixels": MAX_PIXELS,
    }


def input_arguments(url: str) -> list[str]:
    """Return the same as an argument list, for ffprobe."""
    return [part for key, value in input_options(url).items() for part in (f"-{key}", str(value))]


def own_text_arguments(path: str, kind: str) -> list[str]:
    """Return the arguments that open a text which we wrote ourselves, as nothing but this kind of it."""
    options = {**input_options(path), "format_whitelist": kind, "f": kind}
    return [*(part for key, value in options.items() for part in (f"-{key}", str(value))), "-i", as_input(path)]


def as_input(url: str) -> str:
    """Return the input's name such that a path is never taken for an option or a protocol."""
    return url if "://" in url else f"file:{url}"


def looking_options(look_seconds: float) -> dict[str, int]:
    """Return the options of an input whose streams are to be looked for in its first `look_seconds`, 0 for as usual."""
    if not look_seconds:
        return {}
    return {"analyzeduration": math.ceil(look_seconds * 1_000_000), "probesize": LOOK_BYTES}


def looking_arguments(look_seconds: float) -> list[str]:
    """Return the same as an argument list, for ffprobe."""
    return [part for key, value in looking_options(look_seconds).items() for part in (f"-{key}", str(value))]
