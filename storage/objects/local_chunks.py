"""A local file's bytes, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from storage.objects.local_errors import translated

_CHUNK_BYTES = 256 * 1024  # read at once: few system calls, little memory for each of many players


def file_chunks(source: BinaryIO, key: str, start: int, length: int | None) -> Iterator[bytes]:
    """Yield an open file's bytes from `start` on, `length` at most (None: all), and close it; `key` is for errors."""
    with source, translated(key):
        source.seek(start)
        left = length
        while left is None or left > 0:
            chunk = source.read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk
