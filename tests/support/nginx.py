"""The real nginx with the project's configuration, in front of a web service of this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support.missing import require
from tests.support.servers import _Server, free_port, is_listening

CONF = Path(__file__).parents[2] / "infra" / "nginx" / "nginx.conf"
# Debian's nginx lies where only root's PATH leads.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


def find_nginx() -> str | None:
    """Return the nginx binary, None where there is none."""
    return shutil.which("nginx", path=_PATH)


class NginxServer(_Server):
    """nginx as Compose runs it, but for the names of its neighbours; `web_port` is the web service's."""

    def __init__(self, folder: Path, web_port: int) -> None:
        super().__init__(folder)
        self._web_port = web_port

    def command(self) -> list[str]:
        """See _Server.command."""
        binary = find_nginx()
        if binary is None:
            require("nginx", "Debian's nginx-light brings it; slow clients behind nginx were NOT TESTED")
        conf = self.folder / "nginx.conf"
        conf.write_text(self._conf())
        return [binary, "-e", "stderr", "-p", str(self.folder), "-c", str(conf), "-g", "daemon off;"]

    def answers(self) -> bool:
        """See _Server.answers."""
        return is_listening(self.port)

    def _conf(self) -> str:
        """Return the project's configuration with this machine's ports and folders."""
        text = CONF.read_text()
        for there, here in (
            ("http://web:8000", f"http://127.0.0.1:{self._web_port}"),
            ("listen 8080;", f"listen 127.0.0.1:{self.port};"),
            ("127.0.0.1:8081", f"127.0.0.1:{free_port()}"),
            ("/tmp/", f"{self.folder}/"),  # noqa: S108 - the container's
            ("/dev/stdout", f"{self.folder}/access.log"),
        ):
            assert there in text
            text = text.replace(there, here)
        return text
