"""Uploads on their way into S3: an object for each whole part, and a few for the part that is not whole yet.

A request that ends within a part leaves a tail: the bytes that it brought. The next one adds another, and tails of like
size become one, as in a binary counter. So a client that sends byte by byte makes the store write each of them a few
times, not the whole part with each. When the part is whole its tails become one object.

The parts become the original by copies that the store makes by itself. S3 takes no part below 5 MiB but the last, and
no more than 10,000 of one object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self, cast

import structlog
from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import Part

from storage.errors import BusyError, ObjectNotFoundError
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.incoming import Arrived
from storage.objects.s3_parts import StoredPiece, StoredUpload, piece_of, stored_upload
from storage.objects.s3_writer import info_of, remove_objects, translated

# Copied at a time at the end: the store works on each by itself, and more of them would be in others' way.
_COPIES = 4
_TYPE = "application/octet-stream"
_TAIL_FACTOR = 2  # a tail is joined with the one before it unless that is so many times larger

_log = structlog.get_logger(__name__)


class S3Incoming:
    """IncomingObjects in one bucket; `read` is that of its ObjectStore."""

    def __init__(self, client: Minio, bucket: str, read: Callable[..., Iterator[bytes]]) -> None:
        self._client = client
        self._bucket = bucket
        self._read = read

    def arrived(self, upload_id: str, *, known: int = 0, part_bytes: int = 0) -> Arrived:
        """See IncomingObjects.arrived."""
        whole = known // part_bytes if part_bytes else 0
        stored = self.stored(upload_id, whole)
        return Arrived(whole * part_bytes + stored.size, max((piece.at for piece in stored.pieces), default=0.0))

    def go_on(
        self, upload_id: str, *, part_bytes: int, may_go_on: Callable[[], None], may_keep: Callable[[], bool]
    ) -> _S3Growing:
        """See IncomingObjects.go_on."""
        return _S3Growing(self, upload_id, part_bytes, may_go_on, may_keep)

    def cut(self, upload_id: str, size: int) -> None:
        """See IncomingObjects.cut."""
        stored = self.stored(upload_id)
        kept, crossing = stored.until(size)
        if crossing is not None:
            piece, left = crossing
            kept = {*kept, self.put_tail(upload_id, piece.index, piece.begin, self.get(piece.key, left))}
        self.remove(upload_id, (piece for piece in stored.everything if piece.key not in kept))

    def read(self, upload_id: str, *, part_bytes: int, start: int, length: int) -> Iterator[bytes]:
        """See IncomingObjects.read."""
        end = start + length
        while start < end:
            index, offset = divmod(start, part_bytes)
            wanted = min(end - start, part_bytes - offset)
            began_at = start
            for data in self._part_read(upload_id, index, offset, wanted):
                yield data
                start += len(data)
            if start < began_at + wanted:
                return

    def finish(self, upload_id: str, key: str, *, content_type: str) -> ObjectInfo:
        """See IncomingObjects.finish."""
        stored = self.stored(upload_id)
        sources = [part.key for part in stored.parts]
        if len(stored.tails) > 1:
            sources.append(self.put_tail(upload_id, len(stored.parts), 0, self.joined(stored.tails)))
        else:
            sources += (tail.key for tail in stored.tails)
        if not sources:
            raise ObjectNotFoundError(detail=keys.upload(upload_id))
        with translated(key):
            target = self._client._create_multipart_upload(self._bucket, key, {"Content-Type": content_type})  # noqa: SLF001 - see storage.objects.s3_writer
            try:
                with ThreadPoolExecutor(_COPIES) as pool:
                    parts = list(pool.map(partial(self._copy, key, target), range(1, len(sources) + 1), sources))
                self._client._complete_multipart_upload(self._bucket, key, target, parts)  # noqa: SLF001
            except BaseException:
                self._client._abort_multipart_upload(self._bucket, key, target)  # noqa: SLF001
                raise
            return info_of(self._client.stat_object(self._bucket, key))

    def stored(self, upload_id: str, whole: int = 0) -> StoredUpload:
        """Return what is stored of the upload behind its first `whole` parts."""
        prefix = keys.upload(upload_id)
        after = keys.upload_part(upload_id, whole - 1) if whole else None
        with translated(prefix):
            listed = self._client.list_objects(self._bucket, prefix=prefix, recursive=True, start_after=after)
            found = (piece_of(info_of(entry), prefix) for entry in listed)
            return stored_upload((piece for piece in found if piece is not None), whole)

    def put(self, key: str, data: bytes | bytearray) -> None:
        """Write a part or less, in one request."""
        only_read = cast("bytes", data)
        with translated(key):
            self._client._put_object(self._bucket, key, only_read, {"Content-Type": _TYPE})  # noqa: SLF001

    def put_tail(self, upload_id: str, index: int, begin: int, data: bytes | bytearray) -> str:
        """Write bytes of a part that is not whole, and return their key."""
        key = keys.upload_tail(upload_id, index, begin, begin + len(data))
        self.put(key, data)
        return key

    def get(self, key: str, length: int, *, start: int = 0) -> bytes:
        """Return bytes of an object."""
        return b"".join(self._read(key, start=start, length=length))

    def joined(self, tails: Iterable[StoredPiece]) -> bytearray:
        """Return the bytes of tails that follow on each other, from the part's beginning."""
        found = bytearray()
        for tail in tails:
            found += self.get(tail.key, tail.end - len(found), start=len(found) - tail.begin)
        return found

    def remove(self, upload_id: str, gone: Iterable[StoredPiece]) -> None:
        """Remove what does not count any more of an upload."""
        remove_objects(self._client, self._bucket, (piece.key for piece in gone), keys.upload(upload_id))

    def _part_read(self, upload_id: str, index: int, start: int, length: int) -> Iterator[bytes]:
        """Yield bytes of one part: of the object that it is once it is whole, which needs no listing, or of its tails.

        Whatever is put in the place of something else is there before that goes.
        """
        with suppress(ObjectNotFoundError):
            yield from self._read(keys.upload_part(upload_id, index), start=start, length=length)
            return
        stored, end = self.stored(upload_id, index), start + length
        for tail in () if stored.parts else stored.tails:
            if tail.begin <= start < min(tail.end, end):
                wanted = min(tail.end, end) - start
                data = b""
                with suppress(ObjectNotFoundError):
                    data = self.get(tail.key, wanted, start=start - tail.begin)
                yield data
                start += len(data)

    def _copy(self, key: str, target: str, number: int, source: str) -> Part:
        headers: Any = CopySource(self._bucket, source).gen_copy_headers()
        etag, _ = self._client._upload_part_copy(self._bucket, key, target, number, headers)  # noqa: SLF001
        return Part(number, etag)


