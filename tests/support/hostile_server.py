"""A server that is none of ours: it gives the same answer to everything, and notes which tokens it was sent."""

from __future__ import annotations

import http.server
import ssl
import threading
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.02  # within which it ends


class HostileServer:
    """Answers every request with this status, body and headers on a port of loopback, over TLS with a certificate."""

    def __init__(
        self, status: int, body: bytes, *, certificate: tuple[Path, Path] | None = None, **headers: str
    ) -> None:
        told = self.authorizations = list[str | None]()

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                told.append(self.headers.get("Authorization"))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_HEAD = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "http" if certificate is None else "https"
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
