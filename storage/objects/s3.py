"""Objects in MinIO or any S3."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import structlog
import urllib3
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED, Filter
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule

from storage.errors import ObjectStoreDownError
from storage.objects.contract import ObjectInfo
from storage.objects.keys import checked_key, checked_prefix, upload_part
from storage.objects.s3_composed import Composition, Compositions
from storage.objects.s3_incoming import S3Incoming
from storage.objects.s3_writer import S3Writer, info_of, remove_objects, translated
from storage.objects.whole import WholeObjects

_CHUNK_BYTES = 256 * 1024  # read at once: few system calls, little memory for each of many players
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 60.0  # a part on a busy disk may take a while; a dead server refuses the connection
_CONNECTIONS = 64  # kept open; more are made when more requests run at once
_PAUSE_FACTOR = 0.1  # seconds; the library doubles the pause before each try
_LONGEST_PAUSE_SECONDS = 5.0
_LONGEST_SIGNATURE_SECONDS = 7 * 24 * 3600  # S3 signs for no longer
_UNFINISHED_DAYS = 1  # the janitor's sweep is sooner; this is for what was left by a store that nobody uses any more

_log = structlog.get_logger(__name__)


class S3ObjectStore(WholeObjects):
    """An ObjectStore in one bucket; requests are repeated for about `patience` seconds while the server is away.

    What `redirect_path` returns is signed for `endpoint`: who passes it on must send that as the Host.
    """

    def __init__(
        self, *, endpoint: str, bucket: str, keys: tuple[str, str], region: str, secure: bool, patience: float
    ) -> None:
        self._bucket = bucket
        http = _pool(patience)
        # With the region given, the library does not ask the server for it before each bucket's first use.
        self._client = Minio(endpoint, *keys, secure=secure, region=region, http_client=http)
        self._compositions = Compositions(lambda key: self._looked_at(key)[1])
        self._admin = MinioAdmin(
            endpoint=endpoint, credentials=StaticProvider(*keys), secure=secure, region=region, http_client=http
        )

    def writer(self, key: str, *, content_type: str) -> S3Writer:
        """See ObjectStore.writer."""
        return S3Writer(self._client, self._bucket, checked_key(key), content_type)

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore.stat."""
        info, made_up = self._looked_at(checked_key(key))
        return info if made_up is None else made_up.seen(info)

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""
        made_up = self._compositions.of(checked_key(key))
        if made_up is None:
            return self._read_piece(key, start, length)
        return self._read_parts(key, made_up, start, made_up.size if length is None else start + length)

    def _read_parts(self, key: str, made_up: Composition, start: int, end: int) -> Iterator[bytes]:
        for index, offset, length in made_up.pieces(start, end):
            yield from self._read_piece(upload_part(key.split("/")[1], index), offset, length)

    def _looked_at(self, key: str) -> tuple[ObjectInfo, Composition | None]:
        """Return what there is under the key, and of what it is made up if it is not what it seems."""
        with translated(key):
            status = self._client.stat_object(self._bucket, key)
        return info_of(status), Composition.told_by(status.metadata or {})

    def _read_piece(self, key: str, start: int, length: int | None) -> Iterator[bytes]:
        """Read an object that is as it was written."""
        if length == 0:
            # The library takes 0 for no limit.
            self.stat(key)
            return iter(())
        with translated(key):
            try:
                response = self._client.get_object(self._bucket, key, offset=start, length=length or 0)
            except S3Error as error:
                if error.code == "InvalidRange":
                    return iter(())
                raise
        return _chunks(response, key)

    def local_path(self, key: str) -> Path | None:  # noqa: ARG002 - the contract's argument
        """See ObjectStore.local_path: the files are the server's."""
        return None

    def open_local(self, key: str) -> BinaryIO | None:  # noqa: ARG002 - the contract's argument
        """See ObjectStore.open_local: the files are the server's."""
        return None

    def redirect_path(self, key: str, *, seconds: int) -> str | None:
        """See ObjectStore.redirect_path."""
        expires = timedelta(seconds=min(seconds, _LONGEST_SIGNATURE_SECONDS))
        url = urlsplit(self._client.presigned_get_object(self._bucket, checked_key(key), expires=expires))
        return f"{url.path}?{url.query}"

    @property
    def incoming(self) -> S3Incoming:
        """See ObjectStore.incoming."""
        return S3Incoming(self._client, self._bucket, self.read)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore.keys."""
        with translated(checked_prefix(prefix)):
            for entry in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                yield entry.object_name

    def folders(self, prefix: str) -> Iterator[str]:
        """See ObjectStore.folders."""
        with translated(checked_prefix(prefix)):
            for entry in self._client.list_objects(self._bucket, prefix=prefix):
                if entry.is_dir:
                    yield str(entry.object_name).removeprefix(prefix).rstrip("/")

    def delete_prefix(self, prefix: str) -> int:
        """See ObjectStore.delete_prefix."""
        self._abort_unfinished(checked_prefix(prefix), before=time.time())
        keys = tuple(self.keys(prefix))
        remove_objects(self._client, self._bucket, keys, prefix)
        return len(keys)

    def sweep_unfinished(self, *, older_than: float) -> int:
        """See ObjectStore.sweep_unfinished."""
        return self._abort_unfinished("", before=time.time() - older_than)

    def free_bytes(self) -> int | None:
        """See ObjectStore.free_bytes: MinIO tells its administrators; another S3, or another key, gives None."""
        try:
            with translated("free space"):
                answer = json.loads(self._admin.info())
        except MinioAdminException:
            return None
        return _free_of(answer)

    def prepare(self) -> None:
        """See ObjectStore.prepare."""
        with translated(self._bucket):
            try:
                if not self._client.bucket_exists(self._bucket):
                    self._client.make_bucket(self._bucket)
            except S3Error as error:
                # Another process was quicker.
                if error.code != "BucketAlreadyOwnedByYou":
                    raise
            self._add_lifecycle_rule()

    def ping(self) -> None:
        """See ObjectStore.ping."""
        with translated(self._bucket):
            if not self._client.bucket_exists(self._bucket):
                raise ObjectStoreDownError(detail=f"The bucket {self._bucket} is missing.")

    def _add_lifecycle_rule(self) -> None:
        abort = AbortIncompleteMultipartUpload(days_after_initiation=_UNFINISHED_DAYS)
        rule = Rule(
            ENABLED,
            rule_id="abort-unfinished-uploads",
            rule_filter=Filter(prefix=""),
            abort_incomplete_multipart_upload=abort,
        )
        try:
            if self._client.get_bucket_lifecycle(self._bucket) is None:
                self._client.set_bucket_lifecycle(self._bucket, LifecycleConfig([rule]))
        except S3Error as error:
            # MinIO knows no such rule: it removes unfinished uploads by itself after MINIO_API_STALE_UPLOADS_EXPIRY.
            # And where a key may not change the bucket, who made the bucket decides.
            if error.code not in {"InvalidArgument", "AccessDenied"}:
                raise
            _log.debug("no rule for unfinished uploads was made", bucket=self._bucket, reason=error.code)

    def _abort_unfinished(self, prefix: str, *, before: float) -> int:
        """Abort what was begun under the prefix before a time (Unix seconds); return how many."""
        aborted = 0
        with translated(prefix):
            for upload in self._unfinished():
                if upload.object_name.startswith(prefix) and upload.initiated_time.timestamp() <= before:
                    self._client._abort_multipart_upload(  # noqa: SLF001 - see storage.objects.s3_writer
                        self._bucket, upload.object_name, upload.upload_id
                    )
                    aborted += 1
        return aborted

    def _unfinished(self) -> Iterator[Any]:
        """Yield all unfinished uploads. Without a prefix: MinIO takes one for a whole key and finds nothing."""
        key_marker = upload_marker = None
        while True:
            page = self._client._list_multipart_uploads(  # noqa: SLF001 - see storage.objects.s3_writer
                self._bucket, key_marker=key_marker, upload_id_marker=upload_marker
            )
            yield from page.uploads
            if not page.is_truncated:
                return
            key_marker, upload_marker = page.next_key_marker, page.next_upload_id_marker


def _pool(patience: float) -> urllib3.PoolManager:
    """Return connections that give up on a try after seconds, not the library's 5 minutes."""
    tries, waited = 1, 0.0
    while waited < patience:
        waited += min(_PAUSE_FACTOR * 2**tries, _LONGEST_PAUSE_SECONDS)
        tries += 1
    retries = urllib3.Retry(
        total=tries,
        backoff_factor=_PAUSE_FACTOR,
        backoff_max=_LONGEST_PAUSE_SECONDS,
        # 507: full. Somebody makes room, and what was to be stored needs not be made again.
        status_forcelist=(500, 502, 503, 504, 507),
        # MinIO that is still starting says 60 seconds, and is there within one.
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
    return urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=_CONNECTIONS)


def _chunks(response: Any, key: str) -> Iterator[bytes]:
    try:
        with translated(key):
            yield from response.stream(_CHUNK_BYTES)
    finally:
        # Closed, not only given back: a reader that left early would leave its rest to the next request.
        response.close()
        response.release_conn()


def _free_of(answer: dict[str, Any]) -> int | None:
    """Return what can still be written, parity taken off, from MinIO's server information; None if it tells nothing."""
    drives = [drive for server in answer.get("servers", []) for drive in server.get("drives", [])]
    free = sum(drive.get("availspace", 0) for drive in drives if drive.get("state") == "ok")
    backend = answer.get("backend", {})
    per_set = max(backend.get("totalDrivesPerSet") or [1])
    data_drives = per_set - backend.get("standardSCParity", 0)
    return free * data_drives // per_set if drives else None
