"""The real workers (`python -m workers ROLE`) as subprocesses on a real Redis and either object store."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from storage.settings import Settings
from tests.support.processes import arguments_of, descendants, is_running, kill_whole
from tests.support.servers import _Server, servers_environment
from tests.support.small_disk import SmallDisk
from tests.support.waiting import wait_until
from workers.process.alive import alive_file

ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 30.0  # above the soft shutdown and its grace


class WorkerServer(_Server):
    """One worker process of a role over the stores and the data folder of these settings; `slots` encoders.

    With a `disk` it runs inside that. `environment` holds further settings by the names of their variables.
    """

    def __init__(
        self,
        folder: Path,
        role: str,
        settings: Settings,
        *,
        slots: int = 1,
        disk: SmallDisk | None = None,
        **environment: str,
    ) -> None:
        super().__init__(folder)
        self.role = role
        self._alive = alive_file(settings.scratch_dir, role)
        if disk is not None:
            self.before, self._alive = disk.inside, disk.seen(self._alive)
        self._began = 0.0
        self._settings = {
            **servers_environment(settings),
            "DATA_DIR": str(settings.data_dir),
            "ENCODERS": str(slots),
            "PYTHONPATH": str(ROOT),
            **environment,
        }

    def command(self) -> list[str]:
        """See _Server.command."""
        self._began = time.time()
        return [sys.executable, "-m", "workers", self.role]

    def environment(self) -> dict[str, str]:
        """See _Server.environment."""
        return self._settings

    def answers(self) -> bool:
        """See _Server.answers: it has shown that it is connected since it began."""
        return self._alive.exists() and self._alive.stat().st_mtime > self._began

    def stop(self) -> None:
        """End it in good order (SIGTERM), with the time its drain may take."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def stop_if_running(self) -> None:
        """End it with all that belongs to it, if it has not ended by itself."""
        if self.runs:
            self.kill_whole()

    def kill_whole(self) -> None:
        """End it and its pool at once."""
        kill_whole(self.pid)
        self.kill()

    def encoding_tools(self) -> list[int]:
        """Return the ids of the ffmpeg processes that encode segments."""
        return [pid for pid in self._tools() if "libx264" in arguments_of(pid)]

    def _tools(self) -> Iterator[int]:
        return (pid for pid in descendants(self.pid) if arguments_of(pid)[:1] == ["ffmpeg"])

    def frozen_tool(self) -> int:
        """Wait for an ffmpeg that encodes a segment, stop it where it is (SIGSTOP) and return its id."""
        found: list[int] = []

        def caught() -> bool:
            found[:] = self.encoding_tools()
            for pid in found:
                os.kill(pid, signal.SIGSTOP)
            return bool(found)

        wait_until(caught, seconds=20, what="an encoding ffmpeg")
        return found[0]


def assert_ended(pid: int, *, seconds: float) -> None:
    """Fail unless the process ends within so many seconds."""
    wait_until(lambda: not is_running(pid), seconds=seconds, what=f"the end of process {pid}")