class _S3Growing:
    """An IncomingWriter that sends each part when it is full, and at the end what there is of the next one."""

    def __init__(
        self,
        incoming: S3Incoming,
        upload_id: str,
        part_bytes: int,
        may_go_on: Callable[[], None],
        may_keep: Callable[[], bool],
    ) -> None:
        self._incoming = incoming
        self._upload_id = upload_id
        self._part_bytes = part_bytes
        self._may_go_on = may_go_on
        self._may_keep = may_keep
        self._index = 0
        self._before = 0  # bytes of the parts before this one
        self._tails: tuple[StoredPiece, ...] = ()  # of this part, as they are stored
        self._new = bytearray()  # what came of this part behind them

    def __enter__(self) -> Self:
        stored = self._incoming.stored(self._upload_id)
        self._index, self._tails = len(stored.parts), stored.tails
        self._before = stored.size - self._begin
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._new and self._may_keep():
                self._store_last()
        except BusyError as failure:
            if error is None:
                raise
            # What ended the writing must not be hidden by this; the client sends these bytes again.
            _log.warning("the last bytes of an upload are not kept", upload=self._upload_id, reason=str(failure))

    @property
    def size(self) -> int:
        """See IncomingWriter.size."""
        return self._before + self._begin + len(self._new)

    @property
    def _begin(self) -> int:
        """Where in this part the new bytes begin."""
        return self._tails[-1].end if self._tails else 0

    def write(self, data: bytes) -> None:
        """See IncomingWriter.write."""
        left = memoryview(data)
        while left:
            room = self._part_bytes - self._begin - len(self._new)
            self._new += left[:room]
            left = left[room:]
            if self._begin + len(self._new) == self._part_bytes:
                self._send_part()

    def _send_part(self) -> None:
        """Store the part before the next one begins: no more than one is lost with the process."""
        self._may_go_on()
        self._store_part()
        self._before += self._part_bytes
        self._index, self._tails, self._new = self._index + 1, (), bytearray()

    def _store_part(self) -> None:
        """Write the whole part, then remove the tails whose place it takes."""
        part = self._incoming.joined(self._tails) + self._new if self._tails else self._new
        self._incoming.put(keys.upload_part(self._upload_id, self._index), part)
        if self._tails:
            self._incoming.remove(self._upload_id, self._tails)

    def _store_last(self) -> None:
        """Write what is held at the end: a whole part that was kept from being stored, or its beginning."""
        if self._begin + len(self._new) == self._part_bytes:
            self._store_part()
        else:
            self._store_tail()

    def _store_tail(self) -> None:
        """Write the new bytes as another tail, with those before them that are not much larger."""
        begin, data, gone = self._begin, self._new, list[StoredPiece]()
        for tail in reversed(self._tails):
            if tail.size > _TAIL_FACTOR * len(data):
                break
            data = bytearray(self._incoming.get(tail.key, begin - tail.begin)) + data
            begin = tail.begin
            gone.append(tail)
        self._incoming.put_tail(self._upload_id, self._index, begin, data)
        if gone:
            self._incoming.remove(self._upload_id, gone)
