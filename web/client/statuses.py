"""The statuses that the client decides by; one of them is of tus, so that Python's own list does not do. Pure."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """A status of HTTP, or of tus."""

    OK = 200
    CREATED = 201
    NO_CONTENT = 204
    PARTIAL_CONTENT = 206
    MULTIPLE_CHOICES = 300
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    REQUEST_TIMEOUT = 408
    CONFLICT = 409
    GONE = 410
    LOCKED = 423
    TOO_MANY_REQUESTS = 429
    CHECKSUM_MISMATCH = 460
    INTERNAL_SERVER_ERROR = 500
    BAD_GATEWAY = 502
    SERVICE_UNAVAILABLE = 503
    GATEWAY_TIMEOUT = 504
