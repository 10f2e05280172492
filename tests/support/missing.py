"""Services that tests want and this machine lacks: skipped loudly, and a failure in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

MISSING: dict[str, str] = {}


def require(service: str, reason: str) -> NoReturn:
    """Give up the test because `service` is not there: skip it, or fail it where CI=true; note it for the summary."""
    MISSING[service] = reason
    message = f"{service} is missing: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
