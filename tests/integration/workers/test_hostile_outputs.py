"""Somebody has taken over ffmpeg: whatever is left in an output's place, nothing of it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.services.dispatch import dispatch
from storage.settings import Settings
from tests.support.driving import step, submit
from tests.support.job_store import OwnJobStore
from tests.support.memory_publisher import MemoryPublisher
from tests.support.stack import Clip
from tests.support.stand_in import LEFT, LEFT_OF_MP4, StandIn
from tests.support.unfenced import unfenced
from workers.attempts.attempt import attempt_task
from workers.stages import STAGES

ATTEMPTS = 100  # so that one job can be tried at with every kind


@dataclass(frozen=True)
class Bench:
    """A job before one of its tasks, at which every kind is tried: nothing of it may be published, so it stays so."""

    services: Services
    settings: Settings
    job: Job
    stand_in: StandIn

    def attempt(self, stage: Stage) -> str | None:
        """Try the stage's first task once; return the code it failed with, None where it did not."""
        before = self.services.jobs.get(self.job.id).failed_attempts
        attempt_task(Task(self.job.id, stage), STAGES[stage], self.services, self.settings)
        assert isinstance(self.services.jobs, OwnJobStore)
        self.services.jobs.end_rests(self.job.id)
        now = self.services.jobs.get(self.job.id)
        assert not now.state.finished or now.state is JobState.READY
        return None if now.failed_attempts[-1:] == before[-1:] else now.failed_attempts[-1].code

    def published(self) -> dict[str, bytes]:
        """Return what is published by now."""
        objects = self.services.objects
        return {key: b"".join(objects.read(key)) for key in objects.keys(keys.renditions(self.job.id))}


def bench(folder: Path, source: Path, stand_in: StandIn, until: JobState) -> Bench:
    """Take a job so far that its stages' tasks are the next, and have no message of its own any more."""
    objects = LocalObjectStore(folder / "objects")
    objects.prepare()
    services = Services(jobs=OwnJobStore(), objects=objects, publisher=MemoryPublisher())
    settings = Settings(data_dir=folder / "data").model_copy(update={"attempts": ATTEMPTS})
    stand_in.leave("nothing", "no output")
    job = submit(services, source)
    while services.jobs.get(job.id).state is not until:
        assert step(services, settings)
    dispatch(services)
    return Bench(services, settings, job, stand_in)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Put the stand-in into ffmpeg's place for this module, where the kernel refuses it nothing: the worker has to."""
    with unfenced(), pytest.MonkeyPatch.context() as patch:
        yield StandIn(tmp_path_factory.mktemp("stand_in"), patch)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, clip: Clip, stand_in: StandIn) -> Bench:
    """Give a job that is about to be encoded: one rung, one segment, with sound."""
    return bench(
        tmp_path_factory.mktemp("planned"), clip("hostile.mp4", seconds=0.5, size="160x90"), stand_in, JobState.ENCODING
    )


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory, clip: Clip, stand_in: StandIn) -> Bench:
    """Give the same job when it is about to be packaged."""
    return bench(
        tmp_path_factory.mktemp("encoded"),
        clip("hostile.mp4", seconds=0.5, size="160x90"),
        stand_in,
        JobState.PACKAGING,
    )


@pytest.mark.parametrize("kind", ["link", "hard link", "FIFO", "text", "too large", "something behind it"])
def test_a_fragment_that_is_none(kind: str, planned: Bench) -> None:
    """Nothing of the segment is published, and its attempt fails as any whose result is not the planned one."""
    planned.stand_in.leave(kind, "90p.mp4", alone=True)
    before = planned.published()
    assert planned.attempt(Stage.SEGMENT) == "output_mismatch"
    assert planned.published() == before


@pytest.mark.parametrize("kind", ["link", "FIFO", "text", "unknown codec"])
def test_sound_that_is_none(kind: str, planned: Bench) -> None:
    """Nothing of the sound is published. What is cut off, or no fragment, would be left out as while it grows."""
    planned.stand_in.leave(kind, "audio.mp4")
    before = planned.published()
    assert planned.attempt(Stage.AUDIO) == "output_mismatch"
    assert planned.published() == before


@pytest.mark.parametrize("kind", LEFT | LEFT_OF_MP4)
def test_an_mp4_that_is_none(kind: str, encoded: Bench) -> None:
    """It is not published, and the job is not ready."""
    encoded.stand_in.leave(kind, "90p.mp4", alone=True)
    assert encoded.attempt(Stage.PACKAGE) == "output_mismatch"
    assert keys.rendition(encoded.job.id, "90p.mp4") not in encoded.published()
    assert encoded.stand_in.secret.read_bytes()[:20] not in b"".join(encoded.published().values())


@pytest.mark.parametrize("kind", ["link", "FIFO"])
def test_a_listing_that_is_none(kind: str, planned: Bench) -> None:
    """What a tool lists is opened as its outputs are: a FIFO is not waited for."""
    planned.stand_in.leave(kind, "heard.txt")
    assert planned.attempt(Stage.AUDIO) == "output_mismatch"


def test_pictures_that_are_none(encoded: Bench) -> None:
    """They cost the storyboard and the poster, not the video: it is ready without them."""
    encoded.services.objects.delete_prefix(keys.rendition(encoded.job.id, "storyboard"))  # of honest attempts before
    encoded.stand_in.leave("link", "storyboard.jpg")
    assert encoded.attempt(Stage.PACKAGE) is None
    job = encoded.services.jobs.get(encoded.job.id)
    assert (job.state, job.has_storyboard) == (JobState.READY, False)
    assert not [key for key in encoded.published() if "storyboard" in key]


@pytest.mark.parametrize("kind", ["link", "text", "something behind it"])
def test_a_poster_that_is_none(kind: str, tmp_path: Path, clip: Clip, stand_in: StandIn) -> None:
    """All pictures that it could be: the job has no poster."""
    source = clip("still.mp4", seconds=0.2, size="160x90", audio=False)
    at_work = bench(tmp_path, source, stand_in, JobState.ENCODING)
    stand_in.leave(kind, "*.jpg")
    assert at_work.attempt(Stage.POSTER) is None
    job = at_work.services.jobs.get(at_work.job.id)
    assert (job.has_poster, list(at_work.published())) == (False, [])
