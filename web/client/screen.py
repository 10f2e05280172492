"""For people: bars on a terminal, one line for each tenth where nobody watches; results go to standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from web.client import texts
from web.client.answers import SeenJob
from web.client.failures import ClientError

_PIPED_WIDTH = 200  # columns where nobody measures them: programs want a job on one line
OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
_STEPS = 10  # lines of a file or job that is told without a bar
_NAME_WIDTH = 30  # of a bar's name: the bar has to fit beside it


def say(line: str, style: str = "") -> None:
    """Print a line of results; nothing in it is markup."""
    OUT.print(Text(line, style))


def warn(line: str, style: str = "") -> None:
    """Print a line beside the results."""
    ERR.print(Text(line, style))


def complain(error: ClientError) -> None:
    """Print a failure, and what to do next."""
    warn(f"rungs: {error.message}", "bold red")
    if error.advice:
        warn(f"       {error.advice}")


class Screen:
    """Tells of uploads, jobs and downloads while its context lasts. Names from outside never reach rich as markup."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}", markup=False),
        )
        # Results stay on standard output, also where that is a file and the bars are on a terminal.
        self._bars = Progress(*columns, console=ERR, redirect_stdout=False) if ERR.is_terminal else None
        self._tasks: dict[Hashable, TaskID] = {}
        self._steps: dict[Hashable, object] = {}
        self._began: dict[Hashable, tuple[float, int]] = {}

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begun(self, path: Path, job_id: str) -> None:
        """See UploadTeller.begun."""
        warn(texts.BEGUN % (texts.plain(path.name), job_id))

    def sent(self, path: Path, offset: int, size: int) -> None:
        """See UploadTeller.sent."""
        self._show(path, path.name, offset / size, f"sent {self._flow(path, offset, size)}")

    def got(self, path: Path, done: int, size: int) -> None:
        """So much of a download is there."""
        self._show(path, path.name, done / max(1, size), f"got {self._flow(path, done, size)}")

    def waits(self, path: Path, error: ClientError, seconds: float) -> None:
        """See UploadTeller.waits."""
        words = f"{error.message} Next try in {texts.duration(seconds)}."
        self._show(path, path.name, None, words)

    def note(self, sentence: str) -> None:
        """See UploadTeller.note."""
        warn(f"rungs: {texts.plain(sentence)}")

    def accepted(self, path: Path, job_id: str) -> None:
        """Tell which job a file has become."""
        self._result(f"{job_id}  {texts.plain(path.name)}")

    def failed(self, path: Path, error: ClientError) -> None:
        """Tell that a file has become no job."""
        warn(f"rungs: {texts.plain(str(path))}:")
        complain(error)

    def job(self, seen: SeenJob, _: dict[str, Any]) -> None:
        """See JobTeller.job."""
        self._show(seen.id, seen.title, seen.fraction, f"{texts.percent(seen.fraction)} {texts.headline(seen)}")
        if seen.is_over:
            self._result(f"{seen.id}  {texts.plain(seen.title)}  {texts.headline(seen)}")

    def unreached(self, error: ClientError, seconds: float) -> None:
        """See JobTeller.unreached."""
        self.note(f"{error.message} Next try in {texts.duration(seconds)}.")

    def missing(self, job_id: str, error: ClientError) -> None:
        """Tell that a job is not there."""
        warn(f"rungs: {job_id}: {error.message}", "bold red")

    def _result(self, line: str) -> None:
        """Print a result; above the bars where they share a terminal with it."""
        (ERR if self._bars is not None and OUT.is_terminal else OUT).print(Text(line))

    def _show(self, key: Hashable, name: str, fraction: float | None, words: str) -> None:
        """Move the bar of this key, or print a line where there is no bar and enough has changed."""
        name = texts.plain(name)
        if self._bars is None:
            step = words if fraction is None else int(fraction * _STEPS)
            if self._steps.get(key) != step:
                self._steps[key] = step
                warn(f"{name}: {words}")
            return
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(name[:_NAME_WIDTH], total=1.0, words="")
        self._bars.update(self._tasks[key], completed=fraction, words=words)

    def _flow(self, key: Hashable, done: int, size: int) -> str:
        """Return how much of how much has passed, how fast, and how long the rest will take."""
        now = time.monotonic()
        began, first = self._began.setdefault(key, (now, done))
        amount = f"{texts.size(done)} of {texts.size(size)}"
        if done <= first or now <= began or done >= size:
            return amount
        rate = (done - first) / (now - began)
        return f"{amount}, {texts.size(rate)}/s, {texts.duration((size - done) / rate)} left"
