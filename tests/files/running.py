"""One file through the product's own stages, and what came out beside the source."""

from __future__ import annotations

import tempfile
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path

from storage.model.job import Job, JobState
from storage.objects import keys
from storage.services import Services
from storage.settings import Settings
from tests.files.comparing import Comparison, Source, Unlike, compare, read_source
from tests.files.results import views
from tests.support.driving import drive
from tests.support.exactness import local_services

SLOTS = 4  # clips of ten seconds become several segments
# Refusals that are a limit of the installation, whatever ffmpeg can do.
PHOTOS = frozenset({b"avif", b"heic", b"heix", b"mif1"})
LIMITS = frozenset({"too_long", "picture_too_large", "picture_too_small"})


@dataclass(frozen=True)
class Tried:
    """A file, the state that its job ended in (with the code of a refusal), warnings, and what is unlike."""

    name: str
    state: str
    warnings: tuple[str, ...] = ()
    compared: Comparison = field(default_factory=Comparison)
    seconds: float = 0.0


def try_file(path: Path) -> Tried:
    """Take the file through the product and compare; a crash of anything is unlike too."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rungs-files-") as folder:
        try:
            tried = _tried(path, Path(folder))
        except Exception:  # noqa: BLE001 - whatever goes wrong with one file is that file's result
            last = traceback.format_exc().strip().splitlines()
            crashed = Comparison(unlike=(Unlike("state", "crashed", " | ".join(last[-3:])),))
            tried = Tried(path.name, "crashed", compared=crashed)
    return replace(tried, seconds=time.monotonic() - began)


def _tried(path: Path, folder: Path) -> Tried:
    services = local_services(folder, SLOTS)
    job = drive(services, Settings(data_dir=folder / "data"), path)
    warned = tuple(warning.code for warning in job.warnings)
    source = read_source(path)
    if job.state is not JobState.READY or job.plan is None:
        return Tried(path.name, _state(job), warned, _refused(job, source))
    shown = views(_folder(services, job), tuple(rung.name for rung in job.plan.rungs))
    if _is_photo(path):
        photo = Unlike("state", "job", "a photo came out as a video")
        return Tried(path.name, _state(job), warned, Comparison(unlike=(photo,)))
    if not len(source.pictures):
        undecoded = Unlike("state", "oracle", "ready, though ffmpeg alone decodes no picture")
        return Tried(path.name, _state(job), warned, Comparison(unlike=(undecoded,)))
    return Tried(path.name, _state(job), warned, compare(source, shown, warned))


def _is_photo(path: Path) -> bool:
    """Tell whether the file says in its first box that it is a photo."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:] in PHOTOS


def _state(job: Job) -> str:
    return str(job.state) if job.error is None else job.error.code


def _refused(job: Job, source: Source) -> Comparison:
    code = _state(job)
    if code in LIMITS or not source.decodes:
        return Comparison()
    how = f"refused as {code}, though ffmpeg alone decodes {len(source.pictures)} pictures"
    return Comparison(unlike=(Unlike("state", "job", how),))


def _folder(services: Services, job: Job) -> Path:
    """Return the folder of all that was made for the job."""
    path = services.objects.local_path(keys.rendition(job.id, f"{job.outputs[0].rung}.mp4"))
    assert path is not None
    return path.parent
