"""Where a webhook may go and what its answer means."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from workers.webhooks import sender
from workers.webhooks.sender import (
    Receiver,
    Verdict,
    WebhookSender,
    is_own,
    is_port_for_webhooks,
    is_public,
    may_reach,
    receiver_of,
    verdict_of,
)


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
        "192.88.99.1",  # relays of 6to4, given back
        "3fff::1",  # documentation
        "3fff:fff:ffff::1",
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


@pytest.mark.parametrize(
    ("port", "allowed"), [(80, True), (443, True), (1024, True), (8443, True), (22, False), (25, False)]
)
def test_public_receivers_listen_where_the_web_does(port: int, allowed: bool) -> None:  # noqa: FBT001 - a table
    """Or where anybody may; services of the system take no webhooks."""
    assert is_port_for_webhooks(port) is allowed


def test_a_machine_knows_its_own_addresses() -> None:
    """What it can listen on is its own."""
    assert is_own("127.0.0.1")
    assert not is_own("93.184.215.14")
    assert not is_own("2606:4700:4700::1111")


def test_a_name_that_nobody_answers_for_is_a_failed_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver may wait far longer than the sender does."""
    answered = threading.Event()
    monkeypatch.setattr(sender, "LOOK_UP_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: [][: answered.wait(60)])
    began = time.monotonic()
    answer = WebhookSender(allow_private=True).post("http://slow.example/", {}, b"{}")
    answered.set()
    assert (answer.verdict, answer.detail) == (Verdict.FAILED, "TimeoutError: ")
    assert time.monotonic() - began < 10


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
