"""One request's bytes of an upload that takes several: they go behind what is stored, and count as they come."""

from __future__ import annotations

from collections.abc import Callable

from storage.objects.contract import ObjectStore
from storage.services.holding import Holding
from storage.services.uploads import begin_doubt, end_doubt
from storage.upload_errors import UploadChecksumError, UploadOffsetError
from web.upload.limits import too_large
from web.upload.tus import Checksum

READ_BYTES = 256 * 1024  # at most, at once: few calls, and little memory beside the parts


def continue_upload(
    objects: ObjectStore,
    holding: Holding,
    read: Callable[[int], bytes],
    *,
    offset: int,
    most: int,
    checksum: Checksum | None,
    on_bytes: Callable[[int], None],
) -> int:
    """Store the body that `read` gives behind the first `offset` bytes; return how many there are then.

    No more than `most` are taken; `on_bytes` is told of every piece. What came before a failure is kept, as far as
    nothing is to be checked: bytes with a `checksum` count once they are all there and right.

    Raises UploadOffsetError, UploadChecksumError, UploadTooLargeError, UploadTakenError, errors of the store, and
    whatever `read` and `on_bytes` do.
    """
    upload_id = holding.upload.id
    if checksum is None:
        return _stored(objects, holding, read, offset, most, on_bytes)
    begin_doubt(objects, upload_id, offset)
    digest = checksum.begin()

    def checked(size: int) -> bytes:
        data = read(size)
        digest.update(data)
        return data

    right = False
    try:
        size = _stored(objects, holding, checked, offset, most, on_bytes)
        right = digest.digest() == checksum.digest
    finally:
        end_doubt(objects, upload_id, keep=right)
    if not right:
        raise UploadChecksumError
    return size


def _stored(
    objects: ObjectStore,
    holding: Holding,
    read: Callable[[int], bytes],
    offset: int,
    most: int,
    on_bytes: Callable[[int], None],
) -> int:
    upload, size = holding.upload, offset
    with objects.incoming.go_on(
        upload.id,
        part_bytes=upload.part_bytes,
        may_go_on=lambda: holding.go_on(size),
        may_keep=holding.may_keep,
    ) as writer:
        if writer.size != offset:
            raise UploadOffsetError
        while data := read(READ_BYTES):
            if size + len(data) > most:
                raise too_large(most)
            writer.write(data)
            size = writer.size
            on_bytes(len(data))
            holding.go_on(size)
    return size
