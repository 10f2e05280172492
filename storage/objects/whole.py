"""Objects that are written and fetched whole, over what each store does in pieces."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from storage.errors import ObjectNotFoundError
from storage.objects.contract import PART_BYTES, ObjectInfo, ObjectWriter
from storage.objects.plain_files import open_regular


class WholeObjects(ABC):
    """The part of an ObjectStore that is the same for all of them."""

    @abstractmethod
    def writer(self, key: str, *, content_type: str) -> AbstractContextManager[ObjectWriter]:
        """See ObjectStore.writer."""

    @abstractmethod
    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""

    def put_bytes(self, key: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """See ObjectStore.put_bytes."""
        with self.writer(key, content_type=content_type) as writer:
            writer.write(data)
            return writer.commit()

    def put_file(self, key: str, path: Path, *, content_type: str) -> ObjectInfo:
        """See ObjectStore.put_file."""
        try:
            descriptor, _ = open_regular(path.parent, (path.name,))
        except OSError as error:
            raise ObjectNotFoundError(detail=str(path)) from error
        with os.fdopen(descriptor, "rb") as source, self.writer(key, content_type=content_type) as writer:
            while data := source.read(PART_BYTES):
                writer.write(data)
            return writer.commit()

    def fetch(self, key: str, path: Path) -> None:
        """See ObjectStore.fetch."""
        chunks = self.read(key)
        with path.open("wb") as target:
            for chunk in chunks:
                target.write(chunk)
