"""The janitor: compares what there should be with what there is, and mends the difference.

A message can be lost (docs/design.md#delivery), a process can die between two steps. What is to be mended is decided in
workers.janitor.repairs; here it is done, logged and counted. As it makes its rounds alone, it also takes the queue's
samples.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import structlog

from storage.errors import ConflictError, JobNotFoundError, StalledError
from storage.faults import of_one_job
from storage.model.event import NO_EVENT
from storage.model.job import Changes, Job, JobError, JobState
from storage.model.task import Task
from storage.scheduling.queue_rates import SAMPLE_SECONDS
from storage.services import Services
from storage.services.dispatch import begin_packaging, dispatch
from storage.services.queue_reading import all_unfinished, record_sample
from storage.settings import UPLOAD_EXPIRY_SECONDS
from workers.janitor.cleaning import clear_leftovers, remove_lone_parts, remove_orphans
from workers.janitor.incoming import keep_uploads
from workers.janitor.repairs import ABANDONED_SECONDS, LOOKS, Repair, Sight, is_stalled, repairs
from workers.janitor.saving import save_ended
from workers.janitor.turns import LookedAt, keep_estimates
from workers.rebuild.stored_jobs import has_jobs
from workers.rounds import Rounds

ROUND_SECONDS = 2.0  # with a 6 s lease, a dead worker's task is elsewhere within 10 s
ROLE_SECONDS = 10.0  # a dead janitor's successor starts so much later
SAMPLE_ROUNDS = round(SAMPLE_SECONDS / ROUND_SECONDS)
UPLOAD_ROUNDS = 30  # a minute: listing objects costs, and nobody waits for it
SLOW_ROUNDS = 1800  # an hour of them lies between two looks for what takes hours to go wrong: listing objects costs
STALLED = JobError(**StalledError().told)

_log = structlog.get_logger()


class Janitor:
    """Makes a round every few seconds as long as it holds the role; touches `alive_file` each time; `stop` ends it."""

    def __init__(self, services: Services, alive_file: Path, *, upload_expiry: float = UPLOAD_EXPIRY_SECONDS) -> None:
        self._services = services
        self._upload_expiry = upload_expiry
        self._alive_file = alive_file
        self._seen: Counter[tuple[Repair, Task]] = Counter()
        self._lost = False
        self._rounds = Rounds(services.jobs, "janitor", seconds=ROUND_SECONDS, role_seconds=ROLE_SECONDS)
        self._made = 0  # whole rounds
        self._turn = LookedAt()

    def run(self) -> None:
        """Make rounds until stopped; an outage skips a round and is no reason to die."""
        self._rounds.run(self._whole_round, beat=self._alive_file.touch)

    def stop(self) -> None:
        """End after the present round."""
        self._rounds.stop()

    def _whole_round(self) -> None:
        """Do all that is due in this round; one that an outage broke off is made again.

        What goes wrong in one step keeps none of the others from being done.
        """
        for name, step, rounds in (
            ("repairs", self.make_round, 1),
            ("saving", lambda: save_ended(self._services), 1),
            ("loss", self.look_for_loss, 1),
            ("sample", lambda: record_sample(self._services.jobs, now=time.time()), SAMPLE_ROUNDS),
            ("uploads", lambda: self.look_at_uploads(now=time.time()), UPLOAD_ROUNDS),
            ("slow repairs", lambda: self.make_slow_round(now=time.time()), SLOW_ROUNDS),
        ):
            if self._made % rounds == 0:
                with self._of_one(name):
                    step()
        self._made += 1

    def make_round(self) -> None:
        """Look at every job of which something is out, at some of the others in turn, and at what ended ones left.

        Tasks that are due because encoders came, or a job went, are published here too.
        """
        found: Counter[tuple[Repair, Task]] = Counter()
        dispatch(self._services)
        pending = self._services.publisher.pending()
        doubtful = {task.job_id for _, task in self._seen}
        due, turn = self._services.jobs.active(), self._turn.next_ids(self._services.jobs)
        self._look(dict.fromkeys([*due, *turn, *doubtful]), lambda job: found.update(self._needs(job, pending)))
        keep_estimates(self._services.jobs, due, turn)
        self._seen = Counter({need: self._seen[need] + 1 for need in found})
        for (repair, task), looks in self._seen.items():
            if looks >= LOOKS[repair]:
                with self._of_one("mend", task.job_id):
                    self._mend(repair, task)
        for job_id in clear_leftovers(self._services):
            self._note(Repair.CLEAR, job_id)

    def look_at_uploads(self, *, now: float) -> None:
        """Give up the uploads of which nothing comes any more; `now` is Unix seconds."""
        for upload_id in keep_uploads(self._services, now=now, expiry=self._upload_expiry):
            self._note(Repair.EXPIRE, upload_id)

    def make_slow_round(self, *, now: float) -> None:
        """Look for what takes hours to go wrong; `now` is Unix seconds."""
        for ids in all_unfinished(self._services.jobs):
            self._look(ids, self._give_up_if_stalled)
        for job_id in (*remove_orphans(self._services, now=now), *remove_lone_parts(self._services)):
            self._note(Repair.ORPHAN, job_id)
        for _ in range(self._services.objects.sweep_unfinished(older_than=ABANDONED_SECONDS)):
            self._note(Repair.ABORT)

    def _look(self, job_ids: Iterable[str], at: Callable[[Job], None]) -> None:
        """Look at each of the jobs that is there still; one that cannot be looked at must not hide the others."""
        for job_id in job_ids:
            with self._of_one("look", job_id):
                at(self._services.jobs.get(job_id))

    def _of_one(self, place: str, job_id: str = "") -> AbstractContextManager[None]:
        return of_one_job(place, job_id, self._services.jobs.count_fault)

    def _needs(self, job: Job, pending: frozenset[tuple[str, str]]) -> Iterator[tuple[Repair, Task]]:
        jobs = self._services.jobs
        return repairs(Sight(job, jobs.out(job.id), jobs.leases(job.id), pending))

    def look_for_loss(self) -> None:
        """Say so, once, when Redis has had no job since it was emptied while the object store holds some."""
        empty = self._services.jobs.last_event_id() == NO_EVENT
        lost = empty and (self._lost or has_jobs(self._services.objects))
        if lost and not self._lost:
            _log.error("Redis knows no job but the object store holds some: `rungs rebuild` restores them")
        self._lost = lost

    def _mend(self, repair: Repair, task: Task) -> None:
        if repair is Repair.PACKAGE:
            try:
                begin_packaging(self._services, task.job_id)
            except (ConflictError, JobNotFoundError):
                return
        else:
            self._services.publisher.publish(task)
        self._note(repair, task.job_id, task=task.field)

    def _give_up_if_stalled(self, job: Job) -> None:
        jobs = self._services.jobs
        if not is_stalled(jobs.leases(job.id), jobs.idle_seconds(job.id)):
            return
        try:
            jobs.move(job.id, JobState.FAILED, Changes(error=STALLED))
        except ConflictError:
            return
        self._note(Repair.GIVE_UP, job.id)

    def _note(self, repair: Repair, job_id: str = "", **more: str) -> None:
        _log.warning("mended", repair=str(repair), job=job_id, **more)
        self._services.jobs.count_repair(str(repair))
