"""Uploads that are encoded before their last byte has come: what comes out is what would have come out."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.local import LocalObjectStore
from storage.public.hls import MASTER, audio_fragments, playlist, rung_fragments
from storage.services import Services
from storage.services.dispatch import dispatch
from storage.services.playing import playing
from storage.services.upload_jobs import cancel
from storage.services.uploads import note_open
from storage.settings import Settings
from tests.support.coming import SLOTS, Coming, split
from tests.support.driving import drive, step
from tests.support.job_store import OwnJobStore
from tests.support.jobs import created
from tests.support.memory_publisher import MemoryPublisher
from tests.support.results import digests
from workers.attempts.attempt import Attempt, attempt_task
from workers.janitor.cleaning import clear_leftovers
from workers.stages import STAGES

JPEG = b"\xff\xd8"
THE_SOUND = 30.0  # encoder-seconds; it is encoded again and again, in two or three each


@pytest.fixture(scope="module")
def film(clip: Callable[..., Path]) -> Path:
    """Give a clip of several segments, as phones write them: its index is last."""
    return clip("phone.mp4", seconds=20, size="426x240", rate="15")


@pytest.fixture(scope="module")
def at_once(film: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give what is made of the film where it comes at once, into a store of its own."""
    folder = tmp_path_factory.mktemp("at-once")
    objects = LocalObjectStore(folder / "objects")
    objects.prepare()
    services = Services(OwnJobStore(), objects, MemoryPublisher())
    services.jobs.announce("test", SLOTS, seconds=600.0)
    job = drive(services, Settings(data_dir=folder / "data"), film)
    assert job.state is JobState.READY
    return digests(services, job.id)


@pytest.fixture
def services(object_store: ObjectStore) -> Services:
    """Give parts of the test's own, over each object store."""
    return Services(OwnJobStore(), object_store, MemoryPublisher())


def test_what_is_encoded_early_is_what_would_have_been(
    film: Path, at_once: dict[str, str], services: Services, settings: Settings
) -> None:
    """To the byte, whatever the line did; and most of it is done before the last byte."""
    chance, shares = random.Random(3), [0.0]
    data, index = split(film)
    coming = Coming(services, settings, data, index)
    while shares[-1] < 0.97:
        shares.append(shares[-1] + chance.uniform(0.02, 0.2))
        coming.send(min(0.97, shares[-1]))
    assert len(coming.done_early) >= 2
    job = coming.end()
    assert (job.state, job.error) == (JobState.READY, None)
    assert digests(services, job.id) == at_once
    assert services.jobs.wasted(job.owner) < THE_SOUND


def test_what_has_come_can_be_watched(
    film: Path, at_once: dict[str, str], services: Services, settings: Settings
) -> None:
    """Pictures and sound by the playlists, of the very bytes that the whole file will give."""
    coming = Coming(services, settings, *split(film))
    lengths, poster = list[float](), keys.early_poster(coming.upload.id)
    for share in (0.6, 0.97):
        coming.send(share)
        job = services.jobs.get(coming.upload.id)
        assert (job.state, job.playable, job.has_poster) == (JobState.UPLOADING, True, True)
        assert b"".join(services.objects.read(poster, length=2)) == JPEG
        played = playing(services.jobs, job)
        assert played is not None
        plan, results = played
        assert "TYPE=AUDIO" in (playlist(MASTER, plan, results, ended=False) or "")
        *_, picture = rung_fragments(plan, results, plan.rungs[0].name)
        *_, sound = audio_fragments(results)
        lengths += [float(picture.end), float(sound.end)]
        made = digests(services, job.id)
        del made[poster.rpartition("/")[2]]  # which stands for a poster, and is gone in the end
        assert made.items() <= at_once.items()
    pictures, sounds = lengths[::2], lengths[1::2]
    assert pictures == sorted(pictures)
    assert pictures[-1] > 10
    assert sounds == sorted(sounds)
    assert sounds[-1] > 6
    job = coming.end()
    assert (job.state, job.error) == (JobState.READY, None)
    assert digests(services, job.id) == at_once


def test_sound_that_is_brought_to_a_loudness_waits_for_all_of_it(
    film: Path, own_services: Services, settings: Settings
) -> None:
    """Pictures are encoded early all the same; nothing is played that would sound otherwise in the end."""
    coming = Coming(own_services, settings, *split(film), loudness=-16)
    coming.send(0.97)
    assert coming.done_early
    assert not own_services.jobs.get(coming.upload.id).playable
    job = coming.end()
    assert (job.state, job.loudness) == (JobState.READY, -16)
    assert job.measured[0].gain != 0


