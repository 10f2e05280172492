"""The queue's figures as they are shown: rates by the hour, columns of the last hour, who does what. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storage.job_store.queue_contract import Pause
from storage.model.layers import Layer
from storage.model.names import AttemptName, WorkerName
from storage.scheduling.costs import Work
from storage.scheduling.queue_rates import SAMPLE_SECONDS, Sample

_MINUTE = 60.0
_HOUR = 3600.0
_SMOOTHED = round(_MINUTE / SAMPLE_SECONDS)  # samples in a minute: single jobs would be peaks of six a minute


def per_hour(rate: float | None) -> float | None:
    """Return a rate a second as a rate an hour, as exact as such rates are."""
    return None if rate is None else round(rate * _HOUR, 1)


def utilisation(arrival: float | None, per_job: float | None, capacity: float) -> float | None:
    """Return which part of the encoders' time the jobs ask for that come (a second): 1 and more is too much."""
    return None if arrival is None or per_job is None else arrival * per_job / capacity


def history(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Return the samples (oldest first) as columns; what is counted, by the minute over the minute before."""
    pairs = [(samples[max(0, place - _SMOOTHED)], sample) for place, sample in enumerate(samples) if place]

    def by_minute(count: Callable[[Sample], int]) -> list[float]:
        return [round(max(0, count(b) - count(a)) * _MINUTE / max(1.0, b.at - a.at), 2) for a, b in pairs]

    shown = [sample for _, sample in pairs]
    return {
        "at": [round(sample.at, 1) for sample in shown],
        "waiting": [sample.waiting for sample in shown],
        "running": [sample.running for sample in shown],
        "wait": [round(sample.wait, 1) for sample in shown],
        "slots": [sample.slots for sample in shown],
        "busy": [sample.busy for sample in shown],
        "arrived": by_minute(lambda sample: sample.arrived),
        "ended": by_minute(lambda sample: sample.ended),
        "refused": by_minute(lambda sample: sample.refused),
    }


def machines(
    workers: Mapping[str, int],
    pauses: Mapping[str, Pause],
    lacking: Mapping[str, Sequence[Layer]],
    active: Sequence[Work],
) -> list[dict[str, Any]]:
    """Return each machine by name: its slots, why it takes no work, what its sandbox lacks, the tasks it works on.

    A machine that pauses has the slots that are still at work, one that only plans and packages has none.
    """
    found: dict[str, dict[str, Any]] = {}

    def machine(host: str) -> dict[str, Any]:
        return found.setdefault(host, {"name": host, "slots": 0, "pause": None, "lacks": [], "tasks": []})

    for worker, slots in workers.items():
        machine(WorkerName.of(worker).host)["slots"] += slots
    for worker, pause in pauses.items():
        machine(WorkerName.of(worker).host)["pause"] = pause
    for worker, lacks in lacking.items():
        machine(WorkerName.of(worker).host)["lacks"] = list(lacks)
    for work in active:
        for task, attempt in work.held:
            machine(AttemptName.of(attempt).worker.host)["tasks"].append({"job_id": work.job_id, "task": task})
    return [found[host] for host in sorted(found)]
