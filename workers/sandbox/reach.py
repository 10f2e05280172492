"""What a tool may reach, as a value: which files it reads, where it writes, and the one port it talks to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reach:
    """All that is open to a tool besides its own program and the system's libraries; the default is nothing.

    `read` are files, or folders with all that is in them. `write` is the one folder in which regular files may be made,
    written and read; it is the tool's working directory as well. `port` is a TCP port.
    """

    read: tuple[Path, ...] = ()
    write: Path | None = None
    port: int | None = None


NOTHING = Reach()


def reach_of(source: str, write: Path | None = None) -> Reach:
    """Return the reach of a tool that opens `source`: a path, or an address of workers.sandbox.relay."""
    if "://" in source:
        return Reach(write=write, port=urlsplit(source).port)
    return Reach(read=(Path(source),), write=write)
