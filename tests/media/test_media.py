"""Every file of ../shared/media through the real stack, a line for each: `make test-media`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage.media_errors import MediaError
from storage.model.job import Job, JobState
from storage.objects import keys
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.ended import whole
from tests.support.hls_rules import broken_rules
from tests.support.looking import look
from tests.support.media import media_root
from tests.support.processes import arguments_of, descendants
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer
from workers.ffmpeg.mp4_chapters import within

FILE_SECONDS = 1800.0  # for one file: 2 h 47 min at one frame a second took 13 minutes on two busy cores
SLOTS = 2
FOLDERS = ("happy", "nasty")
MEDIA_CODES = {kind.code for kind in MediaError.__subclasses__()}
pytestmark = [pytest.mark.media, pytest.mark.timeout(FILE_SECONDS + 60)]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """The real parts and the workers on them."""

    services: Services
    settings: Settings
    workers: tuple[WorkerServer, ...]

    def finished(self, path: Path) -> Job:
        """Take the file to its end; fail when that takes longer than FILE_SECONDS."""
        job = submit(self.services, path)
        try:
            wait_until(lambda: self._job(job).state.finished, seconds=FILE_SECONDS, what=f"the end of {path.name}")
        except AssertionError:
            self.services.jobs.move(job.id, JobState.CANCELLED)  # the next file is not to wait for this one
            raise
        return self._job(job)

    def _job(self, job: Job) -> Job:
        return whole(self.services, job.id)

    def leftovers(self) -> list[str]:
        """Return the tools that still run and the scratch folders that are still there."""
        tools = (pid for worker in self.workers for pid in descendants(worker.pid))
        running = [" ".join(arguments[:1]) for pid in tools if _is_tool(arguments := arguments_of(pid))]
        return running + [path.name for path in self.settings.scratch_dir.iterdir() if path.is_dir()]


def _is_tool(arguments: list[str]) -> bool:
    return bool(arguments) and Path(arguments[0]).name in {"ffmpeg", "ffprobe"}


@pytest.fixture(scope="module")
def stack(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run a control worker, an encode worker and a janitor over a real Redis and local objects."""
    folder = tmp_path_factory.mktemp("media")
    settings = Settings(data_dir=folder / "data", redis_url=SecretStr(redis_server.url))
    services = connect(settings, patience=2.0)
    services.objects.prepare()
    workers = [WorkerServer(folder / role, role, settings, slots=SLOTS) for role in ("janitor", "control", "encode")]
    try:
        yield Stack(services, settings, tuple(worker.start() for worker in workers))
    finally:
        for worker in workers:
            worker.stop_if_running()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each file, or one that says that the folder is missing."""
    root = media_root()
    for folder in FOLDERS:
        if folder in metafunc.fixturenames:
            names = sorted(path.name for path in (root / folder).iterdir()) if root.is_dir() else [""]
            metafunc.parametrize(folder, names)


def test_a_good_file_becomes_a_ladder(happy: str, media_dir: Path, stack: Stack, say: Say) -> None:
    """It is ready, and each rung has the planned size and every frame; what is only sound is refused as that."""
    job = measured(stack, media_dir / "happy" / happy, say)
    if happy.startswith("audio_"):
        assert job.error is not None
        assert job.error.code == "audio_only"
        return
    assert (job.state, job.error) == (JobState.READY, None)
    assert job.plan is not None
    master = stack.services.objects.local_path(keys.rendition(job.id, "hls/master.m3u8"))
    assert master is not None
    assert broken_rules(master) == []
    frames = report(stack, job)["frames"]
    for rung in job.plan.rungs:
        path = stack.services.objects.local_path(keys.rendition(job.id, f"{rung.name}.mp4"))
        assert path is not None
        looked = look(path)
        assert (looked.frames, looked.size) == (frames, (rung.width, rung.height))
        planned = sum(2 if audio.surround_bitrate else 1 for audio in job.plan.audio)
        assert len(looked.sounds) == planned
        assert len(looked.texts) == len(job.subtitles_made or ())
        assert looked.chapters == len(within(job.plan.chapters, float(frames / job.plan.rate)))


def test_a_nasty_file_ends_in_a_clear_answer(nasty: str, media_dir: Path, stack: Stack, say: Say) -> None:
    """It is ready, or it failed with a code and a sentence that says what is wrong and betrays nothing."""
    job = measured(stack, media_dir / "nasty" / nasty, say)
    if job.state is JobState.READY:
        return
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code in MEDIA_CODES
    assert job.error.message.endswith(".")
    shown = job.error.message + job.error.detail
    assert not any(secret in shown for secret in (str(stack.settings.data_dir), "root:", "169.254"))


def measured(stack: Stack, path: Path, say: Say) -> Job:
    """Take the file to its end, print its line, and fail if anything was left behind."""
    began = time.monotonic()
    job = stack.finished(path)
    say(f"{path.name[:44]:44} {job.state:9} {outcome(stack, job)} {time.monotonic() - began:6.1f} s")
    for warning in job.warnings:
        say(f"{'':44}   {warning.message}")
    wait_until(lambda: not stack.leftovers(), what=f"an end without {stack.leftovers()}")
    wait_until(lambda: not stack.services.publisher.pending(), what="an empty broker")
    return job


def outcome(stack: Stack, job: Job) -> str:
    """Return code and sentence of a failure, or rungs and frames."""
    if job.error is not None:
        return f"{job.error.code}: {job.error.message}"
    rungs = ",".join(output.rung for output in job.outputs)
    return f"{rungs:20} {report(stack, job)['frames']:6} frames"


def report(stack: Stack, job: Job) -> dict[str, Any]:
    """Return the job's report."""
    key = keys.rendition(job.id, "report.json")
    answer: dict[str, Any] = json.loads(b"".join(stack.services.objects.read(key)))
    return answer
