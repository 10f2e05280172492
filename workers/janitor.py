"""The janitor: compares what each unfinished job should have out with what there is, and mends the difference.

A message can be lost (DESIGN §5), a process can die between two steps. Each repair is decided by a pure function and
named, logged and counted.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from storage.errors import BusyError, ConflictError, JobNotFoundError
from storage.jobs import Job, JobState, Stage, Task, is_encoded, outstanding
from storage.services import Services
from workers.window import publish_due

ROUND_SECONDS = 2.0  # with a 6 s lease, a dead worker's task is elsewhere within 10 s
ROLE_SECONDS = 10.0  # a dead janitor's successor starts so much later
UNFINISHED_WRITE_SECONDS = 24 * 3600.0  # no upload lasts longer; what is older was left by a crash
SWEEP_ROUNDS = 300  # how many rounds lie between two looks at the object store: listing it costs

_log = structlog.get_logger()


class Repair(StrEnum):
    """What can be mended."""

    PUBLISH = "publish"  # a task that should be out is neither at the broker nor held by an attempt
    PACKAGE = "package"  # everything is encoded, but whoever finished last died before saying so


@dataclass(frozen=True, slots=True)
class Sight:
    """What the janitor sees of one job: fields of finished and leased tasks, and of messages at the broker."""

    job: Job
    done: frozenset[str]
    leased: frozenset[str]
    pending: frozenset[str]


def repairs(sight: Sight) -> Iterator[tuple[Repair, Task]]:
    """Yield what is to be mended; nothing for a job that is as it should be."""
    if is_encoded(sight.job, sight.done):
        yield Repair.PACKAGE, Task(sight.job.id, Stage.PACKAGE)
        return
    for task in outstanding(sight.job, sight.done):
        if task.field not in sight.leased | sight.pending:
            yield Repair.PUBLISH, task


class Janitor:
    """Makes a round every few seconds as long as it holds the role; touches `alive_file` each time; `stop` ends it."""

    def __init__(self, services: Services, alive_file: Path) -> None:
        self._services = services
        self._alive_file = alive_file
        self._name = uuid.uuid4().hex
        self._suspects: frozenset[Task] = frozenset()
        self._stopped = threading.Event()

    def run(self) -> None:
        """Make rounds until stopped; an outage skips a round and is no reason to die."""
        rounds = 0
        while not self._stopped.wait(ROUND_SECONDS):
            self._alive_file.touch()
            try:
                if not self._services.jobs.hold("janitor", self._name, seconds=ROLE_SECONDS):
                    continue
                self.make_round()
                if rounds % SWEEP_ROUNDS == 0:
                    self._sweep()
                rounds += 1
            except BusyError as error:
                _log.warning("janitor skips a round", error=error.message)

    def stop(self) -> None:
        """End after the present round."""
        self._stopped.set()

    def make_round(self) -> None:
        """Look at every unfinished job. A task is published only when two rounds in a row found it missing.

        Between the publishing of a task and its claim, and between the end of an attempt and its answer, a task is for
        a moment in neither place; the second look tells that moment from a loss. Credit that is left over, because
        encoders came or another job ended, is spent here too.
        """
        jobs, publisher = self._services.jobs, self._services.publisher
        found: set[Task] = set()
        pending = publisher.pending()
        for job_id in jobs.unfinished():
            try:
                job = jobs.get(job_id)
            except JobNotFoundError:
                continue
            if job.state is JobState.ENCODING:
                publish_due(self._services, job_id)
            mine = frozenset(field for owner, field in pending if owner == job_id)
            sight = Sight(job, frozenset(jobs.results(job_id)), jobs.leased(job_id), mine)
            for repair, task in repairs(sight):
                found.add(task)
                if task in self._suspects:
                    self._mend(repair, task)
        self._suspects = frozenset(found)

    def _mend(self, repair: Repair, task: Task) -> None:
        _log.warning("mending", repair=str(repair), job=task.job_id, task=task.field)
        if repair is Repair.PACKAGE:
            try:
                self._services.jobs.move(task.job_id, JobState.PACKAGING)
            except ConflictError:
                return
        self._services.publisher.publish(task)

    def _sweep(self) -> None:
        swept = self._services.objects.sweep_unfinished(older_than=UNFINISHED_WRITE_SECONDS)
        if swept:
            _log.info("unfinished writes removed", count=swept)
