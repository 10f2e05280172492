"""What the objects of one upload in S3 come to: its whole parts, and the tails of the part that is not whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from storage.objects.contract import ObjectInfo

_PART = re.compile(r"[0-9]{5}")
_TAIL = re.compile(r"([0-9]{5})-([0-9]{1,12})-([0-9]{1,12})")


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


def stored_upload(parts: Iterable[ObjectInfo], tails: Iterable[ObjectInfo], first: int = 0) -> StoredUpload:
    """Return what these objects come to: those that lie where whole parts do, from the `first` on, and all tails."""
    by_index = {part.index: part for part in filter(None, map(_part_of, parts))}
    whole = first
    while whole in by_index:
        whole += 1
    begun = tuple(filter(None, map(_tail_of, tails)))
    chain = _chained([tail for tail in begun if tail.index == whole])
    behind_a_gap = (part for index, part in by_index.items() if index > whole)
    rest = (*behind_a_gap, *(tail for tail in begun if tail not in chain))
    return StoredUpload(tuple(by_index[index] for index in range(first, whole)), chain, rest)


def _part_of(info: ObjectInfo) -> StoredPiece | None:
    name = info.key.rpartition("/")[2]
    return StoredPiece(info.key, int(name), 0, info.size, info.modified_at) if _PART.fullmatch(name) else None


def _tail_of(info: ObjectInfo) -> StoredPiece | None:
    """Return what the tail is; None where its size is not what its name tells."""
    tail = _TAIL.fullmatch(info.key.rpartition("/")[2])
    if tail is None or int(tail[3]) - int(tail[2]) != info.size:
        return None
    return StoredPiece(info.key, int(tail[1]), int(tail[2]), int(tail[3]), info.modified_at)


def _chained(tails: list[StoredPiece]) -> tuple[StoredPiece, ...]:
    """Return those that follow on each other from the part's beginning, each time the one that reaches farthest."""
    chain: list[StoredPiece] = []
    reach = 0
    while further := [tail for tail in tails if tail.begin <= reach < tail.end]:
        chain.append(max(further, key=lambda tail: tail.end))
        reach = chain[-1].end
    return tuple(chain)
