"""Whose request it is: the client's address, believed of trusted proxies only, and what counts as one client."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from flask import request
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NETWORK_BITS = 64  # of an IPv6 address: what a provider gives to one customer, who has 2^64 addresses of it
# How long a name's addresses are believed: a container that was started again has a new one.
NAMES_SECONDS = 5.0

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_key(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or an IPv6 network of NETWORK_BITS; other text as it is."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, NETWORK_BITS), strict=False))


def client() -> str:
    """Return the key of the client of the present request."""
    return client_key(request.remote_addr or "")


def addresses_of(name: str) -> frozenset[str]:
    """Return the addresses that the name stands for now; none if it is not known."""
    try:
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except OSError:
        return frozenset()


class TrustedProxies:
    """The proxies that are believed: addresses, networks, and names, which are looked up again after NAMES_SECONDS."""

    def __init__(
        self,
        entries: Iterable[str],
        look_up: Callable[[str], Collection[str]] = addresses_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._networks: list[_Network] = []
        self._names: list[str] = []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.append(entry)
        self._look_up = look_up
        self._clock = clock
        self._found: frozenset[str] = frozenset()
        self._looked_at = -NAMES_SECONDS
        self._lock = threading.Lock()

    def may_be(self, address: str) -> bool:
        """Tell whether this may be one of them, without looking up names, which may take a while."""
        return bool(self._names) or address in self

    def __contains__(self, address: object) -> bool:
        """Tell whether the peer with this address is one of them."""
        try:
            ip = ipaddress.ip_address(str(address))
        except ValueError:
            return False
        return any(ip in network for network in self._networks) or str(ip) in self._named()

    def _named(self) -> frozenset[str]:
        if not self._names:
            return frozenset()
        with self._lock:
            if self._clock() - self._looked_at >= NAMES_SECONDS:
                self._found = frozenset(address for name in self._names for address in self._look_up(name))
                self._looked_at = self._clock()
            return self._found


def behind(proxies: TrustedProxies, app: WSGIApplication) -> WSGIApplication:
    """Wrap the app so that a request has its client's address, and the scheme it used, if a trusted proxy passed it on.

    One step is believed, the last: what came before it in the header, the client may have written itself.
    """
    fixed = ProxyFix(app, x_for=1, x_proto=1)

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        told = "HTTP_X_FORWARDED_FOR" in environ and environ.get("REMOTE_ADDR", "") in proxies
        return (fixed if told else app)(environ, start_response)

    return wrapped
