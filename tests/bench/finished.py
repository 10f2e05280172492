"""Finished jobs by the ten thousand: one real job's objects under further ids, restored by `rungs rebuild`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from storage.errors import ObjectNotFoundError
from storage.model.job import Job
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import Manifest, put_manifest, read_manifest
from tests.bench.installation import Installation, is_ready
from tests.support.clips import make_clip
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id

SIZE = "1280x720"  # a video of several rungs, as most are: each has its line in the record
SAVED_SECONDS = 60.0  # the janitor saves an end in its next round
# The youngest one ended so long ago, or the janitor would tell its end once more; the others before it.
AGO_SECONDS, APART_SECONDS = 3 * 86_400.0, 61.7
WRITERS = 8
KEYS: tuple[Callable[[str], str], ...] = (keys.manifest, keys.planned, keys.ended)


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """What lies beside the original of a job that is ready: its manifests, in the order of KEYS."""

    manifests: tuple[Manifest, ...]

    def again(self, number: int) -> FinishedJob:
        """Return the same of another job, that ended by so many steps earlier."""
        job_id = new_job_id()
        earlier = AGO_SECONDS + number * APART_SECONDS
        return FinishedJob(tuple(_renamed(manifest, job_id, number, earlier) for manifest in self.manifests))


def finished_job() -> FinishedJob:
    """Let an installation of its own encode a video, and return what it wrote."""
    with tempfile.TemporaryDirectory() as name, Installation(os.cpu_count() or 1) as installation:
        clip = make_clip(Path(name) / "holiday.mp4", seconds=1.0, size=SIZE)
        job_id, objects = installation.upload(clip), installation.services().objects
        installation.wait_for(job_id, is_ready)
        wait_until(lambda: _is_there(objects, keys.ended(job_id)), seconds=SAVED_SECONDS, what="the saved end")
        return FinishedJob(tuple(read_manifest(objects, key(job_id), job_id) for key in KEYS))


def restore_finished(installation: Installation, model: FinishedJob, count: int) -> tuple[float, float]:
    """Write so many jobs like the model and rebuild them; return the seconds that the writing and the rebuild took.

    Their originals and renditions are missing: nobody asks for them, and a rebuild does not look at those of an end.
    """
    objects, began = installation.services().objects, time.monotonic()
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(partial(_write, objects, model), range(count)):
            pass
    written = time.monotonic()
    environment = {**os.environ, "DATA_DIR": str(installation.data)}
    command = [sys.executable, "-m", "infra.cli", "rebuild"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return written - began, time.monotonic() - written


def _write(objects: ObjectStore, model: FinishedJob, number: int) -> None:
    for key, manifest in zip(KEYS, model.again(number).manifests, strict=True):
        put_manifest(objects, key(manifest.job.id), manifest)


def _renamed(manifest: Manifest, job_id: str, number: int, earlier: float) -> Manifest:
    name = f"holiday-{number:06}"
    job = replace(_moved(manifest.job, earlier), id=job_id, title=name, filename=f"{name}.mp4")
    events = tuple(replace(event, job_id=job_id) for event in manifest.events)
    return replace(manifest, job=job, events=events)


def _moved(job: Job, earlier: float) -> Job:
    """Return the job as if all of it had been so many seconds earlier."""
    times = {
        name: getattr(job, name) for name in ("created_at", "started_at", "encoding_at", "begun_at", "finished_at")
    }
    return replace(job, **{name: at - earlier for name, at in times.items() if at is not None})


def _is_there(objects: ObjectStore, key: str) -> bool:
    try:
        objects.stat(key)
    except ObjectNotFoundError:
        return False
    return True
