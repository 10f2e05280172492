"""The sign of life of a worker."""

from __future__ import annotations

import os
import time
from pathlib import Path

from workers.process.alive import ALIVE_SECONDS, alive_file, is_alive


def test_a_worker_that_shows_no_sign_is_not_alive(tmp_path: Path) -> None:
    """No file, a fresh one, an old one."""
    sign = alive_file(tmp_path, "control")
    assert not is_alive(sign)
    sign.touch()
    assert is_alive(sign)
    long_ago = time.time() - ALIVE_SECONDS - 1
    os.utime(sign, (long_ago, long_ago))
    assert not is_alive(sign)
