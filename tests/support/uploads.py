"""Uploads that take several requests, as far as a test wants them to be."""

from __future__ import annotations

import time

from storage.model.upload import Upload
from storage.services import Services
from storage.services.uploads import save_upload
from web.routes.uploading import new_job_id

PART = 5 << 20  # the smallest that S3 takes


def upload_record(*, length: int | None = 9, created_at: float = 0.0, webhook_url: str | None = None) -> Upload:
    """Return what is known of an upload that somebody creates now."""
    return Upload(
        id=new_job_id(),
        owner="local",
        client="127.0.0.1",
        length=length,
        part_bytes=PART,
        filename="film.mp4",
        title="film",
        webhook_url=webhook_url,
        metadata="",
        created_at=created_at or time.time(),
    )


def begun(
    services: Services, data: bytes, *, length: int | None = 9, created_at: float = 0.0, webhook_url: str | None = None
) -> Upload:
    """Return an upload of which these bytes have come; it has no job."""
    upload = upload_record(length=length, created_at=created_at, webhook_url=webhook_url)
    save_upload(services, upload)
    if data:
        with services.objects.incoming.go_on(
            upload.id, part_bytes=PART, may_go_on=lambda: None, may_keep=lambda: True
        ) as writer:
            writer.write(data)
    return upload
