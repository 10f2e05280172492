"""What S3 and the network say, as the object store contract's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from storage.errors import ObjectNotFoundError, ObjectStoreDownError, StorageFullError

_MISSING = frozenset({"NoSuchKey", "NoSuchUpload"})
_FULL = frozenset({"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"})


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Raise the contract's errors in place of the library's; `key` tells people what it was about."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectNotFoundError("There is no such object.", detail=key) from error
        if error.code in _FULL:
            raise StorageFullError("The object store is full.", detail=key) from error
        raise ObjectStoreDownError("The object store refuses.", detail=f"{key}: {error.code}") from error
    except (MinioException, HTTPError) as error:
        raise ObjectStoreDownError("The object store does not answer.", detail=f"{key}: {error}") from error
