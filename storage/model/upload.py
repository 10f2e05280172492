"""An upload that may take several requests: what is known of it besides its bytes. Pure.

Its id becomes the id of its job. How many bytes have come is not written here: it follows from what is stored
(storage/objects/incoming.py), so it is never wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from storage.model.job import is_job_id
from storage.model.loudness import TARGETS
from storage.model.record_checks import LONGEST_NAME, LONGEST_URL, expect

VERSION: Final = 1
# Bytes of an index that is sent ahead. 12 hours of 60 pictures and 50 packets of sound a second are 4.75 million
# packets of 8 to 12 bytes each: a size, a time of showing, its share of the places of chunks.
LONGEST_INDEX = 64 * 1024 * 1024
# An upload of which nothing came for so long takes no place, nobody waits for its work, and no room is kept for its
# rest: its client may have gone for good, and whoever creates uploads without end would promise away the whole store.
MOVING_SECONDS = 60.0
LONGEST_METADATA = 16 * 1024  # characters of what a client says of an upload; half of the longest head of a request


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload that is not a job yet, as all web processes see it: `size` bytes of it had come `at` Unix seconds.

    `left` are the bytes that are still to come, as far as it said.
    """

    id: str
    client: str
    size: int
    left: int
    at: float

    @property
    def length(self) -> int:
        """Bytes of all of it, as far as it said."""
        return self.size + self.left

    def moves(self, now: float) -> bool:
        """Tell whether something of it came a moment before `now`, Unix seconds."""
        return now - self.at < MOVING_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What was said when the upload was created.

    `length` in bytes is None until the client says it. `metadata` is the header of tus, as it came. `client` is the
    address that it came from, `part_bytes` the size of its parts, and times are Unix seconds.
    """

    version: Literal[1] = VERSION
    id: str
    owner: str
    client: str
    length: int | None
    part_bytes: int
    filename: str
    title: str
    webhook_url: str | None
    metadata: str
    created_at: float
    loudness: int | None = None

    def lacks(self, size: int) -> bool:
        """Tell whether more is to come behind so many bytes."""
        return self.length is None or size < self.length

    def standing(self, size: int, at: float) -> OpenUpload:
        """Return the upload as all web processes see it when so many bytes have come, `at` Unix seconds."""
        return OpenUpload(self.id, self.client, size, max(0, (self.length or 0) - size), at)


def check_upload(upload: Upload, upload_id: str) -> None:
    """Raise ValueError, inside of `spoiled`, unless this could have been written of the upload of this id."""
    expect(upload.id == upload_id and is_job_id(upload.id), "id")
    expect(upload.length is None or upload.length > 0, "length")
    expect(upload.part_bytes > 0, "part_bytes")
    expect(len(upload.filename) <= LONGEST_NAME and len(upload.title) <= LONGEST_NAME, "name")
    expect(upload.webhook_url is None or len(upload.webhook_url) <= LONGEST_URL, "webhook_url")
    expect(upload.loudness is None or upload.loudness in TARGETS, "loudness")
    expect(len(upload.metadata) <= LONGEST_METADATA, "metadata")


def expires_at(upload: Upload, arrived_at: float, seconds: float) -> float:
    """Return when the upload is given up, in Unix seconds: so long after the last of its bytes came."""
    return max(upload.created_at, arrived_at) + seconds
