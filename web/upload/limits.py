"""Limits of an upload's size, and the refusal of what is over them."""

from __future__ import annotations

from storage.errors import UploadTooLargeError

# Everything of a form but the file: what Content-Length may be larger than the largest upload.
OVERHEAD_BYTES = 128 * 1024


def too_large(limit: int) -> UploadTooLargeError:
    """Return the refusal of a file that is larger than the limit, in bytes."""
    return UploadTooLargeError(megabytes=limit / 1_000_000)
