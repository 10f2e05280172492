"""The real web service (`python -m web`) as a subprocess on a free port, with local objects."""

from __future__ import annotations

import http.client
import os
import sys
from pathlib import Path

from tests.support.servers import _Server

ROOT = Path(__file__).parents[2]


class WebServer(_Server):
    """`python -m web` over the Redis of this URL; its data lie in `folder`."""

    def __init__(self, folder: Path, redis_url: str, **settings: str) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self._settings = {
            "PORT": str(self.port),
            "REDIS_URL": redis_url,
            "DATA_DIR": str(self.data),
            "PYTHONPATH": str(ROOT),
            "FREE_SPACE_RESERVE": "0",
            **settings,
        }

    def command(self) -> list[str]:
        """See _Server.command."""
        return [sys.executable, "-m", "web"]

    def environment(self) -> dict[str, str]:
        """See _Server.environment."""
        return self._settings

    def answers(self) -> bool:
        """See _Server.answers: both stores answer it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def log(self) -> str:
        """Everything the service has logged so far."""
        return (self.folder / "log").read_text()

    def objects(self) -> list[Path]:
        """Every file in the object store, unfinished writes too."""
        return sorted(path for path in (self.data / "objects").rglob("*") if path.is_file())

    def worker_pid(self) -> int:
        """Process id of gunicorn's one worker."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])

    def resident_bytes(self) -> int:
        """Memory the worker holds now."""
        pages = int(Path(f"/proc/{self.worker_pid()}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
