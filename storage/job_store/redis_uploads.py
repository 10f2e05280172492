"""Uploads that are not jobs yet, in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter

from storage.job_store import redis_keys
from storage.job_store.redis_scripts import RedisScripts
from storage.job_store.upload_contract import HOLDER_SECONDS, KEPT_SECONDS, TOLD_SECONDS
from storage.model.job import is_job_id
from storage.model.record_checks import expect, spoiled
from storage.model.upload import OpenUpload

_OPEN = TypeAdapter(OpenUpload)
_TOLD = round(TOLD_SECONDS * 1000)
_TIMES = (round(HOLDER_SECONDS * 1000), round(KEPT_SECONDS * 1000))


class RedisUploads(RedisScripts):
    """An UploadStore on Redis."""

    def take_upload(self, upload_id: str, holder: str) -> str | None:
        """See UploadStore.take_upload."""
        keys = [redis_keys.holder_of(upload_id), redis_keys.receiving(holder)]
        before = self._run_alone("take_upload", keys, holder, *_TIMES)
        return None if not before or before == holder else str(before)

    def hold_upload(self, upload: OpenUpload, holder: str) -> bool:
        """See UploadStore.hold_upload."""
        own = [redis_keys.holder_of(upload.id), redis_keys.receiving(holder)]
        keys = [*own, redis_keys.UPLOADS, redis_keys.EVENTS, redis_keys.of_job("job", upload.id)]
        told = (upload.id, _text(upload), upload.size, _TOLD)
        return bool(self._run_alone("hold_upload", keys, holder, *_TIMES, *told))

    def leave_upload(self, holder: str) -> None:
        """See UploadStore.leave_upload."""
        self._redis.call(lambda: self._client.delete(redis_keys.receiving(holder)))

    def has_left(self, holder: str) -> bool:
        """See UploadStore.has_left."""
        return not self._redis.call(lambda: self._client.exists(redis_keys.receiving(holder)))

    def note_upload(self, upload: OpenUpload) -> None:
        """See UploadStore.note_upload."""
        self._redis.call(lambda: self._client.hset(redis_keys.UPLOADS, upload.id, _text(upload)))

    def forget_upload(self, upload_id: str) -> None:
        """See UploadStore.forget_upload."""
        self._redis.call(lambda: self._client.hdel(redis_keys.UPLOADS, upload_id))

    def open_uploads(self) -> tuple[OpenUpload, ...]:
        """See UploadStore.open_uploads."""
        found = self._redis.call(lambda: self._client.hgetall(redis_keys.UPLOADS))
        return tuple(self._readable(found.items(), _read))

    def uploads_of(self, upload_ids: Sequence[str]) -> dict[str, OpenUpload]:
        """See UploadStore.uploads_of."""
        if not upload_ids:
            return {}
        texts = self._redis.call(lambda: self._client.hmget(redis_keys.UPLOADS, upload_ids))
        found = ((upload_id, text) for upload_id, text in zip(upload_ids, texts, strict=True) if text is not None)
        return {upload.id: upload for upload in self._readable(found, _read)}


def _text(upload: OpenUpload) -> str:
    return _OPEN.dump_json(upload).decode()


def _read(upload_id: str, text: str) -> OpenUpload:
    with spoiled(upload_id):
        upload = _OPEN.validate_json(text)
        expect(upload.id == upload_id and is_job_id(upload_id), "id")
        expect(upload.size >= 0 and upload.left >= 0, "size")
    return upload
