"""Reading from the job store what forecasts, admission and the queue's figures rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage.job_store.queue_contract import WORKS_READ, QueueStore
from storage.model.task import Stage, Task
from storage.scheduling.costs import CALIBRATED_BY, FinishedJob, Work, calibrate
from storage.scheduling.forecast import Forecast, Outlook, estimate
from storage.scheduling.line import forecasts
from storage.scheduling.newcomers import NOBODY, Newcomers
from storage.scheduling.queue_rates import MEASURED_SECONDS, SAMPLES_KEPT, Sample, before_first, efficiency, rates

MEASURED_SAMPLES = 30  # what slots deliver is measured over so many: five minutes
ESTIMATE_CHANGED = 0.01  # of an estimate: less is not worth a change of the sums
ENCODER_STAGES = frozenset({Stage.SEGMENT, Stage.AUDIO, Stage.POSTER, Stage.SUBTITLES})


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
        held = (Task.of_field(work.job_id, name) for work in self.outlook.active for name, _ in work.held)
        return sum(task.stage in ENCODER_STAGES for task in held)


def read_queue(store: QueueStore, *, encoders: int) -> Reading:
    """Read the queue; as long as no worker has announced itself, count on so many `encoders` (slots)."""
    finished, workers, samples = store.recent_finished(), store.workers(), store.samples(SAMPLES_KEPT)
    slots = sum(workers.values()) or encoders
    figures = store.figures()
    outlook = Outlook(
        capacity=slots * efficiency(samples[-MEASURED_SAMPLES:]),
        known=calibrate(finished, works_of(store, store.last_planned(CALIBRATED_BY))),
        work=figures.work,
        waiting_work=figures.waiting_work,
        waiting=figures.waiting,
        running=figures.unfinished - figures.waiting,
        active=works_of(store, store.active()),
        newcomers=_newcomers(samples, finished),
    )
    return Reading(outlook, finished, workers, samples)


def works_of(store: QueueStore, job_ids: Sequence[str]) -> tuple[Work, ...]:
    """Return the work of so many jobs as there are, read in several calls."""
    batches = (job_ids[at : at + WORKS_READ] for at in range(0, len(job_ids), WORKS_READ))
    return tuple(work for batch in batches for work in store.works(batch))


def forecasts_of(store: QueueStore, outlook: Outlook, job_ids: Sequence[str]) -> dict[str, Forecast]:
    """Return the forecasts of unfinished jobs; those that are gone, or of which nothing was estimated, are left out."""
    works = [work for work in works_of(store, job_ids) if work.told]
    return {work.job_id: found for work, found in zip(works, forecasts(store, outlook, works), strict=True)}


def all_unfinished(store: QueueStore) -> Iterator[tuple[str, ...]]:
    """Yield the ids of all unfinished jobs, as many at a time as one read gives."""
    behind = 0
    while found := store.unfinished(behind=behind):
        yield found
        behind += len(found)


def estimate_all(store: QueueStore) -> None:
    """Tell the store what is expected of all unfinished jobs."""
    outlook = read_queue(store, encoders=1).outlook
    for ids in all_unfinished(store):
        estimate_anew(store, outlook, works_of(store, ids))


def estimate_anew(store: QueueStore, outlook: Outlook, works: Sequence[Work]) -> None:
    """Tell the store what is expected of these jobs, where that is no longer what it was."""
    for work in works:
        present = estimate(work, outlook)
        if abs(present.cost - work.cost) > ESTIMATE_CHANGED * work.cost or not work.told:
            store.estimate(work.job_id, present)


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
    return Sample(
        at=now,
        waiting=outlook.waiting,
        running=outlook.running,
        waiting_work=outlook.waiting_work,
        running_work=outlook.work - outlook.waiting_work,
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
