"""What ffmpeg may open: containers of video by content, and no protocol beyond the one the store needs.

ffmpeg follows playlists: a text file named `.mp4` made ffprobe fetch an internal host (DESIGN §12). So every opening
of an upload carries both lists; playlists, image sequences, SDP, concat and the like are not among them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

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
    "rm",
    "nut",
    "ivf",
    "h264",  # raw streams, as some cameras and exporters write
    "hevc",
    "m4v",
    "mjpeg",
    "mpegvideo",
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

_PROTOCOLS = {"": "file", "http": "http,tcp", "https": "https,tls,tcp"}


def protocol_whitelist(url: str) -> str:
    """Return the protocols ffmpeg may use to read this one input (a path or a signed URL)."""
    return _PROTOCOLS[urlsplit(url).scheme if "://" in url else ""]


def input_options(url: str) -> dict[str, str]:
    """Return the options that must stand before every `-i` of an upload."""
    options = {
        "protocol_whitelist": protocol_whitelist(url),
        "format_whitelist": FORMAT_WHITELIST,
    }
    if "://" in url:
        options |= {
            "reconnect": "1",  # a store that restarts cuts the connection; without this the rest reads as end of file
            "reconnect_on_network_error": "1",
            "reconnect_delay_max": "20",  # seconds; a restart of MinIO takes a few
        }
    return options


def input_arguments(url: str) -> list[str]:
    """Return the same as an argument list, for ffprobe."""
    return [part for key, value in input_options(url).items() for part in (f"-{key}", value)]


def as_input(url: str) -> str:
    """Return the input's name such that a path is never taken for an option or a protocol."""
    return url if "://" in url else f"file:{url}"
