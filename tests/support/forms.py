"""Multipart forms as browsers and curl send them."""

from __future__ import annotations

BOUNDARY = "----rungs-test-boundary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """Return one part; a filename makes it a file."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'
    kind = "" if filename is None else "Content-Type: video/mp4\r\n"
    return f"{head}{kind}\r\n".encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """Return a whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def upload(content: bytes = b"not really a video", filename: str = "clip.mp4", **fields: str) -> bytes:
    """Return the form of an upload, its fields before the file."""
    return form(*(part(name, value.encode()) for name, value in fields.items()), part("file", content, filename))
