"""Uploads on their way into S3: an object for each whole part, and one for the part that is not whole yet.

The parts become the original by copies that the store makes by itself. S3 takes no part below 5 MiB but the last, and
no more than 10,000 of one object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self, cast

import structlog
from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import Part
from minio.deleteobjects import DeleteObject

from storage.errors import BusyError, ObjectNotFoundError, ObjectStoreDownError, UploadTakenError
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.in_flight import InFlight
from storage.objects.incoming import Arrived
from storage.objects.s3_writer import info_of, translated

# Copied at a time at the end: the store works on each by itself, and more of them would be in others' way.
_COPIES = 4
_TYPE = "application/octet-stream"
_PLACE = re.compile(r"(parts|tails)/([0-9]{5})(?:-[0-9]+)?")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An object of an upload: its key, which part it is or begins, its bytes and when it came (Unix seconds)."""

    key: str
    index: int
    size: int
    at: float


@dataclass(frozen=True, slots=True)
class _Upload:
    """What is stored of one upload: the whole `parts` without a gap, the longest tail of the next one, and the rest."""

    parts: tuple[_Stored, ...]
    tail: _Stored | None
    rest: tuple[_Stored, ...]

    @property
    def pieces(self) -> tuple[_Stored, ...]:
        """What makes up the upload, in order."""
        return self.parts if self.tail is None else (*self.parts, self.tail)

    @property
    def size(self) -> int:
        """Bytes that are stored in order."""
        return sum(piece.size for piece in self.pieces)


