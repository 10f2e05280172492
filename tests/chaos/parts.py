"""One supervised process of the installation: started again after it died, as supervisord and Compose do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

from infra.local.supervisor_conf import DIES_WITH_SUPERVISORD
from tests.chaos.journal import Journal
from tests.chaos.work import OwnEnd
from tests.support.processes import descendants, is_running
from tests.support.servers import _Server
from tests.support.waiting import wait_until

# The parent that counts is the thread that started it, so parts are launched from the main thread only.
_DIES_WITH_US = tuple(DIES_WITH_SUPERVISORD.split())
OWN_END_SECONDS = 1.0  # until a part that ended without our doing is started again


class Part:
    """A server under supervision; `tick` looks after it and is called many times a second from the main thread."""

    def __init__(self, name: str, server: _Server, journal: Journal) -> None:
        self.name = name
        self.server = server
        self._journal = journal
        self._process: subprocess.Popen[bytes] | None = None
        self._due: float | None = None
        self._expected: float | None = None
        self._frozen: tuple[int, ...] = ()
        self.own_ends: list[OwnEnd] = []

    @property
    def pid(self) -> int | None:
        """Its process id, None while it is down."""
        return self._process.pid if self._process is not None else None

    @property
    def frozen(self) -> bool:
        """Tell whether it is stopped by SIGSTOP."""
        return bool(self._frozen)

    def children(self) -> tuple[int, ...]:
        """Return the ids of all processes below it."""
        return tuple(descendants(self.pid)) if self.pid is not None else ()

    def launch(self) -> None:
        """Start it."""
        self._process = self.server.launch(*_DIES_WITH_US)
        self._due = self._expected = None
        self._frozen = ()

    def tick(self) -> None:
        """Notice its end, and start it again when that is due."""
        if self._process is not None and (code := self._process.poll()) is not None:
            self._process = None
            if self._expected is None:
                self.own_ends.append(OwnEnd(self.name, self._journal.at))
                self._journal.show("ended by itself", part=self.name, code=code)
            self._due = self._journal.at + (OWN_END_SECONDS if self._expected is None else self._expected)
        elif self._process is None and self._due is not None and self._journal.at >= self._due:
            self.launch()
            self._journal.note("started again", part=self.name, pid=self.pid)

    def signal_all(self, number: signal.Signals, pids: tuple[int, ...]) -> None:
        """Send a signal to processes of it; one that has just ended is none."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, *, down: float, children: bool) -> None:
        """Kill it, with or without what is below it; it stays down for so many seconds."""
        assert self._process is not None
        self._expected = down
        self.signal_all(signal.SIGKILL, (self._process.pid, *(self.children() if children else ())))

    def terminate(self) -> None:
        """Tell it to stop in good order; it is started again at once when it has."""
        assert self._process is not None
        self._expected = 0.0
        self._process.terminate()

    def freeze(self) -> None:
        """Stop it and all below it where they are."""
        assert self._process is not None
        self._frozen = (self._process.pid, *self.children())
        self.signal_all(signal.SIGSTOP, self._frozen)

    def thaw(self) -> None:
        """Let go on what was frozen and still is there."""
        self.signal_all(signal.SIGCONT, tuple(pid for pid in self._frozen if is_running(pid)))
        self._frozen = ()

    def end(self, seconds: float) -> bool:
        """Stop it for good; False when it had to be killed because it did not end within so many seconds."""
        process, self._process, self._due = self._process, None, None
        if process is None:
            return True
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def wait_until_it_answers(self, seconds: float) -> None:
        """Return once it serves."""
        wait_until(self.server.answers, seconds=seconds, what=self.name)
