"""Originals in S3 that came in parts: the parts stay what they are, and a small object says that they are an original.

S3 makes one object of parts by copying them, and that costs the store as much as taking them did. Measured on two
cores, MinIO spent 2.3 s of CPU on copying 512 MiB, and 2.6 s on taking them. Sixty gigabytes would be copied for
minutes after the last byte. So nothing is copied: `stat` and `read` of an original see through the small object.

Its size and that of its parts stand in its metadata, so that one request tells them. All parts but the last are of one
size. What is kept of an original here does not change: an upload is made an original once.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from storage.objects import keys
from storage.objects.contract import ObjectInfo

_SIZE, _PART_BYTES = "x-amz-meta-rungs-size", "x-amz-meta-rungs-part-bytes"
_MOST_DIGITS = 15  # of a number of bytes: a petabyte
_KNOWN = 1_000  # originals whose parts are known without asking: more than are read at a time


@dataclass(frozen=True, slots=True)
class Composition:
    """How an original of `size` bytes is made up: of parts of `part_bytes`, of which the last may be smaller."""

    size: int
    part_bytes: int

    @classmethod
    def told_by(cls, metadata: Mapping[str, str]) -> Composition | None:
        """Return what an object's headers tell; None where it is an object like any other."""
        size, part_bytes = _number(metadata.get(_SIZE, "")), _number(metadata.get(_PART_BYTES, ""))
        return cls(size, part_bytes) if size and part_bytes else None

    def seen(self, info: ObjectInfo) -> ObjectInfo:
        """Return what is known of the small object as what is known of the original."""
        return replace(info, size=self.size)

    @property
    def metadata(self) -> dict[str, str]:
        """The headers that tell this."""
        return {_SIZE: str(self.size), _PART_BYTES: str(self.part_bytes)}

    def note(self, job_id: str) -> bytes:
        """Return what the small object holds, for people who look at it."""
        told = {"parts": keys.upload_parts(job_id), "size": self.size, "part_bytes": self.part_bytes}
        return json.dumps(told, indent=1).encode()

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield what lies from `start` up to `end`: number of the part, the first byte in it, how many."""
        end = min(end, self.size)
        while start < end:
            index, offset = divmod(start, self.part_bytes)
            length = min(end - start, self.part_bytes - offset)
            yield index, offset, length
            start += length


class Compositions:
    """What is known of originals by key; `ask` tells of one that is not known, None of one in one piece."""

    def __init__(self, ask: Callable[[str], Composition | None]) -> None:
        self._ask = ask
        self._known: OrderedDict[str, Composition | None] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: str) -> Composition | None:
        """Return how the object is made up; None where it is one piece. Raises what `ask` does."""
        if not key.startswith(keys.ORIGINALS) or key != keys.original(key.split("/")[1]):
            return None
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = self._ask(key)
        with self._lock:
            self._known[key] = found
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return found


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
