"""Uploads on their way into S3: an object for each whole part, and a few for the part that is not whole yet.

A request that ends within a part leaves a tail: the bytes that it brought. The next one adds another, and tails of like
size become one, as in a binary counter. So a client that sends byte by byte makes the store write each of them a few
times, not the whole part with each. When the part is whole its tails become one object.

The parts are what the original is read from later (storage/objects/s3_composed.py): nothing is copied at the end. While
a part is on its way to the store, the next one comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self, cast

import structlog
from minio import Minio

from storage.errors import BusyError, ObjectNotFoundError
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.in_flight import InFlight
from storage.objects.incoming import Arrived
from storage.objects.s3_composed import Composition
from storage.objects.s3_parts import StoredPiece, StoredUpload, stored_upload
from storage.objects.s3_writer import info_of, remove_objects, translated

_BYTES = {"Content-Type": "application/octet-stream"}
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
        if not stored.pieces:
            raise ObjectNotFoundError(detail=keys.upload(upload_id))
        last, tails = len(stored.parts), stored.tails
        if tails:
            self.put(keys.upload_part(upload_id, last), self.joined(tails))
        made_up = Composition(stored.size, stored.parts[0].end if stored.parts else stored.size)
        self.put(key, made_up.note(upload_id), {"Content-Type": content_type, **made_up.metadata})
        with translated(key):
            return made_up.seen(info_of(self._client.stat_object(self._bucket, key)))

    def stored(self, upload_id: str, whole: int = 0) -> StoredUpload:
        """Return what is stored of the upload behind its first `whole` parts."""
        parts = self._listed(keys.upload_parts(upload_id), keys.upload_part(upload_id, whole - 1) if whole else None)
        return stored_upload(parts, self._listed(keys.upload_tails(upload_id)), whole)

    def _listed(self, prefix: str, after: str | None = None) -> list[ObjectInfo]:
        with translated(prefix):
            found = self._client.list_objects(self._bucket, prefix=prefix, recursive=True, start_after=after)
            return [info_of(entry) for entry in found]

    def put(self, key: str, data: bytes | bytearray, headers: Mapping[str, str] = _BYTES) -> None:
        """Write a part or less, in one request."""
        only_read = cast("bytes", data)
        with translated(key):
            self._client._put_object(self._bucket, key, only_read, dict(headers))  # noqa: SLF001 - see storage.objects.s3_writer

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


class _S3Growing:
    """An IncomingWriter that sends each part when it is full, and at the end what there is of the next one.

    A part that is on its way counts as written: leaving the context waits for it.
    """

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
        self._in_flight = InFlight()

    def __enter__(self) -> Self:
        stored = self._incoming.stored(self._upload_id)
        self._index, self._tails = len(stored.parts), stored.tails
        self._before = stored.size - self._begin
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._in_flight.wait()
            if self._new and self._may_keep():
                self._store_last()
        except BusyError as failure:
            if error is None:
                raise
            # What ended the writing must not be hidden by this; the client sends these bytes again.
            _log.warning("the last bytes of an upload are not kept", upload=self._upload_id, reason=str(failure))
        finally:
            self._in_flight.close()

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
        """Let the part go its way once the one before it is stored: no more than two are lost with the process."""
        self._may_go_on()
        self._in_flight.send(partial(self._store_part, self._index, self._tails, self._new))
        self._before += self._part_bytes
        self._index, self._tails, self._new = self._index + 1, (), bytearray()

    def _store_part(self, index: int, tails: tuple[StoredPiece, ...], new: bytearray) -> None:
        """Write the whole part, then remove the tails whose place it takes."""
        part = self._incoming.joined(tails) + new if tails else new
        self._incoming.put(keys.upload_part(self._upload_id, index), part)
        if tails:
            self._incoming.remove(self._upload_id, tails)

    def _store_last(self) -> None:
        """Write what is held at the end: a whole part that was kept from being stored, or its beginning."""
        if self._begin + len(self._new) == self._part_bytes:
            self._store_part(self._index, self._tails, self._new)
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
