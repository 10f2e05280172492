"""The contract every object store keeps; `tests/contract/test_object_store.py` runs against each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.objects.incoming import IncomingObjects

PART_BYTES = 8 * 1024 * 1024  # bytes held per upload: S3 wants parts of 5 MiB or more, and 10,000 of them reach 80 GB


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as stored: key, size in bytes, when it was last written (Unix seconds)."""

    key: str
    size: int
    modified_at: float


class ObjectWriter(Protocol):
    """An object being written. It exists only after `commit`; leaving the context without it leaves nothing."""

    @property
    def written(self) -> int:
        """Bytes taken so far."""

    def write(self, data: bytes) -> None:
        """Take bytes of any length; at most two parts of PART_BYTES are held. Raises StorageFullError."""

    def commit(self) -> ObjectInfo:
        """Make the object visible, whole, at once."""


class ObjectStore(Protocol):
    """Objects by key. Keys are made by `storage.objects.keys`, never from user input.

    All methods raise ObjectStoreDownError when the store does not answer.
    """

    def writer(self, key: str, *, content_type: str) -> AbstractContextManager[ObjectWriter]:
        """Open a streaming write; nothing is visible under the key before `commit`."""

    def put_bytes(self, key: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """Write a small object whole."""

    def put_file(self, key: str, path: Path, *, content_type: str) -> ObjectInfo:
        """Write a local file as an object, part by part. Raises ObjectNotFoundError for a link or no regular file."""

    def stat(self, key: str) -> ObjectInfo:
        """Return what is known of the object. Raises ObjectNotFoundError."""

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the object's bytes (or a range of them) in chunks. Raises ObjectNotFoundError before the first."""

    def fetch(self, key: str, path: Path) -> None:
        """Copy the object to a local file. Raises ObjectNotFoundError."""

    def local_path(self, key: str) -> Path | None:
        """Return the object's file, absolute, if this store keeps it on this machine, else None."""

    def open_local(self, key: str) -> BinaryIO | None:
        """Return the object's file open for reading if this store keeps it on this machine, else None.

        Raises ObjectNotFoundError, for a link too.
        """

    def redirect_path(self, key: str, *, seconds: int) -> str | None:
        """Return path and query that nginx may pass to the store (signed), None if the store has no HTTP."""

    @property
    def incoming(self) -> IncomingObjects:
        """What is coming in, of uploads that take several requests."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield all keys that begin with the prefix, those of one folder together; listed as they are taken."""

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders right under the prefix, which ends with `/`; what is in them is not listed."""

    def delete_prefix(self, prefix: str) -> int:
        """Delete all objects under the prefix and unfinished writes to it; return how many objects went."""

    def sweep_unfinished(self, *, older_than: float) -> int:
        """Remove unfinished writes begun before `older_than` seconds ago; return how many."""

    def free_bytes(self) -> int | None:
        """Return the free space in bytes, None where the store cannot tell."""

    def prepare(self) -> None:
        """Create what must exist (folder, bucket, its lifecycle rule); safe to repeat."""

    def ping(self) -> None:
        """Raise ObjectStoreDownError unless the store answers."""
