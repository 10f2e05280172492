"""A whole installation under attack: its servers, web, control worker, encoders, janitor, and a proxy at each door."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from storage.services import Services
from storage.services.connect import connect
from tests.chaos.faults import Broker
from tests.chaos.journal import Journal
from tests.chaos.parts import Part
from tests.chaos.servers import Servers
from tests.support.lossy_proxy import LossyProxy
from tests.support.processes import descendants
from tests.support.servers import servers_environment
from tests.support.web_server import WebServer
from tests.support.worker_server import WorkerServer

ENCODERS = 3  # of one slot each, as three containers
START_SECONDS = 60.0
STOP_SECONDS = 45.0  # what Compose gives a worker
UNDER_WAY_SECONDS = 0.2  # in which the servers do what was asked of them before everybody else stood still
PATIENCE = 5.0  # of our own looks at the stores
# An innocent task may be hit three times within minutes here, which no real installation lives through.
ATTEMPTS = 20
_PR_SET_CHILD_SUBREAPER = 36


class Installation:
    """Started by `start`; `tick` keeps it running. The parts reach each other only through the proxies."""

    def __init__(self, folder: Path, journal: Journal, broker: Broker, **limits: str) -> None:
        """Have all parts ready to start; `limits` are settings of the web service alone."""
        self.folder = folder
        self.servers = Servers(folder, journal, broker)
        environment = servers_environment(self.servers.settings)
        self.web_server = WebServer(folder / "web", environment["REDIS_URL"], **environment, **limits)
        self.web_door = LossyProxy(self.web_server.port)
        self.web = Part("web", self.web_server, journal)
        names = ("control", "janitor", *_names("encode", ENCODERS))
        parts = {name: Part(name, self._worker(name), journal) for name in names}
        self.control, self.janitor = parts["control"], parts["janitor"]
        self.encoders = tuple(part for name, part in parts.items() if name.startswith("encode"))
        self.users = (self.web, *self.encoders, self.control, self.janitor)  # in the order in which they are stopped
        self.parts = (*self.servers.parts, *self.users)
        self._doors = ExitStack()

    def _worker(self, name: str) -> WorkerServer:
        # Each has a data folder of its own, as in a container, and so scratch space of its own.
        folder = self.folder / name
        settings = self.servers.settings.model_copy(update={"data_dir": folder / "data"})
        return WorkerServer(folder, name.rstrip("0123456789"), settings, ATTEMPTS=str(ATTEMPTS))

    def services(self) -> Services:
        """Return the real parts, straight at the servers."""
        return connect(self.servers.direct, patience=PATIENCE)

    @property
    def redis_direct(self) -> str:
        """Redis' own URL, beside the proxy."""
        return self.servers.direct.redis_url.get_secret_value()

    def scratch(self) -> list[str]:
        """Return the folders and files of attempts that there are, as part/name."""
        workers = (self.control, self.janitor, *self.encoders)
        folders = (self.folder / part.name / "data" / "scratch" for part in workers)
        return [
            str(path.relative_to(self.folder))
            for folder in folders
            if folder.exists()
            for path in folder.iterdir()
            if path.suffix != ".alive"
        ]

    def start(self) -> None:
        """Start everything and return when it serves; what our processes leave behind becomes our child."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for door in (*self.servers.doors, self.web_door):
            self._doors.enter_context(door)
        for group in (*self.servers.groups, self.users):
            for part in group:
                part.launch()
            for part in group:
                part.wait_until_it_answers(START_SECONDS)
        self.servers.wait_until_kills_are_fair()

    def tick(self) -> None:
        """Look after every part, and bury what they left."""
        for part in self.parts:
            part.tick()
        self._bury()

    def _bury(self) -> None:
        ours = {part.pid for part in self.parts}
        for pid in _zombies(set(descendants(os.getpid())) - ours):
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Hold all but the servers still, so that what the stores say is of one moment; not for longer than a lease."""
        held = [part for part in self.users if part.pid]
        for part in held:
            part.freeze()
        try:
            time.sleep(UNDER_WAY_SECONDS)
            yield
        finally:
            for part in held:
                part.thaw()

    @property
    def runs(self) -> bool:
        """Tell whether every part is there and the web service answers."""
        return all(part.pid and not part.frozen for part in self.parts) and self.web_server.answers()

    def strangers(self) -> tuple[int, ...]:
        """Return processes below us that belong to no part: left behind by one that died."""
        self._bury()
        known = {pid for part in self.parts for pid in (part.pid, *part.children())}
        return tuple(pid for pid in descendants(os.getpid()) if pid not in known)

    def stop_users(self) -> tuple[str, ...]:
        """Stop all but the servers in good order, so that nobody holds a message; return who had to be killed."""
        slow = tuple(part.name for part in self.users if not part.end(STOP_SECONDS))
        self._bury()
        return slow

    def stop_servers(self) -> tuple[str, ...]:
        """Stop the servers too; return the names of those that had to be killed."""
        slow = tuple(part.name for part in reversed(self.servers.parts) if not part.end(STOP_SECONDS))
        self._doors.close()
        return slow

    def kill_everything(self) -> None:
        """End whatever still runs below us, at once."""
        for part in self.parts:
            part.thaw()
            if part.pid is not None:
                part.kill(down=float("inf"), children=True)
        for pid in self.strangers():
            with suppress(ProcessLookupError):
                os.kill(pid, 9)


def _names(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


def _zombies(pids: set[int]) -> list[int]:
    """Return those that are our own children and have ended."""
    found = []
    for pid in pids:
        with suppress(OSError):
            state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and int(parent) == os.getpid():
                found.append(pid)
    return found
