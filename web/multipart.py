"""A multipart form as a stream of events: bounded memory, and complete only when the closing boundary was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from storage.errors import InvalidRequestError, UploadIncompleteError

READ_BYTES = 1024 * 1024  # one read of the body: what gunicorn takes from the socket at once
FIELD_BYTES = 8 * 1024  # a title or a URL, with room to spare
HEADER_BYTES = 8 * 1024  # headers of one part: a name of 255 characters, percent-encoded, is below 3 kB
MAX_PARTS = 8  # the file, its fields, and a submit button or two
# Everything of a form but the file: what Content-Length may be larger than the largest upload.
OVERHEAD_BYTES = MAX_PARTS * (FIELD_BYTES + HEADER_BYTES)


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
    """Bytes of the file that began last, never more than READ_BYTES and a boundary."""

    data: bytes


FormEvent = TextField | FileStart | FileBytes


def read_form(read: Callable[[int], bytes], boundary: bytes, *, announced: int | None) -> Iterator[FormEvent]:
    """Yield the form's events; the form was complete if the iteration ends without an error.

    `read` returns up to so many bytes of the body, none at its end; `announced` is the Content-Length, None when the
    body came in chunks. Raises InvalidRequestError for what is no form or goes over a limit, UploadIncompleteError
    for one that ends early.
    """
    decoder = MultipartDecoder(boundary, READ_BYTES + HEADER_BYTES + FIELD_BYTES, max_parts=MAX_PARTS)
    parts = _Parts()
    received = 0
    try:
        while data := read(READ_BYTES):
            received += len(data)
            decoder.receive_data(data)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield from parts.take(event)
        if announced is not None and received != announced:
            raise UploadIncompleteError(f"{received} of the announced {announced} bytes arrived; nothing was kept.")
        decoder.receive_data(None)
        if not isinstance(decoder.next_event(), Epilogue):
            raise UploadIncompleteError("The form ends before its closing boundary; nothing was kept.")
    except RequestEntityTooLarge as error:
        raise InvalidRequestError("The form has too many parts, or one with too long headers.") from error
    except ValueError as error:
        raise _broken(decoder, error) from error


def _broken(decoder: MultipartDecoder, error: ValueError) -> InvalidRequestError | UploadIncompleteError:
    """Tell a form that stopped early from one that never was a form."""
    if decoder.complete:
        return UploadIncompleteError("The form ends before its closing boundary; nothing was kept.")
    return InvalidRequestError("The body is not a valid multipart form.", detail=str(error))


class _Parts:
    """The part being read; text is gathered, files are passed on."""

    def __init__(self) -> None:
        self._field: str | None = None
        self._text = bytearray()

    def take(self, event: object) -> Iterator[FormEvent]:
        match event:
            case Field(name=name, headers=headers):
                self._field = _checked_name(name, headers)
                self._text.clear()
            case File(name=name, filename=filename, headers=headers):
                self._field = None
                yield FileStart(_checked_name(name, headers), filename)
            case Data(data=data) if self._field is None:
                if data:
                    yield FileBytes(data)
            case Data(data=data, more_data=more):
                self._text += data
                if len(self._text) > FIELD_BYTES:
                    raise InvalidRequestError(f"The field `{self._field}` is longer than {FIELD_BYTES} bytes.")
                if not more and self._field is not None:
                    yield TextField(self._field, self._text.decode())
            case _:
                pass  # the preamble says nothing


def _checked_name(name: str | None, headers: Headers) -> str:
    if sum(len(key) + len(value) for key, value in headers) > HEADER_BYTES:
        raise InvalidRequestError(f"A part of the form has more than {HEADER_BYTES} bytes of headers.")
    if not name:
        raise InvalidRequestError("A part of the form has no name.")
    return name
