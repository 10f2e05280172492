"""Running ffmpeg and ffprobe: deadline, stall watchdog, bounded output, and an end that nobody can hold up.

Every upload is an attack until shown otherwise, so a tool gets no shell, no environment of ours, no standard input, its
own process group, and the sandbox that workers.sandbox.launching describes. workers.sandbox.fork_server starts it.
"""

from __future__ import annotations

import math
import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from storage.errors import LeaseLostError, ToolError, ToolTimeoutError, UnforeseenError
from workers.sandbox.cpu_watch import CpuWatch, WorkBudget
from workers.sandbox.fork_server import NOT_STARTED, StartedTool, start_tool
from workers.sandbox.launching import MEMORY_BYTES, request_for
from workers.sandbox.reach import NOTHING, Reach

MAX_CAPTURE_BYTES = 512 * 1024**2  # ffprobe's packet list of a 12 h film at 60 fps is about 60 MB
STDERR_LINES = 40  # kept for people; the first lines of a broken file repeat themselves thousands of times
STDERR_LINE_BYTES = 2000
POLL_SECONDS = 0.1  # how soon a cancelled or stalled tool is noticed
READ_BYTES = 65536
LAST_WORDS_SECONDS = 1.0  # for what an ended tool left in its pipes; a stranger who holds them may write for ever
_POSITIONS = frozenset({"frame", "out_time_us", "total_size"})  # what `-progress` prints of how far it is


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """How long a tool may take in all and without any sign of progress, in seconds.

    `memory` is what it may allocate, in bytes, the libraries that it maps aside.
    """

    deadline: float
    stall: float
    memory: int = MEMORY_BYTES


@dataclass(slots=True)
class Watch:
    """What the caller sees of a running tool and how it stops one.

    `on_progress` gets each `key=value` line of `-progress`, `on_message` each line of standard error. Setting
    `cancelled` stops the tool, and so does `work` that is used up. `conceal` is the input's path or address: it is not
    for the eyes of who reads the error's detail.
    """

    conceal: str = ""
    on_progress: Callable[[str, str], None] | None = None
    on_message: Callable[[str], None] | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    work: WorkBudget | None = None


def run_tool(
    argv: Sequence[str],
    limits: ToolLimits,
    *,
    watch: Watch | None = None,
    reach: Reach = NOTHING,
    niceness: int = 0,
    take: Callable[[bytes], None] | None = None,
) -> bytes:
    """Run to the end and return standard output (empty when progress lines are consumed by `watch`, or it is taken).

    `reach` is all that the tool may open. `niceness` is the scheduler's: a tool of a higher one leaves the cores to
    those of a lower one. `take` gets what is printed while the tool works, piece by piece in a thread of its own; what
    it raises stops the tool and is raised.

    Raises ToolError for a non-zero end (last stderr lines in `detail`), ToolTimeoutError for deadline or stall,
    TooMuchWorkError when the watch's work is used up, LeaseLostError when cancelled and UnforeseenError where the tool
    is not installed. The whole process group is gone when this returns or raises.
    """
    watch = watch or Watch()
    request = request_for(argv, reach, niceness=niceness, seconds=limits.deadline, memory=limits.memory)
    with start_tool(request) as tool:
        reading = _Reading(tool, watch, take)
        try:
            _wait(tool, reading, limits, watch)
        finally:
            tool.kill_group()
            reading.end()
    if tool.returncode == NOT_STARTED:
        raise UnforeseenError(detail=f"{argv[0]} could not be started on this worker.\n{reading.last_lines}")
    if tool.returncode != 0:
        ending = _ending(argv[0], tool.returncode)
        raise ToolError(detail=f"{ending}\n{reading.last_lines}".rstrip(), killed=tool.returncode < 0)
    if reading.failure is not None:
        raise reading.failure
    return bytes(reading.captured)