def test_without_an_index_nothing_is_done_early(
    film: Path, at_once: dict[str, str], own_services: Services, settings: Settings
) -> None:
    """A client of tus that sends none waits as long as one did before."""
    coming = Coming(own_services, settings, film.read_bytes())
    coming.send(0.9)
    assert coming.done_early == set()
    assert digests(own_services, coming.end().id) == at_once


def test_an_installation_may_leave_it(film: Path, own_services: Services, settings: Settings) -> None:
    """EARLY_ENCODING=0."""
    data, index = split(film)
    coming = Coming(own_services, settings.model_copy(update={"early_encoding": False}), data, index)
    coming.send(0.9)
    assert coming.done_early == set()


def changed(kind: str, index: bytes) -> bytes:
    """Return an index that lies."""
    at = index.index({"times": b"stts", "sizes": b"stsz", "keyframes": b"stss", "places": b"stco"}.get(kind, b"stsz"))
    data = bytearray(index)
    if kind == "times":
        (step_ticks,) = struct.unpack_from(">I", data, at + 16)
        struct.pack_into(">I", data, at + 16, step_ticks // 2)
    elif kind == "sizes":
        (size,) = struct.unpack_from(">I", data, at + 16 + 4 * 20)
        struct.pack_into(">I", data, at + 16 + 4 * 20, size - 1)
    elif kind == "keyframes":
        struct.pack_into(">I", data, at + 8, 1)
    elif kind == "places":
        (place,) = struct.unpack_from(">I", data, at + 12)
        struct.pack_into(">I", data, at + 12, place + 1)
    elif kind == "entries":
        struct.pack_into(">I", data, at + 12, 2**31)
    return bytes(data)


@pytest.mark.parametrize("kind", ["times", "sizes", "keyframes", "places", "entries", "cut"])
def test_an_index_that_lies_changes_nothing(
    kind: str, film: Path, at_once: dict[str, str], own_services: Services, settings: Settings
) -> None:
    """Whatever was encoded by it is thrown away, and counted for its owner."""
    data, (start, index) = split(film)
    lie = index[:-100] if kind == "cut" else changed(kind, index)
    coming = Coming(own_services, settings.model_copy(update={"stall_seconds": 2}), data, (start, lie))
    coming.send(0.8)
    coming.send(1.0)
    early = coming.done_early
    job = coming.end()
    assert (job.state, job.error) == (JobState.READY, None)
    assert digests(own_services, job.id) == at_once
    assert (own_services.jobs.wasted(job.owner) > 0) == bool(early)


def test_an_upload_that_is_cancelled_leaves_nothing(film: Path, own_services: Services, settings: Settings) -> None:
    """Of what was made of it either."""
    data, index = split(film)
    coming = Coming(own_services, settings, data, index)
    coming.send(0.6)
    assert coming.done_early
    cancel(own_services, coming.upload.id)
    dispatch(own_services)
    assert not step(own_services, settings)
    assert list(clear_leftovers(own_services)) == [coming.upload.id]
    assert list(own_services.objects.keys("")) == []
    assert own_services.jobs.wasted(coming.upload.owner) > 0


def test_early_work_stands_back(film: Path, own_services: Services, settings: Settings) -> None:
    """What was handed out is not begun once a whole upload waits; it is done afterwards."""
    data, index = split(film)
    coming = Coming(own_services, settings, data, index)
    coming.send(0.8)
    before = coming.done_early
    note_open(own_services, coming.upload, len(data), now=1.0)
    handed = own_services.jobs.issue_early(SLOTS)
    assert {task.stage for task in handed} == {Stage.EARLY_SEGMENT}
    other = created(own_services.jobs)
    for task in handed:
        attempt_task(task, STAGES[task.stage], own_services, settings)
    assert coming.done_early == before
    own_services.jobs.move(other.id, JobState.CANCELLED)
    assert own_services.jobs.issue_early(SLOTS) == handed


def test_what_fails_early_fails_nothing(film: Path, own_services: Services, settings: Settings) -> None:
    """The job goes on as if nothing had been tried."""
    data, index = split(film)
    coming = Coming(own_services, settings, data, index)
    coming.send(0.1)

    def stumble(attempt: Attempt) -> None:
        raise ZeroDivisionError(attempt.name)

    for _ in range(settings.attempts + 2):
        attempt_task(Task(coming.upload.id, Stage.EARLY_SEGMENT, 3), stumble, own_services, settings)
    job = own_services.jobs.get(coming.upload.id)
    assert (job.state, job.failed_attempts) == (JobState.UPLOADING, ())
    assert coming.end().state is JobState.READY
