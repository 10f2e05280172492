"""What the long queue notes of answers: only what was promised counts as done, and what is gone by itself is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.chaos.clips import Clip
from tests.chaos.journal import Journal
from tests.chaos.long_queue import LongQueue
from tests.support.waiting import wait_until


class _Said(BaseHTTPRequestHandler):
    """Answers with the status that the job is called by."""

    def _answer(self) -> None:
        job = self.path.removeprefix("/api/jobs/").partition("/")[0]
        self.send_response(int(job))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Give the port of a service that answers as it is told to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Said)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_called_off_counts_as_it_was_answered(port: int, tmp_path: Path) -> None:
    """A store that was away leaves it open; a job that nobody finds is not deleted but lost."""
    with closing(Journal(tmp_path)) as journal:
        queue = LongQueue(port, 0, (), Clip(tmp_path, None), 1, journal)  # type: ignore[arg-type] # nothing is sent
        queue.call_off(["200", "204", "503", "503", "409", "404", "500", "204"])
        wait_until(lambda: not queue.busy, what="the end of calling off")
    assert queue.cancelled == {"200"}
    assert queue.maybe_cancelled == {"503"}
    assert queue.deleted == {"204"}
    assert queue.maybe_deleted == {"503"}
    assert sorted(queue.trouble) == [
        "unclear: DELETE /api/jobs/404 was answered 404",
        "unclear: POST /api/jobs/500/cancel was answered 500",
    ]
