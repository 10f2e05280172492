"""Where the real videos lie."""

from __future__ import annotations

import os
from pathlib import Path


def media_root() -> Path:
    """Return the folder of real videos beside the repository (or RUNGS_MEDIA); it need not exist."""
    return Path(os.environ.get("RUNGS_MEDIA") or Path(__file__).parents[3] / "shared" / "media").resolve()


def field_root() -> Path:
    """Return the folder of files that came out wrong in the field (or RUNGS_FIELD); it need not exist."""
    return Path(os.environ.get("RUNGS_FIELD") or media_root().parent / "field").resolve()
