"""Uploads on their way into a local folder: a file for each, that grows in place and is renamed when it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import ObjectNotFoundError, StorageFullError
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.incoming import Arrived
from storage.objects.keys import parts_of
from storage.objects.local_chunks import file_chunks
from storage.objects.local_errors import translated
from storage.objects.plain_files import move_file, open_growing, open_regular


class LocalIncoming:
    """IncomingObjects under the folder `root`; `room` tells how many bytes the store may still take."""

    def __init__(self, root: Path, room: Callable[[], int]) -> None:
        self._root = root
        self._room = room

    def arrived(self, upload_id: str, *, known: int = 0, part_bytes: int = 0) -> Arrived:  # noqa: ARG002 - one look
        """See IncomingObjects.arrived."""
        key = keys.upload_bytes(upload_id)
        try:
            with translated(key):
                descriptor, status = open_regular(self._root, parts_of(key))
                os.close(descriptor)
        except ObjectNotFoundError:
            return Arrived()
        return Arrived(status.st_size, status.st_mtime)

    def go_on(
        self,
        upload_id: str,
        *,
        part_bytes: int,
        may_go_on: Callable[[], None],
        may_keep: Callable[[], bool],  # noqa: ARG002 - nothing is held
    ) -> _LocalGrowing:
        """See IncomingObjects.go_on."""
        return _LocalGrowing(self._root, keys.upload_bytes(upload_id), self._room, part_bytes, may_go_on)

    def cut(self, upload_id: str, size: int) -> None:
        """See IncomingObjects.cut."""
        key = keys.upload_bytes(upload_id)
        with translated(key):
            descriptor = open_growing(self._root, parts_of(key))
            try:
                os.truncate(descriptor, size)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def read(
        self,
        upload_id: str,
        *,
        part_bytes: int,  # noqa: ARG002 - one file has no parts
        start: int,
        length: int,
    ) -> Iterator[bytes]:
        """See IncomingObjects.read."""
        key = keys.upload_bytes(upload_id)
        try:
            with translated(key):
                descriptor, _ = open_regular(self._root, parts_of(key))
        except ObjectNotFoundError:
            return iter(())
        return file_chunks(os.fdopen(descriptor, "rb"), key, start, length)

    def finish(self, upload_id: str, key: str, *, content_type: str) -> ObjectInfo:  # noqa: ARG002 - a file has no type
        """See IncomingObjects.finish."""
        source = parts_of(keys.upload_bytes(upload_id))
        with translated(key):
            descriptor, status = open_regular(self._root, source)
            try:
                os.fsync(descriptor)
                move_file(self._root, source, parts_of(key))
            finally:
                os.close(descriptor)
        return ObjectInfo(key, status.st_size, status.st_mtime)


class _LocalGrowing:
    """An IncomingWriter at the end of one file. What came is on disk after each part, and when it is left."""

    def __init__(
        self, root: Path, key: str, room: Callable[[], int], part_bytes: int, may_go_on: Callable[[], None]
    ) -> None:
        self._root = root
        self._key = key
        self._room = room
        self._part_bytes = part_bytes
        self._may_go_on = may_go_on
        self._size = 0
        self._synced = 0

    def __enter__(self) -> Self:
        with translated(self._key):
            self._file = open_growing(self._root, parts_of(self._key))
            self._size = self._synced = os.fstat(self._file).st_size
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with translated(self._key):
                os.fsync(self._file)
        finally:
            os.close(self._file)

    @property
    def size(self) -> int:
        """See IncomingWriter.size."""
        return self._size

    def write(self, data: bytes) -> None:
        """See IncomingWriter.write."""
        self._may_go_on()
        left = memoryview(data)
        with translated(self._key):
            if self._room() < len(data):
                raise StorageFullError(detail=self._key)
            while left:
                # At its place, not at the end: another writer that is late has the same bytes for it.
                count = os.pwrite(self._file, left, self._size)
                self._size += count
                left = left[count:]
            if self._size - self._synced >= self._part_bytes:
                os.fdatasync(self._file)
                self._synced = self._size
