"""This process's fork server (`launcher`), and the tools that it starts: the only module that starts processes.

Started with the first tool, and again should it be gone. What this process forks itself has none of it: two processes
must not speak on one socket.
"""

from __future__ import annotations

import atexit
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from storage.errors import UnforeseenError
from workers.sandbox import launcher
from workers.sandbox.launching import Request

NOT_STARTED = launcher.NOT_STARTED
ANSWER_BYTES = 64  # a number


class ServerGoneError(Exception):
    """The fork server has ended, and all its tools with it."""


class ForkServer:
    """A fork server's process; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [os.path.realpath(sys.executable), "-I", "-S", launcher.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={"LC_ALL": "C"},
                process_group=0,  # a session of its own would make the kernel ignore its tools' niceness
            )

    def start(self, request: Request, streams: tuple[int, int]) -> int:
        """Return the process id of a tool that prints to these streams. Raises ServerGoneError, OSError."""
        told = self._ask(marshal.dumps(request), streams)
        if told < 0:
            raise OSError(-told, os.strerror(-told))
        return told

    def reap(self, pid: int) -> int:
        """Return the exit code of a tool that has ended, below 0 for a signal. Raises ServerGoneError."""
        return os.waitstatus_to_exitcode(self._ask(marshal.dumps(pid)))

    def forget(self) -> None:
        """Leave the server to the process that this one was forked from."""
        self._channel.close()

    def close(self) -> None:
        """End the server, and so its tools."""
        self._channel.close()
        self._process.wait()

    def _ask(self, request: bytes, streams: tuple[int, ...] = ()) -> int:
        if len(request) > launcher.REQUEST_BYTES:
            raise OSError(f"a command of {len(request)} bytes")
        with self._lock:
            try:
                socket.send_fds(self._channel, [request], streams)
                answer = self._channel.recv(ANSWER_BYTES)
            except ConnectionError as error:
                raise ServerGoneError from error
        if not answer:
            raise ServerGoneError
        return int(marshal.loads(answer))  # noqa: S302 - our own child's


class StartedTool:
    """A tool in its sandbox and in a process group of its own, whose `stdout` and `stderr` are read here.

    Leaving the context kills what is left of the group, and waits for the tool; `returncode` tells then how it ended,
    below 0 by which signal.
    """

    def __init__(self, server: ForkServer, request: Request) -> None:
        self._server = server
        self.returncode = 0
        with ExitStack() as ends:
            self.stdout, stdout = _pipe(ends)
            self.stderr, stderr = _pipe(ends)
            try:
                self.pid = server.start(request, (stdout, stderr))
            finally:
                os.close(stdout)
                os.close(stderr)
            try:
                self._exit = os.pidfd_open(self.pid)
            except OSError:  # nobody would end it
                self.kill_group()
                raise
            ends.callback(os.close, self._exit)
            self._ends = ends.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._ends:
            self.kill_group()
            self.has_ended(None)
            self.returncode = self._reaped()

    def has_ended(self, seconds: float | None) -> bool:
        """Tell whether it has ended, after at most so many seconds; without a bound where that is None."""
        poller = select.poll()
        poller.register(self._exit, select.POLLIN)
        return bool(poller.poll(None if seconds is None else seconds * 1000))

    def kill_group(self) -> None:
        """Kill what the group still has. The tool keeps its number, and so the group, until the context is left."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _reaped(self) -> int:
        try:
            return self._server.reap(self.pid)
        except ServerGoneError:
            return -signal.SIGKILL  # as its parent has ended


def start_tool(request: Request) -> StartedTool:
    """Start a tool. Raises UnforeseenError where the machine cannot."""
    try:
        server = _current.server()
        try:
            return StartedTool(server, request)
        except ServerGoneError:
            return StartedTool(_current.server(instead_of=server), request)
    except (OSError, ServerGoneError) as error:
        raise UnforeseenError(detail=f"{request[2][0]} could not be started on this worker: {error}") from error


def _pipe(ends: ExitStack) -> tuple[int, int]:
    """Return a new pipe's end to read, which is closed with `ends`, and the one to write."""
    reading, writing = os.pipe()
    ends.callback(os.close, reading)
    return reading, writing


class _Current:
    """The fork server of this process, as soon as it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: ForkServer | None = None

    def server(self, instead_of: ForkServer | None = None) -> ForkServer:
        """Return it; a new one in the place of one that is gone. Raises OSError."""
        if instead_of is not None and instead_of is self._server:
            self.close()
        with self._lock:
            if self._server is None:
                self._server = ForkServer()
            return self._server

    def forget(self) -> None:
        """Begin anew, in a process that was forked: the lock may have been held by a thread that is not here."""
        if self._server is not None:
            self._server.forget()
        self._lock, self._server = threading.Lock(), None

    def close(self) -> None:
        """End it, if there is one."""
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None


_current = _Current()
os.register_at_fork(after_in_child=_current.forget)
atexit.register(_current.close)


def end_server() -> None:
    """End this process's fork server; the next tool starts another. What its tools used counts as this one's then."""
    _current.close()
