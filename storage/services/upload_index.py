"""An upload's index that was sent ahead: stored beside the upload, and compared with the file once that is whole.

Nothing that was made by it counts before that comparison: the index says what its sender wants it to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from secrets import token_hex

from storage.errors import ObjectNotFoundError, UploadIncompleteError
from storage.model.early import HandedIndex
from storage.objects import keys
from storage.objects.contract import ObjectStore

_TYPE = "application/octet-stream"
_READ_BYTES = 256 * 1024  # at most, at once, as of an upload


def store_index(objects: ObjectStore, upload_id: str, read: Callable[[int], bytes], *, begin: int, size: int) -> None:
    """Store the index of `size` bytes that `read` gives, whole or not at all, beside any other.

    Raises UploadIncompleteError where fewer bytes come, and what `read` and the store raise.
    """
    with objects.writer(keys.upload_index(upload_id, begin, token_hex(8)), content_type=_TYPE) as writer:
        while writer.written < size:
            data = read(min(_READ_BYTES, size - writer.written))
            if not data:
                raise UploadIncompleteError
            writer.write(data)
        writer.commit()


def place_of_index(objects: ObjectStore, upload_id: str) -> tuple[int, int] | None:
    """Return where in the file the index lies that came ahead, from which byte to which; None without one."""
    key = _key(objects, upload_id)
    with suppress(ObjectNotFoundError):
        return None if key is None else (begin := _begin(key), begin + objects.stat(key).size)
    return None  # the upload has ended


def index_of(objects: ObjectStore, upload_id: str) -> HandedIndex | None:
    """Return the upload's index that came ahead, None without one; of two that came at once always the same."""
    key = _key(objects, upload_id)
    with suppress(ObjectNotFoundError):
        return None if key is None else HandedIndex(key, _begin(key), *_digest(objects.read(key)))
    return None


def index_agrees(objects: ObjectStore, job_id: str, index: HandedIndex) -> bool:
    """Tell whether the original has these very bytes in this place. Raises ObjectNotFoundError without an original."""
    found = _digest(objects.read(keys.original(job_id), start=index.begin, length=index.size))
    return found == (index.size, index.sha256)


def _key(objects: ObjectStore, upload_id: str) -> str | None:
    return min(objects.keys(keys.upload_indexes(upload_id)), default=None)


def _begin(key: str) -> int:
    return int(key.rpartition("/")[2].partition("-")[0])


def _digest(chunks: Iterable[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()
