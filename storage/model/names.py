"""Names of worker processes and of attempts, as they stand in records, logs and folders. Pure: text in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

_LONGEST_PID = 10  # digits, above any kernel's; Python refuses to read numbers of thousands


@dataclass(frozen=True, slots=True)
class WorkerName:
    """A worker's process, written `host:pid`; text of any other form names a host alone."""

    host: str
    pid: int | None = None

    def __str__(self) -> str:
        return self.host if self.pid is None else f"{self.host}:{self.pid}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the name that is written so."""
        host, _, pid = text.rpartition(":")
        return cls(host, int(pid)) if host and _is_number(pid) else cls(text)


@dataclass(frozen=True, slots=True)
class AttemptName:
    """An attempt, written `host_pid_random`: where it runs, and what tells it from all others there.

    Text of any other form names a host alone.
    """

    worker: WorkerName
    random: str = ""

    def __str__(self) -> str:
        host, pid = self.worker.host, self.worker.pid
        return host if pid is None else f"{host}_{pid}_{self.random}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the name that is written so; hosts may have underscores of their own."""
        host, pid, random = ("", "", *text.rsplit("_", 2))[-3:]
        return cls(WorkerName(host, int(pid)), random) if host and _is_number(pid) else cls(WorkerName(text))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_PID
