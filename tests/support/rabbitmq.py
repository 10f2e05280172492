"""A real RabbitMQ of the tests' own: own ports, node name, data and name service, all on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any, Self

from amqp import Connection
from amqp.exceptions import AMQPError, NotFound

from storage.broker.contract import QUEUES
from tests.support.certificates import make_certificate
from tests.support.servers import _Server, free_port, is_listening

# Debian's own command beside it insists on root and on the packaged server's folders.
_DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def find_rabbitmq() -> str | None:
    """Return the command that starts a RabbitMQ of one's own: RUNGS_RABBITMQ, Debian's, or the one on PATH."""
    for candidate in (os.environ.get("RUNGS_RABBITMQ"), str(_DEBIAN), shutil.which("rabbitmq-server")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    return None


class NameService(_Server):
    """epmd, without which no Erlang node starts; left to itself a node starts one that outlives it."""

    def command(self) -> list[str]:
        """See _Server.command."""
        return ["epmd", "-port", str(self.port), "-address", "127.0.0.1"]

    def answers(self) -> bool:
        """See _Server.answers."""
        return is_listening(self.port)


class RabbitMQServer(_Server):
    """rabbitmq-server as Debian ships it, with further `arguments` for Erlang."""

    start_seconds = 120.0  # Erlang on a machine that does much else

    def __init__(self, folder: Path, binary: str, *, arguments: str = "") -> None:
        super().__init__(folder)
        self.binary = binary
        self._arguments = arguments
        self.tls_port = free_port()
        self.certificate = folder / "tls" / "certificate.pem"
        self._distribution_port = free_port()
        self.names = NameService(folder / "epmd")

    @property
    def url(self) -> str:
        """URL of its default virtual host, for the user it makes at its first start."""
        return self.url_at(self.port)

    @staticmethod
    def url_at(port: int) -> str:
        """Return the same at another port of loopback, a proxy's say."""
        return f"amqp://guest:guest@127.0.0.1:{port}//"

    def command(self) -> list[str]:
        """See _Server.command."""
        return [self.binary]

    def environment(self) -> dict[str, str]:
        """See _Server.environment."""
        configuration = self.folder / "rabbitmq.conf"
        configuration.write_text("".join(f"{name} = {value}\n" for name, value in self._configuration().items()))
        return {
            "HOME": str(self.folder),  # of the nodes' shared secret
            "ERL_EPMD_PORT": str(self.names.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"rungs-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} {self._arguments}",
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",  # of the packaged server
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "db"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell in between: the signals sent are the server's
        }

    def _configuration(self) -> dict[str, str]:
        if not self.certificate.exists():
            make_certificate(self.certificate.parent, "IP:127.0.0.1")
        return {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.certfile": str(self.certificate),
            "ssl_options.keyfile": str(self.certificate.with_name("key.pem")),
            "log.console": "true",
            "log.file": "false",
        }

    def answers(self) -> bool:
        """See _Server.answers."""
        try:
            self.connect().close()
        except (AMQPError, OSError):
            return False
        return True

    def start(self) -> Self:
        """See _Server.start."""
        if not self.names.runs:
            self.names.start()
        try:
            return super().start()
        except AssertionError:
            self.names.kill()
            raise

    def end(self) -> None:
        """End it for good, and its name service with it."""
        self.stop()
        self.names.kill()

    @property
    def version(self) -> str:
        """Its version, as text that sorts up to 9.99."""
        with self.connect() as connection:
            return str(connection.server_properties["version"])

    def connect(self) -> Connection:
        """Return a connection that is not the one of any part under test."""
        connection = Connection(f"127.0.0.1:{self.port}", connect_timeout=1, read_timeout=5)
        connection.connect()
        return connection

    def empty(self) -> None:
        """Remove all messages that wait."""
        with self.connect() as connection:
            for queue in QUEUES:
                with contextlib.suppress(NotFound):  # nobody has declared it yet
                    connection.channel().queue_purge(queue)

    def delete_queues(self) -> None:
        """Delete the queues with all they hold; whoever uses them declares them anew."""
        with self.connect() as connection:
            for queue in QUEUES:
                connection.channel().queue_delete(queue)

    def is_saved(self, queue: str) -> bool:
        """Tell whether a kill would not hurt the queue.

        Half a second after its declaration 3.10 writes down where a queue's log lies; without that the queue never
        gets a leader again (mended in RabbitMQ 4: Ra's pull request 443).
        """
        [names] = self.folder.glob("db/*/quorum/*/names.dets")
        return f"_{queue}".encode() in names.read_bytes()

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in the queue; those that were delivered are not counted."""
        with self.connect() as connection:
            declared: Any = connection.channel().queue_declare(queue, passive=True)
            return int(declared.message_count)
