"""Objects in a local directory: a file per object, made under a temporary name and renamed when whole.

Below the root no link is followed, whoever put it there: it would lead readers of `/media` to any file of this machine.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from storage.errors import ObjectStoreDownError, StorageFullError
from storage.objects.contract import ObjectInfo
from storage.objects.keys import checked_key, checked_prefix, parts_of
from storage.objects.local_chunks import file_chunks
from storage.objects.local_errors import translated
from storage.objects.local_incoming import LocalIncoming
from storage.objects.plain_files import move_file, open_new, open_regular, real_folder
from storage.objects.whole import WholeObjects

# Folder of unfinished writes, inside the root so that the rename stays in one file system; no key can begin with a dot.
UNFINISHED = ".unfinished"


class LocalObjectStore(WholeObjects):
    """An ObjectStore under the folder `root`, made by `prepare`; every write is on disk when its call returns.

    It takes no byte of the last `kept` ones of its disk.
    """

    def __init__(self, root: Path, *, kept: int = 0) -> None:
        self._root = root
        self._kept = kept

    def writer(self, key: str, *, content_type: str) -> _LocalWriter:  # noqa: ARG002 - a file has no content type
        """See ObjectStore.writer."""
        return _LocalWriter(self._root, checked_key(key), self._room)

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore.stat."""
        with translated(key):
            descriptor, status = open_regular(self._root, parts_of(key))
            os.close(descriptor)
        return ObjectInfo(key, status.st_size, status.st_mtime)

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""
        return file_chunks(self.open_local(key), key, start, length)

    def open_local(self, key: str) -> BinaryIO:
        """See ObjectStore.open_local."""
        with translated(key):
            descriptor, _ = open_regular(self._root, parts_of(key))
            return os.fdopen(descriptor, "rb")

    def local_path(self, key: str) -> Path | None:
        """See ObjectStore.local_path."""
        return self._path(key).absolute()

    def redirect_path(self, key: str, *, seconds: int) -> str | None:  # noqa: ARG002 - the contract's arguments
        """See ObjectStore.redirect_path: a folder has no HTTP."""
        return None

    @property
    def incoming(self) -> LocalIncoming:
        """See ObjectStore.incoming."""
        return LocalIncoming(self._root, self._room)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore.keys."""
        folder = checked_prefix(prefix).rpartition("/")[0]
        if not self._is_real(folder):
            return
        for parent, folders, files in os.walk(self._root / folder):
            folders[:] = sorted(name for name in folders if name != UNFINISHED)
            names = (Path(parent, name).relative_to(self._root).as_posix() for name in sorted(files))
            yield from (key for key in names if key.startswith(prefix))

    def folders(self, prefix: str) -> Iterator[str]:
        """See ObjectStore.folders."""
        folder = checked_prefix(prefix).rpartition("/")[0]
        if self._is_real(folder):
            with os.scandir(self._root / folder) as found:
                yield from sorted(one.name for one in found if one.is_dir(follow_symlinks=False))

    def delete_prefix(self, prefix: str) -> int:
        """See ObjectStore.delete_prefix."""
        deleted = 0
        with translated(prefix):
            for unfinished in self._unfinished(checked_prefix(prefix)):
                unfinished.unlink(missing_ok=True)
            for key in tuple(self.keys(prefix)):
                path = self._path(key)
                path.unlink(missing_ok=True)
                self._remove_empty(path.parent)
                deleted += 1
        return deleted

    def sweep_unfinished(self, *, older_than: float) -> int:
        """See ObjectStore.sweep_unfinished."""
        # By the last write, not the first: a slow upload that still moves is not a dead one.
        limit = time.time() - older_than
        swept = 0
        with translated(UNFINISHED):
            for path in self._unfinished(""):
                if path.exists() and path.stat().st_mtime <= limit:  # one may have been committed meanwhile
                    path.unlink()
                    swept += 1
        return swept

    def free_bytes(self) -> int | None:
        """See ObjectStore.free_bytes."""
        with translated(str(self._root)):
            return self._room()

    def prepare(self) -> None:
        """See ObjectStore.prepare."""
        with translated(str(self._root)):
            (self._root / UNFINISHED).mkdir(parents=True, exist_ok=True)

    def ping(self) -> None:
        """See ObjectStore.ping."""
        if not os.access(self._root, os.W_OK | os.X_OK):
            raise ObjectStoreDownError(detail=f"{self._root} is missing or cannot be written.")

    def _room(self) -> int:
        return max(0, shutil.disk_usage(self._root).free - self._kept)

    def _is_real(self, folder: str) -> bool:
        """Tell whether the folder is there, and no link leads to it: walking begins with what it is given."""
        with suppress(OSError), real_folder(self._root, folder.split("/") if folder else ()):
            return True
        return False

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*parts_of(key))

    def _unfinished(self, prefix: str) -> Iterator[Path]:
        """Yield the unfinished writes under the prefix; none in a store that nothing has prepared yet."""
        folder, begin = self._root / UNFINISHED, prefix.replace("/", "~")
        return (path for path in (folder.iterdir() if folder.exists() else ()) if path.name.startswith(begin))

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError as error:
                if error.errno in {errno.ENOTEMPTY, errno.ENOENT}:
                    return
                raise
            folder = folder.parent


class _LocalWriter:
    """One write: a temporary file until `commit`, whose name tells the key, for `delete_prefix`.

    `room` tells how many bytes the store may still take.
    """

    def __init__(self, root: Path, key: str, room: Callable[[], int]) -> None:
        self._root = root
        self._room = room
        self._key = key
        self._name = f"{key.replace('/', '~')}~{uuid4().hex}"
        self._written = 0

    def __enter__(self) -> Self:
        with translated(self._key):
            try:
                # Unbuffered: closing a buffered file after a full disk would fail a second time.
                self._file = FileIO(open_new(self._root, (UNFINISHED, self._name)), "wb")
            except FileNotFoundError as error:
                raise ObjectStoreDownError(detail=f"{self._root} is missing.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        with suppress(FileNotFoundError), real_folder(self._root, (UNFINISHED,)) as unfinished:
            os.unlink(self._name, dir_fd=unfinished)

    @property
    def written(self) -> int:
        """See ObjectWriter.written."""
        return self._written

    def write(self, data: bytes) -> None:
        """See ObjectWriter.write."""
        left = memoryview(data)
        with translated(self._key):
            if self._room() < len(data):
                raise StorageFullError(detail=self._key)
            while left:
                left = left[self._file.write(left) :]
        self._written += len(data)

    def commit(self) -> ObjectInfo:
        """See ObjectWriter.commit."""
        with translated(self._key):
            os.fsync(self._file.fileno())
            move_file(self._root, (UNFINISHED, self._name), parts_of(self._key))
            status = os.fstat(self._file.fileno())
        return ObjectInfo(self._key, status.st_size, status.st_mtime)
