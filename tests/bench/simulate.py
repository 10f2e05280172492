"""`make bench-simulate`: loads through a real installation, and the same through the simulator, side by side.

Clips of 2 to 20 s come at times drawn beforehand. On the machine of docs/encoding-figures.md they keep the encoders
about four fifths busy for some minutes, then about half. What each task took is then given to the simulator, together
with when each job was accepted: it has to find by itself who waits for whom. Planning and packaging it takes as the
forecasts do. How many promises were kept is told for each load.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from infra.simulation.disciplines import NAMES, discipline_of
from infra.simulation.figures import Figures, Spread
from infra.simulation.videos import TaskShape
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task, single_tasks
from storage.objects import keys
from storage.scheduling.promises_kept import accuracy
from storage.services import Services
from tests.bench.footage import CLIPS, MEDIA, cut_of, openings_of
from tests.bench.installation import JOB_SECONDS, READABLE, Installation
from tests.bench.results import keep, markdown_table
from tests.support.ended import whole
from tests.support.simulating import GivenVideos, arrival, simulated
from tests.support.waiting import wait_until

# Lengths in seconds, short ones often: seven jobs have all of them, in any order, so that each load is as mixed.
LENGTHS = (2.0, 2.0, 2.0, 4.0, 4.0, 10.0, 20.0)
JOBS = 28  # of each load; from one to another the part of kept promises differs by 15 % either way
FOOTAGE_SECONDS = 50.0  # of each source
PAUSES_SECONDS = (12.0, 18.0)  # from one to the next on average, for 2 slots of the machine of docs/encoding-figures.md
HEAD = ["", "begun, median", "95 %", "ready, median", "95 %"]
OWNERS = 4
SEED = 6


def measured_load(installation: Installation, folder: Path, *, jobs: int, pause: float) -> list[Job]:
    """Bring so many clips, `pause` seconds apart on average; wait until all are ready and return them."""
    folder.chmod(READABLE)
    chance = Random(SEED)
    lengths = [length for _ in range(0, jobs, len(LENGTHS)) for length in chance.sample(LENGTHS, len(LENGTHS))]
    came = []
    due = time.time()
    for number in range(jobs):
        due += chance.expovariate(1 / pause)
        clip, owner = _clip(chance, folder / str(number), lengths[number]), f"owner {chance.randrange(OWNERS)}"
        wait_until(partial(_is_past, due), seconds=JOB_SECONDS, what="the next arrival")
        came.append(installation.bring(clip, owner))
    services = installation.services()
    ended = [JobState.READY, JobState.FAILED]
    wait_until(lambda: all(services.jobs.get(each).state in ended for each in came), seconds=JOB_SECONDS)
    return [whole(services, each) for each in came]


def _is_past(due: float) -> bool:
    return time.time() >= due


def _clip(chance: Random, folder: Path, seconds: float) -> Path:
    """Return a clip of this length from anywhere in the footage: hardly two jobs are of the same pictures."""
    folder.mkdir()
    source = MEDIA / chance.choice(CLIPS)
    start = chance.choice([start for start in openings_of(source) if start + seconds < FOOTAGE_SECONDS])
    return cut_of(source, folder, start=start, seconds=seconds)


def shape_of(services: Services, job: Job) -> TaskShape:
    """Return the job's tasks with the seconds that each took."""
    if job.plan is None or job.state is not JobState.READY:
        raise RuntimeError(f"{job.title}: {job.state} {job.error}")
    report = json.loads(b"".join(services.objects.read(keys.rendition(job.id, "report.json"))))
    took = {field: float(result["seconds"]) for field, result in report["tasks"].items()}
    single = single_tasks(job.plan, job.id)
    segments = [Task(job.id, Stage.SEGMENT, index) for index in range(job.plan.segment_count)]
    tasks = [took[task.field] for task in (segments[0], *single, *segments[1:])]
    return TaskShape(tasks, 1 + len(single), sum(tasks))


def replayed(jobs: Sequence[Job], shapes: Sequence[TaskShape], slots: int, discipline: str) -> Figures:
    """Simulate the same arrivals with the same tasks."""
    began = min(job.created_at for job in jobs)
    order = sorted(range(len(jobs)), key=lambda number: jobs[number].created_at)
    arrivals = [arrival(jobs[number].created_at - began, number, owner=jobs[number].owner) for number in order]
    return simulated(arrivals, discipline_of(discipline, slots), GivenVideos(slots, shapes))


def spread_of(values: Iterable[float]) -> Spread:
    """Return how measured times are spread, told in the same way as simulated ones."""
    spread = Spread()
    for value in values:
        spread.add(value)
    return spread


def told(spread: Spread) -> list[str]:
    """Return median and 95th percentile in words."""
    return [f"{spread.quantile(part) or 0.0:.1f} s" for part in (0.5, 0.95)]


def compared(slots: int, jobs: int, pause: float) -> list[str]:
    """Bring a load to an installation of its own; return the table of measured and simulated times, and a note."""
    with tempfile.TemporaryDirectory() as name, Installation(slots) as installation:
        services = installation.services()
        ended = measured_load(installation, Path(name), jobs=jobs, pause=pause)
        shapes = [shape_of(services, job) for job in ended]
        kept = accuracy(services.jobs.recent_finished())
    begun = spread_of((job.begun_at or 0.0) - job.created_at for job in ended)
    ready = spread_of((job.finished_at or 0.0) - job.created_at for job in ended)
    rows = [["measured", *told(begun), *told(ready)]]
    for discipline, about in NAMES.items():
        figures = replayed(ended, shapes, slots, discipline)
        rows.append([f"simulated: {about}", *told(figures.begun), *told(figures.ready)])
    work = sum(shape.cost for shape in shapes)
    spent = max(job.finished_at or 0.0 for job in ended) - min(job.created_at for job in ended)
    note = (
        f"{len(ended)} clips of {OWNERS} owners, {work:.0f} encoder-seconds in {spent:.0f} s on {slots} slots "
        f"({work / spent / slots:.0%} busy). Of {kept.compared} promises, made when a job was planned, "
        f"{kept.start or 0:.0%} of the starts and {kept.ready or 0:.0%} of the ends were kept: within a quarter of the "
        f"time from acceptance, or five seconds."
    )
    return [markdown_table(HEAD, rows), note]


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--pause", type=float, nargs="+", default=PAUSES_SECONDS, help="seconds between jobs, by load")
    options = parser.parse_args()
    parts = [part for pause in options.pause for part in compared(options.slots, options.jobs, pause)]
    keep("simulate", "make bench-simulate", parts)


if __name__ == "__main__":
    main()
