"""Jobs, plans and the steps between them for tests of the stores: small, valid, and no particular video."""

from __future__ import annotations

from typing import Any

from storage.job_store.contract import Claim, JobStore
from storage.model.job import Changes, Job, JobError, JobState
from storage.model.job_warnings import warning
from storage.model.plan import BT709, AudioSource, Plan, Rung, Segment, VideoSource
from storage.model.task import Stage, Task
from web.routes.uploading import new_job_id

CREATED_AT = 1_790_000_000.25
LEASE = 30.0
SOUND = AudioSource(
    stream=1, codec="aac", channels=2, sample_rate=48_000, bitrate=128_000, source_channels=2, layout="stereo"
)
LIMIT = 3
WHY = JobError("tool_failed", "ffmpeg ended with code 1.")  # a failed attempt's reason where it does not matter


def make_job(**fields: Any) -> Job:
    """Return a queued job; the arguments replace its fields."""
    known: dict[str, Any] = {
        "id": new_job_id(),
        "owner": "local",
        "title": "Ein Film: «日本» 🎬",
        "filename": "../../etc/passwd\x00.mp4",
        "size": 123_456,
        "created_at": CREATED_AT,
    }
    return Job(**(known | fields))


def make_plan(*, segments: int = 2, frames: int = 100, audio: bool = True) -> Plan:
    """Return a plan of so many segments of `frames` output frames each, at 30000/1001."""
    return Plan(
        video=VideoSource(
            stream=0,
            codec="h264",
            width=1920,
            height=1080,
            display_width=1920,
            display_height=1080,
            rotation=0,
            mirrored=False,
            interlaced=False,
            colour=BT709,
            alpha=False,
            start_time=0.5,
            container_start=0.0,
        ),
        audio=(SOUND,) if audio else (),
        rungs=(
            Rung("1080p", 1920, 1080, 23, 6_000_000, 12_000_000),
            Rung("480p", 854, 480, 23, 1_500_000, 3_000_000),
        ),
        rate_num=30_000,
        rate_den=1001,
        frames=segments * frames,
        tail_frames=0,
        fragment_frames=50,
        segment_count=segments,
        preset="veryfast",
        warnings=(warning("audio_left_out", n=2),),
    )


def make_segments(plan: Plan) -> tuple[Segment, ...]:
    """Return the segments of a plan of `make_plan`."""
    frames = plan.frames // plan.segment_count
    return tuple(Segment(index, index * frames, frames, 1) for index in range(plan.segment_count))


def with_plan(*, segments: int = 2, frames: int = 100, audio: bool = True) -> Changes:
    """Return what the move to `encoding` writes: such a plan and its segments."""
    plan = make_plan(segments=segments, frames=frames, audio=audio)
    return Changes(plan=plan, segments=make_segments(plan))


def claim(store: JobStore, task: Task, attempt: str = "a", *, lease: float = LEASE, limit: int = LIMIT) -> Claim:
    """Claim with the defaults of these tests."""
    return store.claim(task, attempt, lease_seconds=lease, limit=limit)


def held(store: JobStore, job_id: str) -> set[str]:
    """Return the fields of the job's tasks that a live attempt holds."""
    return {field for field, lease in store.leases(job_id).items() if lease.live and lease.attempt}


def counted(store: JobStore, task: Task) -> int:
    """Return how many attempts at the task are counted."""
    return store.attempts(task.job_id).get(task.field, 0)


def position(store: JobStore, job_id: str) -> int | None:
    """Return the place of a job that is queued, None for any other."""
    jobs = store.records([job_id])
    queued = {job.id: job.start_target for job in jobs if job.state is JobState.QUEUED}
    return store.places(queued).get(job_id)


def created(store: JobStore, **fields: object) -> Job:
    """Create a job and return it as the store keeps it."""
    job = make_job(**fields)
    store.create(job, () if job.plan is None else make_segments(job.plan))
    return store.get(job.id)


def encoding(store: JobStore, *, segments: int = 2, audio: bool = True) -> Job:
    """Create a job and bring it to `encoding`."""
    job = created(store)
    store.move(job.id, JobState.PLANNING)
    return store.move(job.id, JobState.ENCODING, with_plan(segments=segments, audio=audio))


def finish_all(store: JobStore, job: Job) -> None:
    """Finish every task of an encoding job."""
    assert job.plan is not None
    stages = [Task(job.id, Stage.POSTER), Task(job.id, Stage.AUDIO)]
    for task in (*stages, *(Task(job.id, Stage.SEGMENT, index) for index in range(job.plan.segment_count))):
        if claim(store, task) is Claim.GRANTED:
            store.finish(task, "a", {"made": True})
