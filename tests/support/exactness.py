"""Measuring how exact one job is: counts, times and pictures at every place where they could go wrong."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from storage.model.job import Job, JobState
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.task import Stage, Task
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive
from tests.support.fragments import read_fragmented
from tests.support.hls import read_playlist
from tests.support.job_store import OwnJobStore
from tests.support.memory_publisher import MemoryPublisher
from tests.support.pictures import decoded, difference, filtered, hashes, picture
from tests.support.results import made
from workers.ffmpeg.commands import timescale
from workers.planning.segments import without_cuts

SLOTS = 8  # clips of ten seconds are cut into as many segments as the plan ever makes of them
FOREVER = 3600.0
# Neighbouring pictures of the source can be told apart in the result if they differ by more than so many times what the
# encoder lost (squared differences): with less the loss itself may point to the other one.
TELLING = 4.0
STILL = 0.05  # squared steps of 1/255: less is no movement
_DEADLINE_SECONDS = 300


@dataclass(frozen=True)
class Track:
    """What ffprobe finds in one rung's MP4 or playlist: frames, and how far the worst lies off the grid, seconds."""

    frames: int
    off_grid: float


@dataclass(frozen=True)
class Exactness:
    """What was measured of one file; by rung what ffprobe finds in MP4 and playlist, and the boxes behind the playlist.

    `wrong` are (segment, frames) whose filtered pictures differ from those of a run over the whole file; `shifted`
    frames beside a join that look more like the source's frame before or after, of `compared` that moved enough.
    """

    state: JobState
    error: str = ""
    warnings: Warnings = ()
    segments: int = 0
    planned: int = 0
    encoded: int = 0
    frame_seconds: float = 0.0
    mp4: dict[str, Track] = field(default_factory=dict)
    hls: dict[str, Track] = field(default_factory=dict)
    boxes: dict[str, Track] = field(default_factory=dict)
    wrong: tuple[tuple[int, int], ...] = ()
    compared: int = 0
    shifted: tuple[int, ...] = ()
    seconds: float = 0.0


def local_services(folder: Path, slots: int) -> Services:
    """Return the parts of an installation with so many encoder slots, its objects in the folder."""
    objects = LocalObjectStore(folder / "objects")
    objects.prepare()
    jobs = OwnJobStore()
    jobs.announce("worker", slots, seconds=FOREVER)
    return Services(jobs=jobs, objects=objects, publisher=MemoryPublisher())


def examine(source: Path, folder: Path) -> Exactness:
    """Take the file through the real stages and measure what came out; the folder is removed afterwards."""
    folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        services = local_services(folder, SLOTS)
        job = drive(services, Settings(data_dir=folder / "data"), source)
        if job.plan is None or job.state is not JobState.READY:
            return Exactness(job.state, error="" if job.error is None else job.error.code)
        return _measured(services, job, job.plan, source, folder, began)
    finally:
        shutil.rmtree(folder)


def _measured(services: Services, job: Job, plan: Plan, source: Path, folder: Path, began: float) -> Exactness:
    results, segments = services.jobs.results(job.id), services.jobs.segments(job.id)
    uncut, (everything,) = without_cuts(plan, threads=2)
    whole = filtered(uncut, everything, source, folder / "whole.yuv")
    wrong = differing(plan, segments, source, whole, folder)
    smallest = made(services, job, f"{plan.rungs[-1].name}.mp4")
    compared, shifted = _joins(plan, segments, whole, decoded(smallest, folder / "made.yuv"))
    return Exactness(
        state=job.state,
        warnings=job.warnings,
        segments=len(segments),
        planned=plan.frames,
        frame_seconds=float(1 / plan.rate),
        encoded=sum(results[Task(job.id, Stage.SEGMENT, part.index).field]["frames"] for part in segments),
        mp4={rung.name: track(made(services, job, f"{rung.name}.mp4"), plan) for rung in plan.rungs},
        hls={rung.name: track(made(services, job, f"hls/{rung.name}/index.m3u8"), plan) for rung in plan.rungs},
        boxes={rung.name: _boxes(made(services, job, f"hls/{rung.name}/index.m3u8"), plan) for rung in plan.rungs},
        wrong=wrong,
        compared=compared,
        shifted=shifted,
        seconds=time.monotonic() - began,
    )


def track(path: Path, plan: Plan) -> Track:
    """Count the frames that ffprobe finds in a video or playlist, and measure their distance from the grid."""
    asked = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    listed = subprocess.run(
        [*asked, path],
        check=True,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
    ).stdout.split()
    times = sorted(float(line.strip(",")) for line in listed)
    return Track(len(times), max(abs(at - float(n / plan.rate)) for n, at in enumerate(times)))


def _boxes(playlist: Path, plan: Plan) -> Track:
    """Count the frames in what a player of this playlist fetches, and measure how far they lie off the grid.

    The times are those in the boxes, and each fragment's first one is where the playlist says that it begins.
    """
    fetched = read_playlist(playlist)
    joined = playlist.with_name("joined.mp4")
    worst, count, at = 0.0, 0, Fraction(0)
    for fragment in fetched.fragments:
        joined.write_bytes(fetched.init + fragment.data)
        times = [Fraction(time, timescale(plan)) for time in read_fragmented(joined).times]
        off = (abs(time - (count + n) / plan.rate) for n, time in enumerate(times))
        worst = max(worst, float(abs(times[0] - at)), *map(float, off))
        count += len(times)
        at += fragment.seconds
    joined.unlink()
    return Track(count, worst)


def differing(
    plan: Plan, segments: tuple[Segment, ...], source: Path, whole: Path, folder: Path
) -> tuple[tuple[int, int], ...]:
    """Return segment and count of the pictures that are not those of the run over the whole file."""
    expected, found = hashes(whole), list[tuple[int, int]]()
    for segment in segments:
        alone = filtered(plan, segment, source, folder / "segment.yuv")
        wanted = expected[segment.first_frame : segment.first_frame + segment.frames]
        got = hashes(alone)
        different = abs(len(got) - len(wanted)) + sum(a != b for a, b in zip(got, wanted, strict=False))
        if different:
            found.append((segment.index, different))
        alone.unlink()
    return tuple(found)


def _joins(plan: Plan, segments: tuple[Segment, ...], source: Path, target: Path) -> tuple[int, tuple[int, ...]]:
    """Return how many frames beside joins could be compared, and those that look like another one of the source."""
    compared, shifted = 0, list[int]()
    for segment in segments[1:]:
        for number in range(segment.first_frame - 1, min(segment.first_frame + 2, plan.frames)):
            shown, own = picture(target, number), picture(source, number)
            near = [picture(source, n) for n in (number - 1, number + 1) if 0 <= n < plan.frames]
            loss = min(difference(shown, one) for one in (own, *near))
            telling = [other for other in near if difference(own, other) > max(STILL, TELLING * loss)]
            compared += bool(telling)
            if any(difference(shown, other) <= difference(shown, own) for other in telling):
                shifted.append(number)
    return compared, tuple(shifted)
