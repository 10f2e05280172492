"""tus 1.0.0, the protocol of uploads that go on: what requests say, and what answers say of it. Pure.

https://tus.io/protocols/resumable-upload; the extensions here are creation, creation-with-upload,
creation-defer-length, expiration, termination and checksum.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from storage.errors import InvalidRequestError, UploadEmptyError
from storage.model.upload import LONGEST_INDEX, LONGEST_METADATA
from storage.upload_errors import UploadTypeError, UploadVersionError
from web.upload.form_fields import checked_loudness, checked_webhook_url, display_filename, title_of
from web.upload.limits import too_large

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum"
CONTENT_TYPE = "application/offset+octet-stream"
# sha1 is the one that every server must know; md5 and crc32 find faults of a line only, which TCP has found already.
ALGORITHMS = ("sha1", "sha256")
UNNAMED = "video"
_NUMBER = re.compile(r"[0-9]{1,16}")
_KEY = re.compile(r"[!-+\--~]+")  # ASCII without spaces and commas


@dataclass(frozen=True, slots=True)
class Described:
    """What a client said of the file: how it is called, and whom to tell of the end; `metadata` as it came."""

    filename: str
    title: str
    webhook_url: str | None
    loudness: int | None
    metadata: str


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a client reckoned of the bytes that it sends."""

    algorithm: str
    digest: bytes

    def begin(self) -> hashlib._Hash:
        """Return what the same is reckoned with here."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def check_version(headers: Mapping[str, str]) -> None:
    """Raise UploadVersionError unless the client speaks this version."""
    if headers.get("Tus-Resumable") != VERSION:
        raise UploadVersionError


def check_type(headers: Mapping[str, str]) -> None:
    """Raise UploadTypeError unless the body is what tus sends."""
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise UploadTypeError


def length_of(headers: Mapping[str, str], *, limit: int, required: bool) -> int | None:
    """Return the announced bytes of the whole upload; None where the client says that it will tell later.

    Of a request that is not the first one neither is `required`. Raises InvalidRequestError, UploadEmptyError, and
    UploadTooLargeError beyond the `limit`.
    """
    later, length = headers.get("Upload-Defer-Length"), headers.get("Upload-Length")
    if (later is None) == (length is None) and (required or later is not None):
        raise InvalidRequestError(reason="upload_length")
    if length is None:
        if later not in {None, "1"}:
            raise InvalidRequestError(reason="upload_length")
        return None
    found = _number(length)
    if found is None:
        raise InvalidRequestError(reason="upload_length")
    if found > limit:
        raise too_large(limit)
    if not found:
        raise UploadEmptyError
    return found


def offset_of(headers: Mapping[str, str]) -> int:
    """Return where the bytes of this request begin. Raises InvalidRequestError."""
    found = _number(headers.get("Upload-Offset", ""))
    if found is None:
        raise InvalidRequestError(reason="upload_offset")
    return found


def index_place(headers: Mapping[str, str], *, size: int | None, length: int | None) -> int:
    """Return where an index of `size` bytes lies in a file of `length` bytes, as Upload-Offset says.

    Raises InvalidRequestError, also where one of these is not known, and UploadTooLargeError.
    """
    begin = _number(headers.get("Upload-Offset", ""))
    if begin is None or not size or length is None or begin + size > length:
        raise InvalidRequestError(reason="upload_index")
    if size > LONGEST_INDEX:
        raise too_large(LONGEST_INDEX)
    return begin


def checksum_of(headers: Mapping[str, str]) -> Checksum | None:
    """Return what the client reckoned of this request's bytes, None if it did not. Raises InvalidRequestError."""
    said = headers.get("Upload-Checksum")
    if said is None:
        return None
    algorithm, _, text = said.partition(" ")
    digest = _decoded(text) if algorithm in ALGORITHMS else None
    if digest is None or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise InvalidRequestError(reason="upload_checksum")
    return Checksum(algorithm, digest)


def described(headers: Mapping[str, str]) -> Described:
    """Return what Upload-Metadata says: `filename` (or `name`), `title`, `webhook_url` and `loudness`.

    Other keys are only kept. Raises InvalidRequestError.
    """
    metadata = headers.get("Upload-Metadata", "")
    if len(metadata) > LONGEST_METADATA:
        raise InvalidRequestError(reason="upload_metadata")
    said = metadata_of(metadata)
    filename = display_filename(said.get("filename") or said.get("name") or UNNAMED)
    title, webhook_url = title_of(said.get("title", ""), filename), checked_webhook_url(said.get("webhook_url", ""))
    return Described(filename, title, webhook_url, checked_loudness(said.get("loudness", "")), metadata)


def metadata_of(header: str) -> dict[str, str]:
    """Return the pairs of Upload-Metadata. Raises InvalidRequestError."""
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, text = pair.strip().partition(" ")
        value = _text(text.strip())
        if not _KEY.fullmatch(key) or key in found or value is None:
            raise InvalidRequestError(reason="upload_metadata")
        found[key] = value
    return found


def what_is_here(limit: int) -> dict[str, str]:
    """Return what OPTIONS tells: versions, extensions, and the largest upload and index in bytes."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(limit),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        "Rungs-Index-Max-Size": str(LONGEST_INDEX),
    }


def length_told(length: int | None) -> dict[str, str]:
    """Return what is known of the upload's length."""
    return {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}


def expires(at: float) -> dict[str, str]:
    """Return until when the upload is kept, a time in Unix seconds."""
    return {"Upload-Expires": formatdate(at, usegmt=True)}


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error among them, and letters that are not ASCII
        return None


def _text(value: str) -> str | None:
    data = _decoded(value)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None
