"""What a file system says, as the errors of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import ObjectNotFoundError, ObjectStoreDownError, StorageFullError
from storage.objects.plain_files import FULL


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Raise the contract's errors in place of OSErrors; `key` tells people what it was about."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ObjectNotFoundError(detail=key) from error
    except OSError as error:
        if error.errno in FULL:
            raise StorageFullError(detail=key) from error
        raise ObjectStoreDownError(detail=f"{key}: {error}") from error
