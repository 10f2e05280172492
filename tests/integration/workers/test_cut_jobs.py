"""Jobs of several segments with the real ffmpeg: fairness, determinism, sound while it is made, and falling back."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from storage.broker.contract import QUEUES
from storage.errors import OutputMismatchError
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.scheduling.fairness import budget
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive, resume, step, submit
from tests.support.job_store import OwnJobStore
from tests.support.looking import frame_times
from tests.support.memory_publisher import MemoryPublisher
from tests.support.results import made
from workers.attempts.attempt import Attempt, attempt_task
from workers.attempts.fallback import NOT_CUT
from workers.ffmpeg.commands import segment_command
from workers.stages import STAGES

Clip = Callable[..., Path]
SLOTS = 4  # clips of seconds are cut for them
FOREVER = 3600.0
CROWD, RUNS = 6, 48  # at one in nine, 48 runs in a crowd miss the fault once in 280 times


@pytest.fixture
def cut_services(own_services: Services) -> Services:
    """Give the parts of an installation with several slots."""
    own_services.jobs.announce("worker", SLOTS, seconds=FOREVER)
    return own_services


def fragments(services: Services, job: Job) -> dict[str, bytes]:
    """Return everything that a player fetches of the job, by name."""
    prefix = keys.fragments(job.id)
    return {key.removeprefix(prefix): b"".join(services.objects.read(key)) for key in services.objects.keys(prefix)}


@contextlib.contextmanager
def other_work() -> Iterator[None]:
    """Keep every core busy with encoding of another size."""
    command = "ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=1280x720:rate=60 -c:v libx264 -f null -"
    with subprocess.Popen(command.split()) as busy:
        try:
            yield
        finally:
            busy.kill()


@pytest.mark.parametrize("rate", ["24000/1001", "50"])
def test_the_same_segment_gives_the_same_bytes(
    rate: str, clip: Clip, cut_services: Services, settings: Settings
) -> None:
    """Encoded again with other work beside it, every init section and every fragment is identical."""
    source = clip(f"twice_{rate[:2]}.mp4", seconds=7, size="640x360", rate=rate)
    quiet = drive(cut_services, settings, source)
    with other_work():
        busy = drive(cut_services, settings, source)
    assert quiet.plan is not None
    segments = cut_services.jobs.segments(quiet.id)
    assert len(segments) >= SLOTS
    assert {segment.threads for segment in segments} == {1, 2}
    assert (quiet.plan, segments) == (busy.plan, cut_services.jobs.segments(busy.id))
    made = fragments(cut_services, quiet)
    assert {f"360p/{segment.index:05d}.m4s" for segment in segments} <= set(made)
    assert made == fragments(cut_services, busy)


def test_two_threads_give_the_same_bytes_however_they_run(
    clip: Clip, cut_services: Services, settings: Settings, tmp_path: Path
) -> None:
    """x264 looking ahead in a thread of its own gave other bytes in one of nine runs of such a segment."""
    source = clip("hurried.mp4", seconds=6)
    job = drive(cut_services, settings, source)
    last = cut_services.jobs.segments(job.id)[-1]
    assert job.plan is not None
    assert last.threads > 1

    def encoded(run: int) -> bytes:
        folder = tmp_path / str(run)
        folder.mkdir()
        assert job.plan is not None
        command = segment_command(job.plan, last, str(source), folder)
        subprocess.run(command, check=True, capture_output=True)
        return (folder / "180p.mp4").read_bytes()

    with ThreadPoolExecutor(CROWD) as crowd:
        assert len(set(crowd.map(encoded, range(RUNS)))) == 1


def test_segments_of_every_rung_share_one_init_section(clip: Clip, cut_services: Services, settings: Settings) -> None:
    """Whatever a segment shows, the init section made with it is the one that is stored with the first."""
    seen: dict[str, set[bytes]] = {}
    job = submit(cut_services, clip("init.mp4", seconds=4, size="854x480", audio=False))
    segment_stage = STAGES[Stage.SEGMENT]

    def watched(attempt: Attempt) -> None:
        segment_stage(attempt)
        for path in attempt.scratch.glob("*.mp4"):
            data = path.read_bytes()
            seen.setdefault(path.stem, set()).add(data[: data.index(b"moof") - 4])

    run(cut_services, settings, watched)
    assert cut_services.jobs.get(job.id).state is JobState.READY
    for rung, inits in seen.items():
        assert inits == {b"".join(cut_services.objects.read(keys.init(job.id, rung)))}


def run(services: Services, settings: Settings, segment_stage: Callable[[Attempt], None]) -> list[Task]:
    """Work on all messages with a segment stage of the test's own; return the tasks in the order of their delivery."""
    assert isinstance(services.publisher, MemoryPublisher)
    publisher, stages = services.publisher, STAGES | {Stage.SEGMENT: segment_stage}
    done: list[Task] = []
    while task := next(filter(None, map(publisher.deliver, QUEUES)), None):
        attempt_task(task, stages[task.stage], services, settings)
        publisher.acknowledge(task)
        done.append(task)
    return done


