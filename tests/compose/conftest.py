"""One Compose project for all tests of containers."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from tests.support.compose import READY_SECONDS, Stack
from tests.support.missing import require
from tests.support.servers import free_port
from tests.support.waiting import wait_until

UP_SECONDS = 1200  # the images are built in it
DOWN_SECONDS = 180


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Build and start everything with two encoders; take it down with its volumes afterwards."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        require("docker", "no Docker engine answers; infra/engine.sh says what to do")
    stack = Stack(f"rungs-test-{uuid.uuid4().hex[:8]}", free_port())
    try:
        stack.compose("up", "--build", "--detach", "--scale", "encoder=2", seconds=UP_SECONDS)
        wait_until(stack.all_healthy, seconds=READY_SECONDS, what="every container healthy")
        yield stack
    finally:
        print(stack.compose("logs", "--no-color", "--tail", "40"))
        stack.compose("down", "--volumes", "--timeout", "60", seconds=DOWN_SECONDS)
