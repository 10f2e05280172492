"""Signing notices by the Standard Webhooks specification: receivers know whom they are from, and of when. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac

from storage.settings import WEBHOOK_SECRET_PREFIX


def signed_headers(secret: str, notice: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a try at the notice, made at this Unix second; none where there is no secret.

    The id is the notice's, the same for each try. The time is signed with it, so that nobody can send an old one again.
    """
    if not secret:
        return {}
    key = base64.b64decode(secret.removeprefix(WEBHOOK_SECRET_PREFIX))
    digest = hmac.new(key, f"{notice}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": notice,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
