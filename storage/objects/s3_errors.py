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
            raise ObjectNotFoundError(detail=key) from error
        if error.code in _FULL:
            raise StorageFullError(detail=key) from error
        raise ObjectStoreDownError(detail=f"{key}: {error.code}") from error
    except (MinioException, HTTPError) as error:
        raise ObjectStoreDownError(detail=f"{key}: {error}") from error
