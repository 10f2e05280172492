"""Streaming writes to S3, and S3's errors as those of the contract.

A part is sent when it is full, while the next one comes in, so that two parts are all that is held.
`Minio.put_object(length=-1)` would hold several parts for each upload and read them with quadratic copying, so this is
written on the library's own calls for parts. They are private: the reason why minio is pinned below 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Self, cast

import structlog
from minio import Minio
from minio.datatypes import Object, Part
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from storage.errors import ObjectNotFoundError, ObjectStoreDownError, StorageFullError
from storage.objects.contract import PART_BYTES, ObjectInfo
from storage.objects.in_flight import InFlight

_MISSING = frozenset({"NoSuchKey", "NoSuchUpload"})
_FULL = frozenset({"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"})

_log = structlog.get_logger(__name__)


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Raise the contract's errors in place of the library's; `key` tells people what it was about."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectNotFoundError(detail=key) from error
        if error.code in _FULL:
            raise StorageFullError(detail=key) from error
        raise ObjectStoreDownError(detail=f"{key}: {error.code}") from error
    except (MinioException, HTTPError) as error:
        raise ObjectStoreDownError(detail=f"{key}: {error}") from error


def info_of(status: Object) -> ObjectInfo:
    """Return what S3 says about an object in the contract's words."""
    modified_at = status.last_modified.timestamp() if status.last_modified is not None else 0.0
    return ObjectInfo(str(status.object_name), status.size or 0, modified_at)


def remove_objects(client: Minio, bucket: str, keys: Iterable[str], what: str) -> None:
    """Remove objects; `what` tells people what it was about. Raises ObjectStoreDownError where one stays."""
    with translated(what):
        refused = list(client.remove_objects(bucket, (DeleteObject(key) for key in keys)))
    if refused:
        raise ObjectStoreDownError(detail=f"{what} is not deleted: {refused[0].message}")


class S3Writer:
    """An ObjectWriter on one key; a write that stays under one part is sent whole by `commit`."""

    def __init__(self, client: Minio, bucket: str, key: str, content_type: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._headers: dict[str, str | list[str] | tuple[str]] = {"Content-Type": content_type}
        self._part = bytearray()
        self._sent: list[Part] = []
        self._in_flight = InFlight()
        self._upload_id: str | None = None
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_flight.close()
        if self._upload_id is None:
            return
        try:
            with translated(self._key), suppress(ObjectNotFoundError):
                self._client._abort_multipart_upload(self._bucket, self._key, self._upload_id)  # noqa: SLF001 - see above
        except ObjectStoreDownError as failure:
            # What brought us here must not be hidden by this; the sweep removes what stays.
            _log.warning("unfinished upload left behind", key=self._key, reason=failure.detail)

    @property
    def written(self) -> int:
        """See ObjectWriter.written."""
        return self._written

    def write(self, data: bytes) -> None:
        """See ObjectWriter.write."""
        left = memoryview(data)
        while left:
            room = PART_BYTES - len(self._part)
            self._part += left[:room]
            self._written += len(left[:room])
            left = left[room:]
            if len(self._part) == PART_BYTES:
                self._send_part()

    def commit(self) -> ObjectInfo:
        """See ObjectWriter.commit."""
        with translated(self._key):
            if self._upload_id is None:
                self._client._put_object(self._bucket, self._key, bytes(self._part), self._headers)  # noqa: SLF001
            else:
                if self._part:
                    self._send_part()
                self._in_flight.wait()
                self._client._complete_multipart_upload(self._bucket, self._key, self._upload_id, self._sent)  # noqa: SLF001
                self._upload_id = None
            status = self._client.stat_object(self._bucket, self._key)
        return info_of(status)

    def _send_part(self) -> None:
        """Let the part go its way, once the one before it is there; the next one begins."""
        if self._upload_id is None:
            with translated(self._key):
                self._upload_id = self._client._create_multipart_upload(self._bucket, self._key, self._headers)  # noqa: SLF001
        part, self._part = self._part, bytearray()
        self._in_flight.send(partial(self._upload, part, self._upload_id))

    def _upload(self, part: bytearray, upload_id: str) -> None:
        number = len(self._sent) + 1
        data = cast("bytes", part)  # it is only read
        with translated(self._key):
            etag = self._client._upload_part(self._bucket, self._key, data, None, upload_id, number)  # noqa: SLF001
        self._sent.append(Part(number, etag))
