"""The method that a request means whose client can send GET and POST only: X-HTTP-Method-Override of tus 1.0.0.

Only for uploads by tus: elsewhere a POST is a POST.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from web.http.connection import TUS_PATH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MEANT = frozenset({"PATCH", "DELETE", "HEAD"})


def with_method(app: WSGIApplication) -> WSGIApplication:
    """Wrap the app so that a POST to an upload is the request that its header names."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        meant = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        to_upload = environ.get("PATH_INFO", "").startswith(f"{TUS_PATH}/")
        if environ["REQUEST_METHOD"] == "POST" and to_upload and meant in _MEANT:
            environ["REQUEST_METHOD"] = meant
        return app(environ, start_response)

    return wrapped
