"""What is coming in: the bytes of an upload, for as long as it takes, over requests that break and go on.

An upload is stored as it comes, and how far it is follows from what is stored. So it survives whoever received it: the
client asks how much there is and sends the rest, to the same web process or another one.

    S3      whole parts are objects of their own, of equal size, and so is what has come of the next one, its tail. At
            the end the original is made up of them (storage/objects/s3_composed.py).
    local   one file grows in place and gets its name at the end.

Two requests may write at the same upload, an old one whose client has gone and the new one of the same client. A
writer asks before it stores anything (storage/services/holding.py), and what is stored is never made less by it: a
whole part replaces a part of the same bytes, a tail that reaches farther counts before one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from storage.objects.contract import ObjectInfo

MOST_PARTS = 10_000  # of one object in S3
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrived:
    """How many bytes of an upload are stored, and when the last of them came (Unix seconds, 0 for none)."""

    size: int = 0
    at: float = 0.0


class IncomingWriter(Protocol):
    """Bytes of an upload on their way in. What was written is stored when the context is left, in whatever way."""

    @property
    def size(self) -> int:
        """Bytes of the upload with what was written here."""

    def write(self, data: bytes) -> None:
        """Take bytes of any length; two parts are held at most. Raises StorageFullError, and what `may_go_on` does."""


class IncomingObjects(Protocol):
    """Uploads by id. All methods raise ObjectStoreDownError when the store does not answer."""

    def arrived(self, upload_id: str, *, known: int = 0, part_bytes: int = 0) -> Arrived:
        """Return how much of the upload is stored; nothing of one that nobody began.

        Who looks again and again, and tells `part_bytes` as in `go_on`, says how much is `known` to be there for good:
        that is not looked for again, so that a look costs the same however much has come.
        """

    def go_on(
        self, upload_id: str, *, part_bytes: int, may_go_on: Callable[[], None], may_keep: Callable[[], bool]
    ) -> AbstractContextManager[IncomingWriter]:
        """Write behind what is stored. `part_bytes` is the same each time, and as S3 wants it: 5 MiB or more.

        `may_go_on` is called before anything is stored; what it raises ends the writing. Then, and at every other end,
        `may_keep` tells whether what is held may still be stored.
        """

    def cut(self, upload_id: str, size: int) -> None:
        """Forget what came behind the first `size` bytes, which are stored."""

    def read(self, upload_id: str, *, part_bytes: int, start: int, length: int) -> Iterator[bytes]:
        """Yield the stored bytes from `start` on in chunks, `length` of them at most; `part_bytes` as in `go_on`.

        There are fewer where no more is stored, and where a writer or `finish` moves them meanwhile: who lacks some
        asks anew. What came and is not checked yet is among them (storage/services/arriving.py).
        """

    def finish(self, upload_id: str, key: str, *, content_type: str) -> ObjectInfo:
        """Make the upload the object of this key, whole, at once. Raises ObjectNotFoundError if nothing is stored."""


def part_bytes_for(length: int, least: int) -> int:
    """Return the size of parts for so many bytes: `least`, or as many MiB as keep them within MOST_PARTS."""
    return max(least, ceil(length / MOST_PARTS / _MIB) * _MIB)
