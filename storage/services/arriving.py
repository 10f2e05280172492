"""Reading an upload while it comes: the bytes that are its file's for good, wherever the store has them by then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from storage.errors import ObjectNotFoundError, ObjectStoreDownError
from storage.model.upload import Upload
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.services.uploads import arrived_to_stay, upload_of
from storage.upload_errors import UploadNotFoundError

# In a row, for bytes that had come: each look in vain needs a writer that has just put something else in their place.
_LOOKS = 5


class ArrivingUpload:
    """An upload from its first byte until it is an original, and then that; several threads may use one.

    All methods raise ObjectStoreDownError, and UploadNotFoundError once the upload has ended in any other way.
    """

    def __init__(self, objects: ObjectStore, upload: Upload) -> None:
        self._objects = objects
        self._upload = upload
        self._size = 0

    def arrived(self) -> int:
        """Return how many bytes, from the first one on, may be read from now on; never less than before."""
        size = arrived_to_stay(self._objects, self._upload, self._size)
        if size <= self._size:
            size = self._original() or size
        self._size = max(self._size, size)
        return self._size

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `end`, which lies within what has arrived."""
        looks = _LOOKS
        while start < end:
            before = start
            for data in self._found(start, end - start):
                yield data
                start += len(data)
            looks = _LOOKS if start > before else looks - 1
            if not looks:
                self._original()
                raise ObjectStoreDownError(detail=f"Bytes of the upload {self._upload.id} are gone.")

    def _found(self, start: int, length: int) -> Iterator[bytes]:
        """Yield what is there of these bytes; none where they are moved in this moment."""
        upload, found = self._upload, False
        coming = self._objects.incoming.read(upload.id, part_bytes=upload.part_bytes, start=start, length=length)
        for data in coming:
            found = True
            yield data
        if not found:
            with suppress(ObjectNotFoundError):
                yield from self._objects.read(keys.original(upload.id), start=start, length=length)

    def _original(self) -> int:
        """Return how large the original is, 0 while there is none. Raises UploadNotFoundError."""
        key = keys.original(self._upload.id)
        with suppress(ObjectNotFoundError):
            return self._objects.stat(key).size
        try:
            upload_of(self._objects, self._upload.id)
        except UploadNotFoundError:
            # The record goes once the original is there, which may have been since the look at that.
            with suppress(ObjectNotFoundError):
                return self._objects.stat(key).size
            raise
        return 0
