"""The index of an MP4 or MOV that lies behind its media, as cameras and phones write it.

Sent ahead, it lets the server begin to encode before the last byte. So do other boxes there, which tools look at before
anything else. Nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from storage.model.upload import LONGEST_INDEX
from web.client.failures import ClientError
from web.client.tus import Uploads

_HEADER = 16  # bytes: a size, a type, and a long size if there is one
_MOST_BOXES = 32  # of a file's top level; real ones have a few before their index
_FIRST = frozenset({b"ftyp", b"wide", b"mdat", b"free", b"skip", b"pnot"})  # what such a file begins with
_NO_INDEX = frozenset({b"moof", b"mfra"})  # of a file in fragments, which has its index in pieces
_BLOCK = 256 * 1024  # bytes sent at once
_SHORT = 8  # bytes of a box's size and type


class IndexPlace(NamedTuple):
    """Where an index lies in its file, in bytes."""

    begin: int
    end: int


def index_of(file: BinaryIO, size: int, most: int) -> IndexPlace | None:
    """Return which bytes of a file of `size` bytes its server is to have ahead: all that lies behind the media.

    Where that is more than `most` bytes it is the index alone, if it lies there; None where there is nothing, or that
    is too large as well. Raises OSError.
    """
    index, behind, at = None, 0, 0
    for _ in range(_MOST_BOXES):
        if at == size:
            break
        kind, length = _box_at(file, at, size)
        end = at + length
        if length < _SHORT or end > size or kind in _NO_INDEX or (at == 0 and kind not in _FIRST):
            return None
        if kind == b"moov":
            index = index or IndexPlace(at, end)
        if kind == b"mdat":
            behind = end
        at = end
    if index is None or not behind or at < size or behind == size:
        return None
    if size - behind <= most:
        return IndexPlace(behind, size)
    return index if index.begin >= behind and index.end - index.begin <= most else None


def send_index(uploads: Uploads, upload_id: str, path: Path, size: int) -> None:
    """Hand the index of a file over to its upload, if there is one; a failure of it costs nothing but time."""
    with suppress(ClientError, OSError), path.open("rb") as file:
        found = index_of(file, size, LONGEST_INDEX)
        if found is not None:
            uploads.hand_over(upload_id, _blocks(file, found), found.begin, found.end - found.begin)


def _blocks(file: BinaryIO, place: IndexPlace) -> Iterator[bytes]:
    file.seek(place.begin)
    left = place.end - place.begin
    while left and (block := file.read(min(_BLOCK, left))):
        left -= len(block)
        yield block


def _box_at(file: BinaryIO, at: int, size: int) -> tuple[bytes, int]:
    file.seek(at)
    head = file.read(_HEADER)
    length = int.from_bytes(head[:4], "big") if len(head) >= _SHORT else -1
    if length == 0:
        length = size - at
    elif length == 1:
        length = int.from_bytes(head[_SHORT:], "big") if len(head) == _HEADER else -1
    return head[4:_SHORT], length
