"""A multipart form as a stream of events: bounded memory, and complete only when the closing boundary was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from storage.errors import InvalidRequestError, UploadIncompleteError
from web.upload.file_name import HEADER_CHARSET, file_name
from web.upload.limits import OVERHEAD_BYTES

READ_BYTES = 1024 * 1024  # one read of the body: what gunicorn takes from the socket at once
FIELD_BYTES = 8 * 1024  # a title or a URL, with room to spare
HEADER_BYTES = 4 * 1024  # one header of a part: a name of 255 characters, percent-encoded, is below 3 kB
MAX_HEADERS = 8  # of a part: browsers send two
MAX_PARTS = 8  # the file, its fields, and room for what a tool may add


@dataclass(frozen=True, slots=True)
class TextField:
    """A whole text field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FileStart:
    """A file begins; its bytes follow."""

    name: str
    filename: str


@dataclass(frozen=True, slots=True)
class FileBytes:
    """Bytes of the file that began last, not many more than READ_BYTES."""

    data: bytes


FormEvent = TextField | FileStart | FileBytes


def read_form(read: Callable[[int], bytes], boundary: str, *, announced: int | None) -> Iterator[FormEvent]:
    """Yield the form's events; the form was complete if the iteration ends without an error.

    `read` returns up to so many bytes of the body, none at its end; `announced` is the Content-Length, None when the
    body came in chunks. Raises InvalidRequestError for what is no form or goes over a limit, UploadIncompleteError
    for one that ends early.
    """
    parts = _Parts(boundary)
    received = 0
    while data := read(READ_BYTES):
        received += len(data)
        yield from parts.take(data)
        if received - parts.file_bytes > OVERHEAD_BYTES:
            raise InvalidRequestError(reason="form_overhead", values={"limit": OVERHEAD_BYTES})
    if announced is not None and received != announced:
        raise UploadIncompleteError(detail=f"{received} of the announced {announced} bytes arrived.")
    parts.finish()


class _Parts:
    """The parser and the part being read; text is gathered, files are passed on."""

    def __init__(self, boundary: str) -> None:
        self.file_bytes = 0
        self._field: str | None = None
        self._text = bytearray()
        try:
            self._parser = PushMultipartParser(
                boundary,
                max_header_size=HEADER_BYTES,
                max_header_count=MAX_HEADERS,
                max_segment_count=MAX_PARTS,
                header_charset=HEADER_CHARSET,
            )
        except MultipartError as error:
            raise InvalidRequestError(reason="boundary") from error

    def take(self, data: bytes) -> Iterator[FormEvent]:
        """Yield what these bytes of the body complete."""
        try:
            for event in self._parser.parse(data):
                yield from self._event(event)
        except ParserLimitReached as error:
            raise InvalidRequestError(reason="form_parts") from error
        except MultipartError as error:
            raise InvalidRequestError(reason="form", detail=str(error)) from error

    def finish(self) -> None:
        """Raise UploadIncompleteError unless the closing boundary was seen."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise UploadIncompleteError from error

    def _event(self, event: MultipartSegment | bytes | None) -> Iterator[FormEvent]:
        if isinstance(event, MultipartSegment):
            name = _decoded("name", event.name.encode(HEADER_CHARSET))
            filename = file_name(event["Content-Disposition"], event.filename)
            self._field = name if filename is None else None
            self._text.clear()
            if filename is not None:
                yield FileStart(name, filename)
        elif self._field is None:
            self.file_bytes += len(event or b"")
            if event:
                yield FileBytes(event)
        elif event is None:
            yield TextField(self._field, _decoded(self._field, self._text))
        else:
            self._text += event
            if len(self._text) > FIELD_BYTES:
                raise InvalidRequestError(reason="field_length", values={"name": self._field, "limit": FIELD_BYTES})


def _decoded(name: str, text: bytes | bytearray) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError(reason="field_text", values={"name": name}) from error