class _Reading:
    """Drains both pipes in threads, so that the tool never blocks on a full one (docs/design.md#facts).

    A pipe ends when nobody has it open any more, which may be long after the tool: then `end` stops waiting for it.
    """

    def __init__(self, tool: StartedTool, watch: Watch, take: Callable[[bytes], None] | None = None) -> None:
        self.captured = bytearray()
        self.overflow = False
        self.failure: Exception | None = None
        self._take = take or self.captured.extend
        self._printed = 0
        self._over = threading.Event()
        self.moved_at = time.monotonic()
        self._watch = watch
        self._lines: deque[str] = deque(maxlen=STDERR_LINES)
        self._positions: dict[str, str] = {}
        self._threads = (
            threading.Thread(target=self._drain_stdout, args=(tool.stdout,), daemon=True),
            threading.Thread(target=self._drain_stderr, args=(tool.stderr,), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    @property
    def last_lines(self) -> str:
        text = "\n".join(self._lines)
        return text.replace(self._watch.conceal, "original") if self._watch.conceal else text

    @property
    def goes_on(self) -> bool:
        """Tell whether the tool may still print."""
        return self._threads[0].is_alive()

    def wait(self, seconds: float) -> None:
        """Return when the tool prints no more, which is when it ends, or after so many seconds."""
        self._threads[0].join(seconds)

    def end(self) -> None:
        """Return when all is read that a tool which is gone had printed."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _pieces(self, pipe: int) -> Iterator[bytes]:
        """Yield what is printed, until the pipe is closed or the tool is gone and has nothing left in it."""
        poller, until = select.poll(), math.inf
        poller.register(pipe, select.POLLIN)
        while time.monotonic() < until:
            if self._over.is_set() and until == math.inf:
                until = time.monotonic() + LAST_WORDS_SECONDS
            if poller.poll(POLL_SECONDS * 1000):
                data = os.read(pipe, READ_BYTES)
                if not data:
                    return
                yield data
            elif until < math.inf:
                return

    def _drain_stdout(self, pipe: int) -> None:
        if self._watch.on_progress is None:
            for data in self._pieces(pipe):
                self.moved_at = time.monotonic()
                self._printed += len(data)
                self.overflow = self._printed > MAX_CAPTURE_BYTES
                if not self.overflow and self.failure is None:
                    self._give(data)
            return
        for line in lines_of(self._pieces(pipe), READ_BYTES):
            key, _, value = line.decode(errors="replace").strip().partition("=")
            self._note_progress(key, value)
            self._watch.on_progress(key, value)

    def _give(self, data: bytes) -> None:
        try:
            self._take(data)
        except Exception as error:  # noqa: BLE001 - raised by the thread that runs the tool; this one goes on draining
            self.failure = error

    def _note_progress(self, key: str, value: str) -> None:
        """Only a position that moves is progress: a stuck ffmpeg goes on printing the same block."""
        if key in _POSITIONS and self._positions.get(key) != value:
            self._positions[key] = value
            self.moved_at = time.monotonic()

    def _drain_stderr(self, pipe: int) -> None:
        for line in lines_of(self._pieces(pipe), STDERR_LINE_BYTES):
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            if self._watch.on_message is not None:
                self._watch.on_message(text)


def lines_of(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield the lines of what comes in pieces, of `most` bytes each: a flood need not have line ends."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield from (line[at : at + most] for at in range(0, max(1, len(line)), most))
        while len(rest) >= most:
            yield rest[:most]
            rest = rest[most:]
    if rest:
        yield rest


def _wait(tool: StartedTool, reading: _Reading, limits: ToolLimits, watch: Watch) -> None:
    """Return when the tool has ended; raise for deadline, stall, work, overflow or cancellation."""
    started, cpu = time.monotonic(), CpuWatch(tool.pid, watch.work)
    while True:
        reading.wait(POLL_SECONDS)  # waiting for the process itself would notice its end up to 50 ms later
        cpu.look()  # also of one that has just ended, while the kernel still has its times
        if tool.has_ended(0 if reading.goes_on else POLL_SECONDS):
            return
        now = time.monotonic()
        if watch.cancelled.is_set():
            raise LeaseLostError
        if reading.failure is not None:
            raise reading.failure
        if reading.overflow:
            raise ToolError(detail=f"The tool printed more than any real file needs.\n{reading.last_lines}")
        if now - started > limits.deadline:
            raise ToolTimeoutError(detail=f"The tool ran longer than {limits.deadline:.0f} s.\n{reading.last_lines}")
        if now - reading.moved_at > limits.stall:
            raise ToolTimeoutError(detail=f"The tool made no progress for {limits.stall:.0f} s.\n{reading.last_lines}")


def _ending(tool: str, code: int) -> str:
    """Say how the tool ended; a negative code is the signal that killed it."""
    if code < 0:
        return f"{tool} was killed by signal {signal.Signals(-code).name}."
    return f"{tool} ended with code {code}."
