"""Reading the body of an upload, as it comes."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from storage.errors import UploadIncompleteError
from web.http.body import Body


def body_reader(*, kept: bool) -> Callable[[int], bytes]:
    """Return what reads the present request's body: so many bytes at most, none at its end.

    It raises UploadIncompleteError where the client goes away, which says whether what came is `kept`. Only the
    client's side can fail here: no error of the object store is mistaken for one of the client.
    """
    # Not request.stream: that one is held to the size of a form. Here the admission and the counting set the limits.
    stream: Body = request.environ["wsgi.input"]

    def read(size: int) -> bytes:
        try:
            return bytes(stream.read1(size))
        except (OSError, ParseException, ClientDisconnected) as error:
            raise (UploadIncompleteError(reason="kept") if kept else UploadIncompleteError()) from error

    return read
