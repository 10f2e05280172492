"""One server: requests to it, and its refusals as errors. Redirects are not followed, so no token goes elsewhere."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar

import certifi
import urllib3
from pydantic import BaseModel, SecretStr, ValidationError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.response import BaseHTTPResponse

from web.client import texts
from web.client.failures import UnreachableError, UsageError, refusal
from web.client.statuses import Status

CONNECT_SECONDS = 10.0
# The answer to an upload's last byte comes when the store has made one object of it, which takes S3 a while.
READ_SECONDS = 120.0
LONGEST_ANSWER = 16 * 1024 * 1024  # bytes; a page of 100 jobs has a tenth of one

_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object, `{}` where it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class RemoteServer:
    """The server at a URL. Every method raises UnreachableError; `repr` and logs do not show the token."""

    def __init__(self, url: str, token: SecretStr | None = None) -> None:
        self.url = _checked_url(url)
        self._headers = {"Accept": "application/json", **_authorization(token)}
        self._tls = ssl.create_default_context()
        # What the machine trusts, and the authorities of the web: a bare machine has none.
        self._tls.load_verify_locations(certifi.where())
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, ssl_context=self._tls)

    def __repr__(self) -> str:
        return f"RemoteServer({self.url!r})"

    def json(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON of the answer. Raises RefusedError."""
        return self.accepted(self.ask(method, path, fields=fields))

    def accepted(self, answer: Reply) -> dict[str, Any]:
        """Return the JSON of an answer. Raises RefusedError."""
        if answer.status >= Status.BAD_REQUEST:
            raise refusal(answer.status, answer.document, answer.headers.get("retry-after"))
        if answer.status >= Status.MULTIPLE_CHOICES or not answer.document:
            raise self.no_rungs()
        return answer.document

    def seen(self, model: type[_Model], document: dict[str, Any]) -> _Model:
        """Return the document as the model reads it."""
        try:
            return model.model_validate(document)
        except ValidationError as error:
            raise self.no_rungs() from error

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request without a body and return whatever is answered."""
        with self.opened(method, path, headers=headers, fields=fields) as response:
            body = response.read(LONGEST_ANSWER)
            return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[BaseHTTPResponse]:
        """Give the answer to a request, its body unread."""
        sent = {**self._headers, **(headers or {})}
        with self._reaching():
            response = self._pool.request(
                method, self.url + path, headers=sent, fields=fields, preload_content=False, redirect=False
            )
            try:
                yield response
            finally:
                response.close()

    def send(self, path: str, blocks: Iterator[bytes], headers: Mapping[str, str], *, method: str = "PATCH") -> Reply:
        """Send the blocks; `headers` tell their length.

        A server that refuses them answers and closes the connection while they are still on their way. The answer is
        read then too, which urllib3's pool does not do after a reset: hence its connection by itself.
        """
        connection, prefix = self._connection()
        with self._reaching():
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # perhaps the answer is there already
                    connection.request(method, prefix + path, blocks, {**self._headers, **headers})
                response = connection.getresponse()
                found = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, found, response.data)
            finally:
                connection.close()

    def no_rungs(self) -> UnreachableError:
        """Return the error of an answer that Rungs would not give."""
        return UnreachableError(texts.NOT_RUNGS % self.url, texts.NOT_RUNGS_ADVICE)

    def _connection(self) -> tuple[HTTPConnection, str]:
        url = urllib3.util.parse_url(self.url)
        host = (url.host or "").strip("[]")
        if url.scheme == "https":
            return HTTPSConnection(host, url.port, timeout=READ_SECONDS, ssl_context=self._tls), url.path or ""
        return HTTPConnection(host, url.port, timeout=READ_SECONDS), url.path or ""

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (HTTPError, HTTPException, OSError) as error:
            # urllib3 says before it which connection, and of which class it is.
            reason = _ERRNO.sub("", str(error).rpartition("new connection: ")[2]) or type(error).__name__
            raise UnreachableError(texts.UNREACHABLE % (self.url, reason), texts.UNREACHABLE_ADVICE) from error


def _checked_url(text: str) -> str:
    try:
        url = urllib3.util.parse_url(text)
    except LocationParseError as error:
        raise UsageError(texts.SERVER_URL) from error
    if url.scheme not in {"http", "https"} or not url.host or url.auth or url.query or url.fragment:
        raise UsageError(texts.SERVER_URL)
    return url.url.rstrip("/")


def _authorization(token: SecretStr | None) -> dict[str, str]:
    said = "" if token is None else token.get_secret_value()
    if not said:
        return {}
    if not (said.isascii() and said.isprintable() and " " not in said):
        raise UsageError(texts.TOKEN)
    return {"Authorization": f"Bearer {said}"}
