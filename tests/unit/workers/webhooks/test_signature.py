"""Notices are signed as others check them."""

from __future__ import annotations

from workers.webhooks.signature import signed_headers

# The example of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOTICE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'


def test_a_notice_is_signed_as_the_specification_has_it() -> None:
    """Id, time and body, by HMAC-SHA-256 with the decoded secret."""
    assert signed_headers(SECRET, NOTICE, 1614265330, BODY) == {
        "webhook-id": NOTICE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_part_is_signed() -> None:
    """Another id, time or body has another signature."""
    signatures = {
        signed_headers(SECRET, notice, timestamp, body)["webhook-signature"]
        for notice in (NOTICE, "other")
        for timestamp in (1, 2)
        for body in (BODY, b"{}")
    }
    assert len(signatures) == 8


def test_without_a_secret_nothing_is_signed() -> None:
    """An installation that has none sends no headers that say so."""
    assert signed_headers("", NOTICE, 1, BODY) == {}
