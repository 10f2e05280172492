"""Whose address counts, and whom it is believed of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from web.http.addresses import NAMES_SECONDS, TrustedProxies, behind, client_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_what_counts_as_one_client(address: str, key: str) -> None:
    """A customer of a provider has 2^64 addresses of IPv6, and is one client."""
    assert client_key(address) == key


def asked_by(proxies: TrustedProxies, peer: str, **headers: str) -> tuple[str, str]:
    """Return the address and the scheme that the app sees."""

    def app(environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        return [environ["REMOTE_ADDR"].encode(), environ["wsgi.url_scheme"].encode()]

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "localhost", **headers}
    address, scheme = behind(proxies, app)(environ, lambda *_: lambda _: None)
    return address.decode(), scheme.decode()


FORWARDED = {"HTTP_X_FORWARDED_FOR": "203.0.113.1, 198.51.100.9", "HTTP_X_FORWARDED_PROTO": "https"}


@pytest.mark.parametrize("entry", ["10.0.0.2", "10.0.0.0/8", "nginx"])
def test_a_trusted_proxy_is_believed_one_step(entry: str) -> None:
    """What the client itself wrote into the header, before the proxy's own word, is not looked at."""
    proxies = TrustedProxies([entry], lambda name: {"nginx": ["10.0.0.2"]}[name])
    assert asked_by(proxies, "10.0.0.2", **FORWARDED) == ("198.51.100.9", "https")
    assert asked_by(proxies, "10.0.0.2") == ("10.0.0.2", "http")


def test_nobody_else_is_believed() -> None:
    """Neither a stranger nor, without a setting, anybody."""
    proxies = TrustedProxies(["10.0.0.2", "nginx"], lambda _: ["10.0.0.3"])
    assert asked_by(proxies, "192.0.2.7", **FORWARDED) == ("192.0.2.7", "http")
    assert asked_by(TrustedProxies([]), "127.0.0.1", **FORWARDED) == ("127.0.0.1", "http")


def test_a_name_is_looked_up_again() -> None:
    """A container that was started again is known by its new address, and the old one is forgotten."""
    now, found = 0.0, ["10.0.0.2"]
    proxies = TrustedProxies(["nginx"], lambda _: list(found), clock=lambda: now)
    assert "10.0.0.2" in proxies
    found[:] = ["10.0.0.9"]
    assert "10.0.0.9" not in proxies
    now = NAMES_SECONDS
    assert "10.0.0.9" in proxies
    assert "10.0.0.2" not in proxies
