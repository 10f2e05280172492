"""Where a webhook may go and what its answer means."""

from __future__ import annotations

import pytest

from workers.webhooks.sender import Receiver, Verdict, is_public, may_reach, receiver_of, verdict_of


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
        "10.1.2.3",
        "172.16.0.1",
        "192.168.178.1",
        "169.254.169.254",  # metadata of most clouds
        "100.64.0.1",  # carrier-grade NAT
        "100.100.100.200",  # Alibaba's metadata
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle's metadata
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",  # IPv4-mapped
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",  # 6to4
        "2002:c0a8:101::1",
        "2001:0:a9fe:a9fe::",  # Teredo
        "2001:db8::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",  # AWS' metadata
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_special_addresses_are_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, reserved, multicast and metadata addresses, in every disguise."""
    assert not is_public(address)
    assert not may_reach(["93.184.215.14", address], allow_private=False)
    assert may_reach([address], allow_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "1.1.1.1",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2002:101:101::1",
    ],
)
def test_ordinary_addresses_are_public(address: str) -> None:
    """Addresses of the Internet may be called, those that carry such an IPv4 address too."""
    assert is_public(address)
    assert may_reach([address], allow_private=False)


def receiver(scheme: str, host: str, port: int, authority: str, target: str) -> Receiver:
    """Return a receiver."""
    return Receiver(scheme == "https", host, port, authority, target)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org", receiver("http", "example.org", 80, "example.org", "/")),
        ("https://Example.org/a/b?c=d&e#f", receiver("https", "example.org", 443, "Example.org", "/a/b?c=d&e")),
        ("https://example.org:8443?x", receiver("https", "example.org", 8443, "example.org:8443", "/?x")),
        ("http://[2606:4700::1]:81/x", receiver("http", "2606:4700::1", 81, "[2606:4700::1]:81", "/x")),
    ],
)
def test_urls_are_taken_apart(url: str, expected: Receiver) -> None:
    """Host and port to connect to, the authority as written for `Host`, path and query to ask for."""
    assert receiver_of(url) == expected


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (202, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (299, Verdict.DELIVERED),
        (301, Verdict.FAILED),
        (307, Verdict.FAILED),
        (404, Verdict.FAILED),
        (410, Verdict.GONE),
        (429, Verdict.FAILED),
        (500, Verdict.FAILED),
        (101, Verdict.FAILED),
    ],
)
def test_statuses(status: int, verdict: Verdict) -> None:
    """2xx is delivered, 410 ends it, everything else is tried again."""
    assert verdict_of(status) is verdict
