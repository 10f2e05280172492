"""The sign of life of a worker: a file that it touches as long as it is connected and works."""

from __future__ import annotations

import time
from pathlib import Path

ALIVE_SECONDS = 15.0  # seven of the keeper's beats: a busy machine is late, a dead worker silent


def alive_file(root: Path, role: str) -> Path:
    """Return the file whose time says when the role's worker last showed that it is connected and alive."""
    return root / f"{role}.alive"


def is_alive(file: Path) -> bool:
    """Tell whether the worker has shown a sign of life lately."""
    return file.exists() and time.time() - file.stat().st_mtime < ALIVE_SECONDS
