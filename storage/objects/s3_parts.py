"""What the objects of one upload in S3 come to: its whole parts, and the tails of the part that is not whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from storage.objects.contract import ObjectInfo

_PART = re.compile(r"parts/([0-9]{5})")
_TAIL = re.compile(r"tails/([0-9]{5})-([0-9]{1,12})-([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """An object of an upload: bytes `begin` to `end` of its part `index`, that came `at` Unix seconds."""

    key: str
    index: int
    begin: int
    end: int
    at: float

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """The whole `parts` of an upload without a gap, the `tails` of the next one that follow on each other, the rest.

    A tail may begin before the end of the one before it: two requests brought the same bytes.
    """

    parts: tuple[StoredPiece, ...]
    tails: tuple[StoredPiece, ...]
    rest: tuple[StoredPiece, ...]

    @property
    def pieces(self) -> tuple[StoredPiece, ...]:
        """What makes up the upload, in order."""
        return (*self.parts, *self.tails)

    @property
    def everything(self) -> tuple[StoredPiece, ...]:
        """All objects, also those that do not count."""
        return (*self.parts, *self.tails, *self.rest)

    @property
    def size(self) -> int:
        """Bytes that are stored in order."""
        return sum(part.end for part in self.parts) + (self.tails[-1].end if self.tails else 0)

    def until(self, size: int) -> tuple[set[str], tuple[StoredPiece, int] | None]:
        """Return the keys of the pieces that lie within the first `size` bytes, and the one that goes beyond them.

        Of that one there are so many bytes before the border; None where it lies between two pieces.
        """
        kept: set[str] = set()
        start = 0
        for part in self.parts:
            if start + part.end > size:
                return kept, (part, size - start) if size > start else None
            kept.add(part.key)
            start += part.end
        reach = 0
        for tail in self.tails:
            if start + tail.end > size:
                return kept, (tail, size - start - tail.begin) if start + reach < size else None
            kept.add(tail.key)
            reach = tail.end
        return kept, None


def piece_of(info: ObjectInfo, prefix: str) -> StoredPiece | None:
    """Return what the object is of the upload with this prefix; None for its record, and for another size than told."""
    name = info.key.removeprefix(prefix)
    if part := _PART.fullmatch(name):
        return StoredPiece(info.key, int(part[1]), 0, info.size, info.modified_at)
    tail = _TAIL.fullmatch(name)
    if tail is None or int(tail[3]) - int(tail[2]) != info.size:
        return None
    return StoredPiece(info.key, int(tail[1]), int(tail[2]), int(tail[3]), info.modified_at)


def stored_upload(pieces: Iterable[StoredPiece], first: int = 0) -> StoredUpload:
    """Return what these objects come to, of parts from the `first` one on."""
    found = tuple(pieces)
    by_index = {piece.index: piece for piece in found if "/parts/" in piece.key}
    whole = first
    while whole in by_index:
        whole += 1
    parts = tuple(by_index[index] for index in range(first, whole))
    tails = _chained([piece for piece in found if piece.index == whole and "/tails/" in piece.key])
    counted = {piece.key for piece in (*parts, *tails)}
    return StoredUpload(parts, tails, tuple(piece for piece in found if piece.key not in counted))


def _chained(tails: list[StoredPiece]) -> tuple[StoredPiece, ...]:
    """Return those that follow on each other from the part's beginning, each time the one that reaches farthest."""
    chain: list[StoredPiece] = []
    reach = 0
    while further := [tail for tail in tails if tail.begin <= reach < tail.end]:
        chain.append(max(further, key=lambda tail: tail.end))
        reach = chain[-1].end
    return tuple(chain)
