"""Jobs in every state, as the browser tests and their pages want them."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from storage.model.damage import Damage, summed_up, warnings_of
from storage.model.job import Changes, Job, JobError, JobState, Output
from storage.model.plan import Plan, Rung
from storage.model.task import Stage, Task
from storage.model.upload import OpenUpload
from storage.objects import keys
from storage.services.queue_reading import estimate_all
from tests.e2e.browser import Site
from tests.support.clips import make_clip, make_fragmented
from tests.support.jobs import make_job, make_plan, make_segments
from workers.ffmpeg.mp4_boxes import grouped, read_fragmented

RUNGS = (
    Rung("1080p", 1920, 1080, 23, 6_000_000, 12_000_000),
    Rung("720p", 1280, 720, 23, 3_000_000, 6_000_000),
    Rung("480p", 854, 480, 23, 1_500_000, 3_000_000),
)
FRAMES = 96
SEGMENTS = 14
CLIP_SECONDS = 4
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&"
_ATTEMPT = "test"


def a_plan(*, audio: bool = False) -> Plan:
    """Return a plan of 56 seconds at 24 frames per second with three rungs and no warnings."""
    plan = make_plan(segments=SEGMENTS, frames=FRAMES, audio=audio)
    return replace(plan, rungs=RUNGS, rate_num=24, rate_den=1, warnings=())


def add_job(site: Site, title: str = "A film", **fields: object) -> Job:
    """Put a queued job into the site's store, made just now."""
    job = make_job(**{"title": title, "created_at": time.time(), **fields})
    site.jobs.create(job)
    estimate_all(site.jobs)
    return job


def add_upload(site: Site, title: str = "A film", *, received: int = 4_321_000, length: int = 12_345_678) -> Job:
    """Put the job of an upload into the site's store of which so many bytes have come just now."""
    job = make_job(title=title, size=length, created_at=time.time(), state=JobState.UPLOADING, incomplete=True)
    site.jobs.note_upload(OpenUpload(job.id, "127.0.0.1", received, length - received, time.time()))
    site.jobs.create(job)
    return job


def start(site: Site, job: Job) -> None:
    """Take a queued job to encoding."""
    site.jobs.move(job.id, JobState.PLANNING)
    plan = a_plan()
    site.jobs.move(job.id, JobState.ENCODING, Changes(plan=plan, segments=make_segments(plan)))
    estimate_all(site.jobs)


def encode(site: Site, job: Job, segments: int) -> None:
    """Report the first segments of an encoding job as encoded."""
    for index in range(segments):
        task = Task(job.id, Stage.SEGMENT, index)
        site.jobs.claim(task, _ATTEMPT, lease_seconds=60, limit=3)
        site.jobs.report(task, _ATTEMPT, FRAMES)


def finish_first_segment(site: Site, job: Job) -> None:
    """Finish the first segment of an encoding job, so that it has playlists, with real pictures behind them."""
    task = Task(job.id, Stage.SEGMENT, 0)
    site.jobs.claim(task, _ATTEMPT, lease_seconds=60, limit=3)
    fragments = {rung.name: {"codec": "avc1.64001f", "fragments": _put_segment(site, job, rung)} for rung in RUNGS}
    site.jobs.finish(task, _ATTEMPT, {"frames": FRAMES, "seconds": 1.0, "rungs": fragments})


def _put_segment(site: Site, job: Job, rung: Rung) -> list[int]:
    """Put a rung's first segment into its playlist's folder; returns the bytes of its fragments."""
    plan = a_plan()
    path = _clip_path(site, f"{rung.name}-fragmented.mp4")
    every = plan.fragment_frames
    make_fragmented(path, frames=FRAMES, every=every, size=_small(rung), rate=plan.rate)
    with path.open("rb") as file:
        found = read_fragmented(file, path.stat().st_size)
    data = path.read_bytes()
    begin, end = found.pieces[0].start, found.pieces[-1].end
    for key, part in ((keys.init, data[: found.init_bytes]), (partial(keys.segment, index=0), data[begin:end])):
        site.web.services.objects.put_bytes(key(job.id, rung.name), part, content_type="video/mp4")
    return list(grouped(found, first=0, frames=every, ticks=found.pieces[0].ticks // every))


def finish(site: Site, job: Job, damage: tuple[Damage, ...] = ()) -> None:
    """Take an encoding job to ready; its files are small real MP4s with a picture, CLIP_SECONDS long."""
    site.jobs.move(job.id, JobState.PACKAGING)
    outputs = tuple(Output(rung.name, _put_clip(site, job, rung)) for rung in RUNGS)
    warnings = tuple(warnings_of(summed_up(damage)))
    site.jobs.move(job.id, JobState.READY, Changes(outputs=outputs, damage=damage, warnings=warnings))


def add_ready(site: Site, damage: tuple[Damage, ...] = ()) -> Job:
    """Put a ready job into the site's store, which plays its MP4s."""
    job = add_job(site)
    start(site, job)
    encode(site, job, SEGMENTS)
    finish(site, job, damage)
    return site.jobs.get(job.id)


def _put_clip(site: Site, job: Job, rung: Rung) -> int:
    path = _clip_path(site, f"{rung.name}.mp4")
    make_clip(path, seconds=CLIP_SECONDS, size=_small(rung))
    key = keys.rendition(job.id, path.name)
    return site.web.services.objects.put_file(key, path, content_type="video/mp4").size


def _clip_path(site: Site, name: str) -> Path:
    site.web.settings.data_dir.mkdir(parents=True, exist_ok=True)
    return site.web.settings.data_dir / name


def _small(rung: Rung) -> str:
    return f"{rung.width // 8 * 2}x{rung.height // 8 * 2}"


def fail(site: Site, job: Job, code: str = "decode_failed") -> None:
    """Fail an unfinished job with the words of a damaged video."""
    error = JobError(code, "This video is damaged.", "[h264] error while decoding MB 30 12\nInvalid data found")
    site.jobs.move(job.id, JobState.FAILED, Changes(error=error))


def in_every_state(site: Site) -> dict[str, Job]:
    """Put one job of each state into the store; return them by state."""
    jobs = {state.value: add_job(site, f"A {state} film") for state in JobState if state is not JobState.UPLOADING}
    jobs["uploading"] = add_upload(site, "An uploading film")
    site.jobs.move(jobs["planning"].id, JobState.PLANNING)
    for state in ("encoding", "packaging", "ready"):
        start(site, jobs[state])
        encode(site, jobs[state], SEGMENTS // 2)
    site.jobs.move(jobs["packaging"].id, JobState.PACKAGING)
    finish(site, jobs["ready"])
    fail(site, jobs["failed"])
    site.jobs.move(jobs["cancelled"].id, JobState.CANCELLED)
    return jobs