class S3Incoming:
    """IncomingObjects in one bucket."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def arrived(self, upload_id: str) -> Arrived:
        """See IncomingObjects.arrived."""
        stored = self.stored(upload_id)
        return Arrived(stored.size, max((piece.at for piece in stored.pieces), default=0.0))

    def go_on(self, upload_id: str, *, part_bytes: int, may_go_on: Callable[[], None]) -> _S3Growing:
        """See IncomingObjects.go_on."""
        return _S3Growing(self, upload_id, part_bytes, may_go_on)

    def cut(self, upload_id: str, size: int) -> None:
        """See IncomingObjects.cut."""
        stored, start = self.stored(upload_id), 0
        for piece in stored.pieces:
            if start <= size < start + piece.size:
                left = size - start
                kept = keys.upload_tail(upload_id, piece.index, left)
                if left:
                    self.put(kept, self.get(piece.key, left))
                behind = (one.key for one in (*stored.pieces, *stored.rest) if one.index >= piece.index)
                self.remove([key for key in behind if key != kept])
                return
            start += piece.size

    def finish(self, upload_id: str, key: str, *, content_type: str) -> ObjectInfo:
        """See IncomingObjects.finish."""
        pieces = self.stored(upload_id).pieces
        if not pieces:
            raise ObjectNotFoundError(detail=keys.upload(upload_id))
        with translated(key):
            target = self._client._create_multipart_upload(self._bucket, key, {"Content-Type": content_type})  # noqa: SLF001 - see storage.objects.s3_writer
            try:
                with ThreadPoolExecutor(_COPIES) as pool:
                    parts = list(pool.map(lambda one: self._copy(one[1], key, target, one[0]), enumerate(pieces, 1)))
                self._client._complete_multipart_upload(self._bucket, key, target, parts)  # noqa: SLF001
            except BaseException:
                self._client._abort_multipart_upload(self._bucket, key, target)  # noqa: SLF001
                raise
            return info_of(self._client.stat_object(self._bucket, key))

    def stored(self, upload_id: str) -> _Upload:
        """Return what is stored of the upload."""
        parts: dict[int, _Stored] = {}
        tails: list[_Stored] = []
        for kind, stored in self._listed(upload_id):
            if kind == "parts":
                parts[stored.index] = stored
            else:
                tails.append(stored)
        whole = 0
        while whole in parts:
            whole += 1
        tail = max((one for one in tails if one.index == whole), key=lambda one: one.size, default=None)
        beyond = [part for index, part in parts.items() if index >= whole]
        rest = (*beyond, *(one for one in tails if one is not tail))
        return _Upload(tuple(parts[index] for index in range(whole)), tail, rest)

    def put(self, key: str, data: bytes | bytearray) -> None:
        """Write a small object."""
        with translated(key):
            only_read = cast("bytes", data)
            self._client._put_object(self._bucket, key, only_read, {"Content-Type": _TYPE})  # noqa: SLF001 - in one request

    def get(self, key: str, length: int) -> bytes:
        """Return the first bytes of an object."""
        with translated(key):
            response = self._client.get_object(self._bucket, key, length=length)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def remove(self, gone: list[str]) -> None:
        """Remove objects."""
        with translated(gone[0] if gone else ""):
            refused = list(self._client.remove_objects(self._bucket, [DeleteObject(key) for key in gone]))
        if refused:
            raise ObjectStoreDownError(detail=f"{refused[0].name} is not deleted: {refused[0].message}")

    def _listed(self, upload_id: str) -> Iterator[tuple[str, _Stored]]:
        prefix = keys.upload(upload_id)
        with translated(prefix):
            for entry in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                place = _PLACE.fullmatch(str(entry.object_name).removeprefix(prefix))
                if place is not None:
                    info = info_of(entry)
                    yield place[1], _Stored(info.key, int(place[2]), info.size, info.modified_at)

    def _copy(self, piece: _Stored, key: str, target: str, number: int) -> Part:
        headers: Any = CopySource(self._bucket, piece.key).gen_copy_headers()
        etag, _ = self._client._upload_part_copy(self._bucket, key, target, number, headers)  # noqa: SLF001
        return Part(number, etag)


class _S3Growing:
    """An IncomingWriter that sends each part when it is full, and at the end what there is of the next one."""

    def __init__(self, incoming: S3Incoming, upload_id: str, part_bytes: int, may_go_on: Callable[[], None]) -> None:
        self._incoming = incoming
        self._upload_id = upload_id
        self._part_bytes = part_bytes
        self._may_go_on = may_go_on
        self._in_flight = InFlight()
        self._part = bytearray()
        self._index = 0
        self._before = 0  # bytes of the parts before this one
        self._tail: _Stored | None = None  # of this part, as it is stored
        self._ended = False

    def __enter__(self) -> Self:
        stored = self._incoming.stored(self._upload_id)
        self._index = len(stored.parts)
        self._before = sum(part.size for part in stored.parts)
        self._tail = stored.tail
        if stored.tail is not None:
            self._part += self._incoming.get(stored.tail.key, stored.tail.size)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._in_flight.wait()
            if not self._ended and len(self._part) > (0 if self._tail is None else self._tail.size):
                self._send(keys.upload_tail(self._upload_id, self._index, len(self._part)))
                self._in_flight.wait()
        except (BusyError, UploadTakenError) as failure:
            if error is None:
                raise
            # What ended the writing must not be hidden by this; the client sends these bytes again.
            _log.warning("the last bytes of an upload are not kept", upload=self._upload_id, reason=str(failure))
        finally:
            self._in_flight.close()

    @property
    def size(self) -> int:
        """See IncomingWriter.size."""
        return self._before + len(self._part)

    def write(self, data: bytes) -> None:
        """See IncomingWriter.write."""
        left = memoryview(data)
        while left:
            room = self._part_bytes - len(self._part)
            self._part += left[:room]
            left = left[room:]
            if len(self._part) == self._part_bytes:
                self._send(keys.upload_part(self._upload_id, self._index))
                self._index += 1
                self._before += self._part_bytes
                self._part = bytearray()

    def _send(self, key: str) -> None:
        """Let what there is of this part go its way, once the part before it is there."""
        try:
            self._may_go_on()
            self._in_flight.send(partial(self._store, key, self._part, self._tail))
        except BaseException:
            self._ended = True
            raise
        self._tail = None

    def _store(self, key: str, part: bytearray, tail: _Stored | None) -> None:
        """Write the part, or its beginning, then remove the tail whose place it takes."""
        self._incoming.put(key, part)
        if tail is not None:
            self._incoming.remove([tail.key])
