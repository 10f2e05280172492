"""Reading from the job store what forecasts, admission and the queue's figures rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.job_store.queue_contract import QueueStore
from storage.model.task import Stage, Task
from storage.scheduling.costs import CALIBRATED_BY, FinishedJob, calibrate
from storage.scheduling.forecast import Outlook
from storage.scheduling.newcomers import NOBODY, Newcomers
from storage.scheduling.queue_rates import MEASURED_SECONDS, SAMPLES_KEPT, Sample, before_first, efficiency, rates

MEASURED_SAMPLES = 30  # what slots deliver is measured over so many: five minutes
ENCODER_STAGES = frozenset({Stage.SEGMENT, Stage.AUDIO, Stage.POSTER})


@dataclass(frozen=True, slots=True)
class Reading:
    """The queue as it was read: its outlook, what the last ready jobs took, encoder slots by worker, the last hour."""

    outlook: Outlook
    finished: tuple[FinishedJob, ...]
    workers: Mapping[str, int]
    samples: tuple[Sample, ...]

    @property
    def slots(self) -> int:
        """Encoder slots that announced themselves."""
        return sum(self.workers.values())

    @property
    def busy(self) -> int:
        """Tasks that encoders work on."""
        held = (Task.of_field(work.job_id, name) for work in self.outlook.backlog for name, _ in work.held)
        return sum(task.stage in ENCODER_STAGES for task in held)


def read_queue(store: QueueStore, *, encoders: int) -> Reading:
    """Read the queue; as long as no worker has announced itself, count on so many `encoders` (slots)."""
    finished, workers, samples = store.recent_finished(), store.workers(), store.samples(SAMPLES_KEPT)
    slots = sum(workers.values()) or encoders
    capacity = slots * efficiency(samples[-MEASURED_SAMPLES:])
    backlog = store.backlog()
    outlook = Outlook(backlog, calibrate(finished, backlog), capacity, _newcomers(samples, finished))
    return Reading(outlook, finished, workers, samples)


def _newcomers(samples: Sequence[Sample], finished: Sequence[FinishedJob]) -> Newcomers:
    """Return what is to come if it goes on as in the last minutes, in jobs like the last ready ones."""
    seen = rates(samples[-MEASURED_SAMPLES:])
    if not seen.arrival or seen.seconds < MEASURED_SECONDS:
        return NOBODY
    return Newcomers(samples[-1].at, seen.arrival, tuple(job.measured for job in finished[:CALIBRATED_BY]))


def take_sample(store: QueueStore, *, now: float) -> Sample:
    """Return the queue as it is now, in Unix seconds."""
    reading, totals = read_queue(store, encoders=1), store.totals()
    outlook = reading.outlook
    waiting, waiting_work = len(outlook.waiting), outlook.waiting_work
    return Sample(
        at=now,
        waiting=waiting,
        running=len(outlook.backlog) - waiting,
        waiting_work=waiting_work,
        running_work=outlook.work - waiting_work,
        wait=outlook.wait,
        slots=reading.slots,
        busy=reading.busy,
        arrived=totals.arrived,
        ended=totals.ended,
        stayed=totals.stayed,
        delivered=totals.delivered,
        refused=sum(totals.refused.values()),
    )


def record_sample(store: QueueStore, *, now: float) -> None:
    """Record the queue as it is now, in Unix seconds; what a new store has counted until then, too."""
    sample = take_sample(store, now=now)
    if not store.samples(1):
        store.record_sample(before_first(sample))
    store.record_sample(sample)
