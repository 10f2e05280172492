"""Hosts and origins: who may talk to the service through a browser."""

from __future__ import annotations

import pytest

from web.http.security import authority_of, host_allowed, is_cross_site

TRUSTED = ("localhost", "127.0.0.1", "[::1]", "Video.Example", "::1")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:8000", "video.example"])
def test_trusted_hosts_pass_with_any_port(host: str) -> None:
    """Names are compared without case and port, IPv6 addresses too."""
    assert host_allowed(host, TRUSTED)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evil@localhost.evil",
        "[::2]",
        "[::1",
        "localhost.",
        "evil.example:80@localhost.evil",
        "evil.example@localhost",
        "localhost:80:80",
        "localhost:\u0663",
        "localhost/x",
        "localhost\n",
    ],
)
def test_other_hosts_are_refused(host: str) -> None:
    """A rebound name, look-alikes and malformed values are refused."""
    assert not host_allowed(host, TRUSTED)


@pytest.mark.parametrize(
    ("fetch_site", "origin", "refused"),
    [
        (None, None, False),
        ("same-origin", "http://other", False),
        ("none", None, False),
        ("same-site", None, True),
        ("cross-site", None, True),
        (None, "http://a.example:8000", False),
        (None, "https://A.example:8000", False),
        (None, "http://b.example:8000", True),
        (None, "http://a.example", True),
        (None, "null", True),
        (None, "http://[::1", True),
        (None, "http://a.example:8000/", True),
        (None, "a.example:8000", True),
        (None, "http://evil@a.example:8000", True),
    ],
)
def test_unsafe_requests_of_other_sites_are_refused(fetch_site: str | None, origin: str | None, refused: bool) -> None:  # noqa: FBT001 - a table
    """Sec-Fetch-Site decides, Origin where it is missing, and tools that send neither pass."""
    assert is_cross_site("POST", fetch_site=fetch_site, origin=origin, host="a.example:8000") is refused
    assert not is_cross_site("GET", fetch_site=fetch_site, origin=origin, host="a.example:8000")


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("/a?b=http://x/", None),
        ("*", None),
        ("http://evil.example/a", "evil.example"),
        ("http://[::1/a", "[::1"),
        ("evil.example:443", "evil.example:443"),
        ("http:///a", "http:///a"),
    ],
)
def test_a_target_may_name_a_host(target: str, named: str | None) -> None:
    """The form for proxies and that of CONNECT name one, a path none; what is neither is no host of ours."""
    assert authority_of(target) == named
