"""An object as a file that is read from any place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from storage.objects.contract import ObjectStore


class SeekableObject(io.RawIOBase):
    """An object as a file: nothing is asked of the store before it is read, and what is skipped is never fetched.

    A read asks the store for just that range; iterating passes the rest on in the pieces that the store gives. Both
    raise what `ObjectStore.read` does.
    """

    def __init__(self, objects: ObjectStore, key: str) -> None:
        super().__init__()
        self._objects = objects
        self._key = key
        self._at = 0
        self._pieces: Iterator[bytes] | None = None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place."""
        return True

    def tell(self) -> int:
        """Return the place, in bytes, from which is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the beginning. Raises io.UnsupportedOperation for any other."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("Only places from the beginning are sought.")
        self._forget_pieces()
        self._at = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from here on; return how many bytes there were, fewer only at the object's end."""
        self._forget_pieces()
        data = b"".join(self._objects.read(self._key, start=self._at, length=len(buffer)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._pieces is None:
            self._pieces = self._objects.read(self._key, start=self._at)
        piece = next(self._pieces)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """Let go of the store."""
        self._forget_pieces()
        super().close()

    def _forget_pieces(self) -> None:
        pieces, self._pieces = self._pieces, None
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
