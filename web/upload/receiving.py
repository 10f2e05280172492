"""Receiving one upload: from the form's events into an object, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from storage.errors import InvalidRequestError, UploadEmptyError
from storage.objects import keys
from storage.objects.contract import ObjectStore, ObjectWriter
from web.upload.form_fields import checked_loudness, checked_webhook_url, display_filename, title_of
from web.upload.limits import too_large
from web.upload.multipart_form import FileBytes, FileStart, FormEvent, TextField

FILE_FIELD = "file"


@dataclass(frozen=True, slots=True)
class Received:
    """A whole upload, committed: what is known of it before anybody looked inside."""

    job_id: str
    filename: str
    title: str
    webhook_url: str | None
    loudness: int | None
    size: int
    sha256: str


@dataclass(slots=True)
class _Form:
    """The fields as far as they have come; a field may stand before or after the file, and once only."""

    filename: str | None = None
    texts: dict[str, str] = field(default_factory=dict)

    def set(self, event: TextField) -> None:
        if event.name == FILE_FIELD:
            raise InvalidRequestError(reason="file_name")
        if event.name not in {"title", "webhook_url", "loudness"}:
            raise InvalidRequestError(reason="field_unknown")
        if event.name in self.texts:
            raise InvalidRequestError(reason="field_twice", values={"name": event.name})
        self.texts[event.name] = event.value
        if event.name == "webhook_url":
            checked_webhook_url(event.value)  # the sooner it is refused, the less was sent in vain
        if event.name == "loudness":
            checked_loudness(event.value)

    def begin(self, event: FileStart) -> None:
        if event.name != FILE_FIELD:
            raise InvalidRequestError(reason="file_field")
        if self.filename is not None:
            raise InvalidRequestError(reason="files")
        self.filename = event.filename


def receive(
    events: Iterable[FormEvent],
    objects: ObjectStore,
    job_id: str,
    *,
    limit: int,
    on_bytes: Callable[[int], None],
) -> Received:
    """Write the form's file as the job's original and commit it after the form's last event.

    `limit` is the largest file in bytes; `on_bytes` is told of every piece. Whatever is raised, by the form or here
    (InvalidRequestError, UploadEmptyError, UploadTooLargeError, errors of the store), leaves no object.
    """
    form = _Form()
    digest = hashlib.sha256()
    with ExitStack() as stack:
        writer: ObjectWriter | None = None
        for event in events:
            match event:
                case TextField():
                    form.set(event)
                case FileStart():
                    form.begin(event)
                    writer = stack.enter_context(_original(objects, job_id))
                case FileBytes(data=data) if writer is not None:
                    if writer.written + len(data) > limit:
                        raise too_large(limit)
                    writer.write(data)
                    digest.update(data)
                    on_bytes(len(data))
        return _committed(form, writer, job_id, digest.hexdigest())


def _original(objects: ObjectStore, job_id: str) -> AbstractContextManager[ObjectWriter]:
    # What the browser says of the type is a guess from the name; nothing relies on it.
    return objects.writer(keys.original(job_id), content_type="application/octet-stream")


def _committed(form: _Form, writer: ObjectWriter | None, job_id: str, sha256: str) -> Received:
    if writer is None or form.filename is None or (not form.filename and not writer.written):
        raise InvalidRequestError(reason="no_file")
    if not writer.written:
        raise UploadEmptyError
    filename = display_filename(form.filename)
    received = Received(
        job_id=job_id,
        filename=filename,
        title=title_of(form.texts.get("title", ""), filename),
        webhook_url=checked_webhook_url(form.texts.get("webhook_url", "")),
        loudness=checked_loudness(form.texts.get("loudness", "")),
        size=writer.written,
        sha256=sha256,
    )
    writer.commit()
    return received
