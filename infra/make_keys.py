"""Makes the random keys that the containers share, once, into the folder given: `python -m infra.make_keys /keys`.

Each file is named like the setting it holds, so that SECRETS_DIR can point at the folder.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

ACCESS_KEY = "object_store_access_key"
SECRET_KEY = "object_store_secret_key"  # noqa: S105 (the file's name)


def make_keys(folder: Path) -> None:
    """Write the keys that are not there yet; those that are stay, for MinIO's data are bound to them."""
    _write_once(folder / ACCESS_KEY, f"rungs-{secrets.token_hex(8)}")
    _write_once(folder / SECRET_KEY, secrets.token_urlsafe(32))


def _write_once(path: Path, value: str) -> None:
    if path.exists():
        return
    unfinished = path.with_suffix(".new")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


if __name__ == "__main__":
    make_keys(Path(sys.argv[1]))
