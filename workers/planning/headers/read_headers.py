"""All readers of headers at one file, and what they tell beside ffprobe."""

from __future__ import annotations

from dataclasses import replace

from storage.media_errors import (
    AnimatedPictureError,
    EncryptedError,
    PictureOnlyError,
    PlaylistOnlyError,
    TooComplexError,
)
from workers.planning.facts import Probe, Stream, sane_crop
from workers.planning.headers.asf import read_asf
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.flash_mxf import read_flash, read_mxf
from workers.planning.headers.image_files import read_jpeg, read_png, read_still, read_webp
from workers.planning.headers.matroska import read_matroska
from workers.planning.headers.mp4 import read_mp4
from workers.planning.headers.scrambling import read_program, read_transport
from workers.planning.headers.text_files import TEXT_BYTES, text_refusal
from workers.planning.headers.tracks import Headers, Track
from workers.planning.packet_columns import most_packets

READERS = (
    read_mp4,
    read_matroska,
    read_asf,
    read_flash,
    read_mxf,
    read_webp,
    read_png,
    read_jpeg,
    read_still,
    read_program,
    read_transport,
)
NOTHING = Headers()


def look_inside(file: Ranges) -> Headers:
    """Return what the headers of the file say, and refuse what can never be encoded.

    Raises EncryptedError, TooComplexError, PlaylistOnlyError, PictureOnlyError, AnimatedPictureError, what text is
    refused as, and ToolTimeoutError for a store that does not answer.
    """
    refusal = text_refusal(file.read(0, TEXT_BYTES))
    if refusal is not None:
        raise refusal
    headers = read_headers(file)
    if headers.all_pictures_encrypted:
        raise EncryptedError
    if headers.pictures > most_packets(file.size):
        raise TooComplexError
    if headers.refers:
        raise PlaylistOnlyError
    if headers.still:
        raise PictureOnlyError
    if headers.animated:
        raise AnimatedPictureError
    return headers


def read_headers(file: Ranges) -> Headers:
    """Return what the one reader says that knows the container."""
    return next((found for read in READERS if (found := read(file)) is not None), NOTHING)


def with_headers(probe: Probe, headers: Headers) -> Probe:
    """Return the probe with what the headers say of its streams."""
    if headers.container not in probe.container.split(","):
        return probe
    if headers.moving:
        return replace(probe, container="mjpeg", streams=tuple(replace(stream, raw=True) for stream in probe.streams))
    return replace(probe, streams=tuple(_with(stream, _of(stream, headers)) for stream in probe.streams))


def _of(stream: Stream, headers: Headers) -> Track | None:
    """Return the stream's track; one of another kind is none, as readers and ffmpeg may count differently."""
    found = headers.by_id.get(stream.id) or headers.by_place.get(stream.index)
    return found if found is not None and found.kind in {"", stream.kind} else None


def _with(stream: Stream, track: Track | None) -> Stream:
    if track is None:
        return stream
    stream = replace(stream, encrypted=track.encrypted, pcm=track.pcm, description=track.description)
    if track.crop is None or track.kind != stream.kind:
        return stream
    if (crop := sane_crop(track.crop, stream.width, stream.height)) is None:
        return stream
    return replace(stream, crop=crop, pixel_aspect=track.aspect or stream.pixel_aspect)
