"""Uploads that are not finished, remembered between runs: one small file for each, in the user's state folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.model.job import JOB_ID

KEPT_SECONDS = 7 * 24 * 3600  # a server keeps an unfinished upload for a day unless told otherwise
_LONGEST = 100  # bytes of such a file that are read: an id has 32


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says of a file: its title, whom to tell of the end, and the loudness that its sound is to have."""

    title: str = ""
    webhook_url: str = ""
    loudness: str = ""


NOTHING_SAID = Wishes()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which upload goes on: the same bytes by path, size and time of change, to the same server, described alike."""

    server: str
    path: str
    size: int
    mtime_ns: int
    said: Wishes

    @property
    def name(self) -> str:
        """What its file is called."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return where the uploads are remembered (XDG base directories: a relative path counts as none)."""
    said = Path(environment.get("XDG_STATE_HOME", ""))
    return (said if said.is_absolute() else Path.home() / ".local" / "state") / "rungs" / "uploads"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The uploads of the folder. Without one that can be written everything works, but nothing is remembered."""

    folder: Path

    def find(self, wanted: Wanted) -> str | None:
        """Return the id of the upload, None where there is none, or nothing that can be one."""
        try:
            with (self.folder / wanted.name).open(encoding="ascii") as file:
                said = file.read(_LONGEST)
        except (OSError, ValueError):
            return None
        return said if re.fullmatch(JOB_ID, said) else None

    def keep(self, wanted: Wanted, upload_id: str) -> None:
        """Remember the upload, and forget those that no server has any more. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, written = tempfile.mkstemp(dir=self.folder)
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(upload_id)
        os.replace(written, self.folder / wanted.name)  # noqa: PTH105 - whole, or not at all
        self._forget_old()

    def forget(self, wanted: Wanted) -> None:
        """Forget the upload."""
        with contextlib.suppress(OSError):
            (self.folder / wanted.name).unlink(missing_ok=True)

    def _forget_old(self) -> None:
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):  # another client may do the same
                if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                    path.unlink()