def test_a_segment_that_never_fits_is_mended_by_one_piece(
    clip: Clip, cut_services: Services, settings: Settings
) -> None:
    """A segment whose frames are wrong each time costs the cuts, not the job: every frame is there, and it is said."""
    tried: list[int] = []

    def wrong_in_the_middle(attempt: Attempt) -> None:
        tried.append(attempt.task.index)
        if attempt.task.index == 2:
            raise OutputMismatchError(detail="29 frames were encoded, 30 were planned.")
        STAGES[Stage.SEGMENT](attempt)

    job = submit(cut_services, clip("wrong.mp4", seconds=5))
    while run(cut_services, settings, wrong_in_the_middle):
        resume(cut_services, job)
    job = cut_services.jobs.get(job.id)
    assert (job.state, job.error, job.warnings) == (JobState.READY, None, (NOT_CUT,))
    assert job.plan is not None
    assert (job.plan.segment_count, job.frames_done) == (1, 150)
    assert tried.count(2) == settings.attempts
    assert frame_times(made(cut_services, job, "180p.mp4")) == pytest.approx([n / 30 for n in range(150)], abs=0.0005)
    assert [name for name in fragments(cut_services, job) if name.startswith("180p/0")] == ["180p/00000.m4s"]


def test_jobs_are_encoded_in_the_order_of_their_targets(clip: Clip, cut_services: Services, settings: Settings) -> None:
    """One after the other, with no more tasks out than the slots need: a start goes out whole where one has room."""
    cut_services.jobs.announce("worker", 2, seconds=FOREVER)
    source = clip("shared.mp4", seconds=8, size="128x96", audio=False)
    first, second = (submit(cut_services, source) for _ in range(2))
    out: list[int] = []
    order: list[str] = []

    def watched(attempt: Attempt) -> None:
        out.append(sum(not field.startswith("plan") for _, field in cut_services.publisher.pending()))
        if attempt.task.index:  # first segments go ahead of others that wait
            order.append(attempt.job.id)
        STAGES[Stage.SEGMENT](attempt)

    run(cut_services, settings, watched)
    assert [cut_services.jobs.get(job.id).state for job in (first, second)] == [JobState.READY] * 2
    count = len(order) // 2
    assert order == [first.id] * count + [second.id] * count
    assert max(out) <= budget(2) + 2


def test_a_plan_gives_the_job_its_place_and_a_truer_promise(
    clip: Clip, cut_services: Services, settings: Settings
) -> None:
    """What costs more has a later target; the promise follows from what stands before the job."""
    sources = [clip(f"{seconds}.mp4", seconds=seconds, size="640x360", audio=False) for seconds in (1, 60)]
    short, film = (submit(cut_services, source, owner=source.stem) for source in sources)
    for _ in range(2):
        step(cut_services, settings)
    short, film = (cut_services.jobs.get(job.id) for job in (short, film))
    assert (short.state, film.state) == (JobState.ENCODING, JobState.ENCODING)
    assert film.target > film.start_target
    assert film.target - film.start_target > short.target - short.start_target
    assert short.promise is not None
    assert film.promise is not None
    assert film.promise.start_at < film.promise.ready_at
    assert film.promise.ready_at > short.promise.ready_at


class WatchedJobs(OwnJobStore):
    """A job store that keeps what was said of running tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []
        self.then: Callable[[], None] = lambda: None

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """See TaskStore.interim."""
        self.said.append(result | {"parts": list(result["parts"])})
        self.then()
        return super().interim(task, attempt, result)


def test_sound_can_be_fetched_while_it_is_made(clip: Clip, own_services: Services, settings: Settings) -> None:
    """The parts that the record names so far are stored already; all of them together are as long as the video."""
    jobs = WatchedJobs()
    services = replace(own_services, jobs=jobs)
    job = submit(services, clip("long.mp4", seconds=240, size="64x48", rate="5"))
    stored: list[int] = []
    jobs.then = lambda: stored.append(len(fragments(services, job)))
    while Task(job.id, Stage.AUDIO).field not in jobs.results(job.id):
        assert step(services, settings)
    assert len(jobs.said) >= 2, "the whole sound came at once"
    assert all(not said["complete"] and said["codec"] == "mp4a.40.2" for said in jobs.said)
    counts = [len(said["parts"]) for said in jobs.said]
    assert counts == sorted(set(counts))
    rungs = sum(not name.startswith("audio/") for name in fragments(services, job))
    assert [count - 1 - rungs for count in stored] == counts  # an init section besides
    result = jobs.results(job.id)["audio:0"]
    assert result["complete"]
    assert result["parts"][: counts[0]] == jobs.said[0]["parts"]
    assert sum(Fraction(str(part["seconds"])) for part in result["parts"]) == pytest.approx(240, abs=0.03)
    assert max(part["seconds"] for part in result["parts"]) < 4.1
