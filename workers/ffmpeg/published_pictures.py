"""The markers of a published JPEG: one picture of the planned size as our encoder writes it, and no more. Pure."""

from __future__ import annotations

import re
import struct

from storage.errors import OutputMismatchError

_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_BASELINE, _SCAN = 0xC0, 0xDA
_COMMENTS = frozenset({0xE0, 0xFE})  # JFIF and the encoder's name
_KNOWN = frozenset({0xDB, 0xC4, _BASELINE, _SCAN, 0xDD}) | _COMMENTS  # and the tables, and restart intervals
_COMMENT_BYTES = 64
# In a scan 0xff is followed by 0, by a restart marker or by itself; anything else ends it.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def check_jpeg(data: bytes, *, width: int, height: int) -> None:
    """Raise OutputMismatchError unless this is one baseline JPEG of this size in pixels, and nothing follows it."""
    try:
        size, scan = _header(data)
    except struct.error as error:
        raise OutputMismatchError(detail="The encoder's picture is cut off.") from error
    if size != (width, height):
        raise OutputMismatchError(detail=f"The encoder's picture is {size[0]} x {size[1]}, not {width} x {height}.")
    found = _SCAN_END.search(data, scan)
    if found is None or found.group() != _END or found.end() != len(data):
        raise OutputMismatchError(detail="The encoder's picture does not end with its file.")


def _header(data: bytes) -> tuple[tuple[int, int], int]:
    """Return the size that the picture says it has, and where its scan begins."""
    size, at = (0, 0), len(_BEGIN)
    if not data.startswith(_BEGIN):
        raise OutputMismatchError(detail="The encoder's picture is no JPEG.")
    while True:
        prefix, marker, length = struct.unpack_from(">BBH", data, at)
        if prefix != _BEGIN[0] or marker not in _KNOWN or (marker in _COMMENTS and length > _COMMENT_BYTES):
            raise OutputMismatchError(detail="The encoder's picture holds something that is no picture.")
        if marker == _BASELINE:
            height, width = struct.unpack_from(">5xHH", data, at)
            size = (width, height)
        at += 2 + length
        if marker == _SCAN:
            return size, at
