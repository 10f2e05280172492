"""Pool children that die or hang: the worker's main process sees it, and their tasks go on within seconds.

All of it runs on the worker's event loop, for the reason the message keeper gives. So it is impatient: what cannot be
reported because Redis is away is left to the janitor, who finds the task when the dead attempt's lease has run out.
"""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from celery import bootsteps
from celery.concurrency.prefork import TaskPool
from celery.worker import state
from celery.worker.request import Request

from storage.errors import BusyError
from storage.faults import note_fault, of_one_job
from storage.job_store.contract import LOST, Lease
from storage.model.names import AttemptName, WorkerName
from storage.model.task import Task
from storage.services import Services
from storage.settings import Settings
from workers.attempts.failure_policy import rest_after_loss
from workers.sandbox.scratch import sweep_scratch

# Celery looks for dead children when one's pipe closes, a moment before the kernel lets it be seen dead, and then only
# every 5 s: measured, every second kill was noticed so late (celery issue 9588).
TEND_SECONDS = 0.25
LOOK_SECONDS = 2.0
# In so many looks a child with a task but no lease on it: it hangs, or was cut off so long that its task is another's.
# Whatever it does, another attempt does or will do, so ending it is safe.
HUNG_LOOKS = 5

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Running:
    """A task that a child of this process id has begun, or is to begin."""

    task: Task
    pid: int

    def made(self, lease: Lease) -> bool:
        """Tell whether the lease is that of an attempt by this child."""
        return AttemptName.of(lease.attempt).worker == WorkerName(socket.gethostname(), self.pid)

    def holds(self, leases: Mapping[str, Lease]) -> bool:
        """Tell whether the child holds the task, given the leases of its job."""
        return any(lease.live for _, lease in self.made_of(leases))

    def made_of(self, leases: Mapping[str, Lease]) -> tuple[tuple[Task, Lease], ...]:
        """Return the leases of its job that the child made for this task, each with the task that it is of."""
        found = ((field, leases[field]) for field in self.task.fields if field in leases)
        return tuple((Task.of_field(self.task.job_id, field), lease) for field, lease in found if self.made(lease))


class Children:
    """What the main process does about its pool's children."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._settings = settings
        self._without_lease: Counter[Running] = Counter()

    def count_fault(self, place: str) -> None:
        """Count a fault that was passed over. Raises JobStoreDownError."""
        self._services.jobs.count_fault(place)

    def report_death(self, dead: Running, *, told_to: bool = False) -> None:
        """End what the dead child left and publish its task anew, if it had claimed it.

        Its attempt counts as lost, unless the child was `told_to` end: a worker that drains hands its tasks back.
        """
        sweep_scratch(self._settings.scratch_dir)
        log = _log.bind(job=dead.task.job_id, task=dead.task.field, pid=dead.pid)
        try:
            for task, lease in dead.made_of(self._services.jobs.leases(dead.task.job_id)):
                self._end(task, lease.attempt, told_to=told_to)
        except BusyError as error:
            log.warning("lost child could not be reported", error=str(error))
        except Exception as error:  # noqa: BLE001 - the other children's deaths are to be reported all the same
            with suppress(BusyError):
                note_fault("child", dead.task.job_id, error, self.count_fault)
        else:
            if told_to:
                log.info("handed back")
            else:
                log.warning("pool child lost")

    def _end(self, task: Task, attempt: str, *, told_to: bool) -> None:
        jobs, rest = self._services.jobs, 0.0
        if told_to:
            jobs.release(task, attempt)
        else:
            spent = jobs.attempts(task.job_id).get(task.field, 0)
            # Beyond the limit none: the next delivery ends the job, which may take longer than an event loop has.
            rest = rest_after_loss(spent) if spent < self._settings.attempts else 0.0
            jobs.fail(task, attempt, LOST, rest=rest)
        if not rest:
            self._services.publisher.publish(task)

    def look(self, running: Iterable[Running]) -> None:
        """Kill the children that have had a task and no lease on it for HUNG_LOOKS looks in a row."""
        looked_at = frozenset(running)
        job_ids = {child.task.job_id for child in looked_at}
        leases: dict[str, Mapping[str, Lease]] = {}
        try:
            for job_id in job_ids:
                with of_one_job("children", job_id, self.count_fault):
                    leases[job_id] = self._services.jobs.leases(job_id)
        except BusyError as error:
            _log.warning("children could not be looked at", error=str(error))
            return
        known = (child for child in looked_at if child.task.job_id in leases)
        without = (child for child in known if not child.holds(leases[child.task.job_id]))
        self._without_lease = Counter({child: self._without_lease[child] + 1 for child in without})
        for child, looks in self._without_lease.items():
            if looks >= HUNG_LOOKS:
                _log.warning("killing a child without a lease", job=child.task.job_id, task=child.task.field)
                with suppress(ProcessLookupError):  # it ended meanwhile
                    os.kill(child.pid, signal.SIGKILL)


class ChildRequest(Request):  # type: ignore[misc] # celery has no types
    """Celery's request for a task, as the main process has it."""

    @property
    def running(self) -> Running | None:
        """What the child does that accepted it or, if it hangs, that it was written to; None before one was chosen."""
        pid = self.worker_pid
        if pid is None:
            result = self._apply_result() if self._apply_result is not None else None
            process = result._write_to if result is not None else None  # noqa: SLF001 - celery tells nobody; a test guards it
            pid = process.pid if process is not None and process.is_alive() else None
        job_id, index = self.args
        return Running(Task(job_id, self.task.stage, index), pid) if pid is not None else None

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - celery's signature
        """Acknowledge as Celery does; what was not returned by the child but ended with it is reported."""
        super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
        running = self.running
        if not return_ok and running is not None:
            self.app.children.report_death(running, told_to=bool(state.should_terminate))


class Pool(TaskPool):  # type: ignore[misc] # celery has no types
    """Celery's pool of processes, with two differences."""

    @property
    def num_processes(self) -> int:
        """Say none once it has ended: a worker that is stopped in the middle of a turn asks once more what it may take.

        Celery would log an unrecoverable error there.
        """
        return 0 if self._pool is None else int(super().num_processes)

    def did_start_ok(self) -> bool:
        """Say yes: a child that died before the first connection is replaced as any later one.

        Celery would end the worker for it, though the broker may have been away for hours until then.
        """
        return True


class PoolWatch(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """A consumer step: looks after the pool as long as there is a connection to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._timers: tuple[Any, ...] = ()

    def start(self, consumer: Any) -> None:
        """Begin with the new connection."""
        again = consumer.timer.call_repeatedly
        look = (consumer.app.children,)
        self._timers = (again(TEND_SECONDS, consumer.pool.maintain_pool), again(LOOK_SECONDS, _look, look))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - the step's signature
        """End with the connection."""
        for timer in self._timers:
            timer.cancel()
        self._timers = ()


def _look(children: Children) -> None:
    running: list[Running] = []
    for request in tuple(state.reserved_requests):
        # A message whose arguments are no task's, say: the others' children are looked at all the same.
        with suppress(BusyError), of_one_job("message", str(request.id), children.count_fault):
            running += filter(None, [request.running])
    children.look(running)
