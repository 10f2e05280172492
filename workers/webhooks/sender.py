"""One POST to a webhook: whether it may go there, to exactly the address that was checked, within a time that holds.

A webhook's URL comes from whoever uploads, so it may point anywhere: at what only this machine can reach, at a name
that changes what it points to, at a server that answers one byte a minute.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

import certifi
import structlog
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from workers.webhooks.signature import signed_headers

LOOK_UP_SECONDS = 5.0  # for the addresses of a name: a resolver may wait for a dead server for half a minute
CONNECT_SECONDS = 3.0  # one lost packet costs a second; what takes longer is down
WHOLE_SECONDS = 10.0  # a receiver is to note the notice and answer, not to work on it
ANSWER_BYTES = 65536  # the status says all; the rest is taken only so that the receiver is not cut off
ADDRESSES_TRIED = 3  # more would not fit into the whole time

_PORTS = {"http": 80, "https": 443}
_UNICAST = ipaddress.ip_network("2000::/3")  # all IPv6 addresses ever given out; the rest is for special uses
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # its gateway goes on to the IPv4 address inside
# What `is_global` takes for public: Azure's services for its own machines; protocol assignments, Oracle's among them.
# The last two were given back and set aside after this Python was made: relays of 6to4, and documentation (RFC 9637).
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
# Below are services of systems (SSH, SMTP, file shares), which take no webhooks and do things when they are written to.
FIRST_USER_PORT = 1024
_FAILURES = (OSError, UnicodeError, http.client.HTTPException, HTTPError)

_log = structlog.get_logger()


class Verdict(StrEnum):
    """What came of one try."""

    DELIVERED = "delivered"
    GONE = "gone"  # the receiver wants no more
    REFUSED = "refused"  # it points where it must not
    FAILED = "failed"  # another try may succeed


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict and, for the log, what it rests on."""

    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a webhook's URL points; `authority` is its host and port as written, `target` path and query."""

    secure: bool
    host: str
    port: int
    authority: str
    target: str


def receiver_of(url: str) -> Receiver:
    """Return where the URL (http or https, with a host, as taken at the upload) points."""
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    authority = parts.netloc.rpartition("@")[2]
    return Receiver(
        parts.scheme == "https", parts.hostname or "", parts.port or _PORTS[parts.scheme], authority, target
    )


def is_public(address: str) -> bool:
    """Tell whether the address belongs to the public Internet; one that carries an IPv4 address is judged by that."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _carried(ip)
        if inner is not None:
            return is_public(str(inner))
        return ip in _UNICAST and ip.is_global and not any(ip in network for network in _NOT_PUBLIC)
    # `is_global` is true of multicast.
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def is_port_for_webhooks(port: int) -> bool:
    """Tell whether a public receiver may listen there: the ports of the web, and those that anybody may use."""
    return port in _PORTS.values() or port >= FIRST_USER_PORT


def is_own(address: str) -> bool:
    """Tell whether this machine has the address: what it serves to itself alone is no receiver's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def may_reach(addresses: Sequence[str], *, allow_private: bool) -> bool:
    """Tell whether a host with these addresses may be called: one bad address among good ones is an attack."""
    return allow_private or all(is_public(address) for address in addresses)


def verdict_of(status: int) -> Verdict:
    """Return what an HTTP status means; a redirect is no delivery, as it is not followed."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict.DELIVERED
    return Verdict.GONE if status == HTTPStatus.GONE else Verdict.FAILED


class WebhookSender:
    """Sends POSTs to webhooks; it can be used by several threads at once."""

    def __init__(self, *, allow_private: bool, secret: str = "") -> None:
        self._allow_private = allow_private
        self._secret = secret
        self._tls = ssl.create_default_context()  # with SSL_CERT_FILE, for receivers whose authority is one's own
        self._tls.load_verify_locations(certifi.where())
        # It would warn of odd answers with the whole URL, and that may hold a receiver's secret.
        logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send the body once and return what came of it, within LOOK_UP_SECONDS and WHOLE_SECONDS; it is signed here.

        The header Idempotency-Key is the notice's id.
        """
        receiver = receiver_of(url)
        signature = signed_headers(self._secret, headers.get("Idempotency-Key", ""), int(time.time()), body)
        try:
            addresses = _resolved(receiver)
            if refusal := self._refusal(receiver, addresses):
                return Answer(Verdict.REFUSED, f"{refusal}, see ALLOW_PRIVATE_WEBHOOKS: {', '.join(addresses)}")
            status = self._status(receiver, addresses[:ADDRESSES_TRIED], {**headers, **signature}, body)
        except _FAILURES as error:
            return Answer(Verdict.FAILED, f"{type(error).__name__}: {error}")
        return Answer(verdict_of(status), f"status {status}")

    def _refusal(self, receiver: Receiver, addresses: Sequence[str]) -> str | None:
        """Return why the receiver must not be called, None if it may."""
        if self._allow_private:
            return None
        if not may_reach(addresses, allow_private=False):
            return "not all public"
        if any(is_own(address) for address in addresses):
            return "this machine itself"
        return None if is_port_for_webhooks(receiver.port) else f"port {receiver.port} is no receiver's"

    def _status(self, receiver: Receiver, addresses: Sequence[str], headers: dict[str, str], body: bytes) -> int:
        deadline = time.monotonic() + WHOLE_SECONDS
        connection = self._connected(receiver, addresses, deadline)
        try:
            with _cut_off(connection.sock, deadline):
                connection.request(
                    "POST",
                    receiver.target,
                    body=body,
                    headers={"Host": receiver.authority, "Connection": "close", **headers},
                    preload_content=False,
                    decode_content=False,
                )
                response = connection.getresponse()
                _drain(response)
                return response.status
        finally:
            connection.close()

    def _connected(self, receiver: Receiver, addresses: Sequence[str], deadline: float) -> HTTPConnection:
        """Return a connection to the first of the addresses that answers; they are not looked up again."""
        first, *others = addresses
        # Half of what is left, because the handshakes of TCP and of TLS may each take so long.
        seconds = min(CONNECT_SECONDS, _left(deadline) / 2)
        connection = HTTPConnection(first, receiver.port, timeout=seconds)
        if receiver.secure:
            connection = HTTPSConnection(
                first, receiver.port, timeout=seconds, server_hostname=receiver.host, ssl_context=self._tls
            )
        try:
            connection.connect()
            connection.timeout = _left(deadline)  # for the request, which sets the socket's anew
        except _FAILURES:
            connection.close()
            if not others:
                raise
            return self._connected(receiver, others, deadline)
        return connection


def _resolved(receiver: Receiver) -> list[str]:
    """Return the addresses of the host, as the machine's resolver prefers them. Raises OSError, UnicodeError."""
    found: Future[list[str]] = Future()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
            found.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in entries)))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    # The resolver cannot be interrupted; it ends by itself, and nobody waits for it at the process's end.
    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return found.result(LOOK_UP_SECONDS)


def _carried(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The whole time is over.")
    return left


@contextmanager
def _cut_off(sock: socket.socket, deadline: float) -> Iterator[None]:
    """Break the connection at the deadline: a socket's timeout begins anew with every byte that comes."""
    timer = threading.Timer(_left(deadline), _break, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _break(sock: socket.socket) -> None:
    try:
        # TLS' own method would take the session from under the thread that reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:  # closed in the same moment
        return


def _drain(response: BaseHTTPResponse) -> None:
    try:
        response.read(ANSWER_BYTES)
    except _FAILURES as error:
        _log.debug("a webhook's answer broke off after its status", error=str(error))
