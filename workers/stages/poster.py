"""Poster: one good picture; a video without one is still a video."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from storage.errors import OutputMismatchError, ToolError
from storage.model.plan import Plan
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.published_pictures import check_jpeg
from workers.ffmpeg.stills import (
    MOMENT_PICTURES,
    PLACES,
    best_poster,
    keyframes_command,
    moment_command,
    moments,
    poster_rung,
)
from workers.sandbox.ffmpeg_features import crops_by_itself
from workers.sandbox.outputs import left_by_tool, own_folder
from workers.sandbox.scratch import reserve
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.scratch_needs import STILLS_BYTES
from workers.stages.work_budgets import poster_budget

PICTURE_BYTES = STILLS_BYTES // 4  # a poster of 720p takes at most a quarter of that, of noise
PICTURES_LOOKED_AT = 1 + max(len(PLACES), MOMENT_PICTURES)  # some commands number from 0, others from 1
SHORT_SECONDS = 1.0  # of a video no longer than this the first picture is as good as any

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Source:
    """Where posters come from: `command` writes pictures of what it is given to `folder`, of which `choices` differ."""

    folder: Path
    choices: int
    command: Callable[[str], list[str]]


def poster_stage(attempt: Attempt) -> None:
    """Make the poster of a keyframe, or where those show nothing, of a moment that has to be decoded."""
    reserve(attempt.scratch, STILLS_BYTES)
    plan = plan_of(attempt.job)
    attempt.bound(poster_budget(plan, attempt.job.size, speed_here(attempt)))
    best = _best(attempt, plan)
    if best is not None:
        key = keys.rendition(attempt.job.id, "poster.jpg")
        attempt.services.objects.put_bytes(key, best, content_type="image/jpeg")
    finish(attempt, {"made": best is not None})


def _best(attempt: Attempt, plan: Plan) -> bytes | None:
    """Return a picture worth showing, else the one that shows most, None where there is none at all."""
    pictures: dict[Path, bytes] = {}
    for source in _sources(plan, attempt.scratch):
        made = _made(attempt, plan, source)
        sizes = {path: len(data) for path, data in made.items()}
        if len(set(sizes.values())) >= source.choices and (best := best_poster(sizes, poster_rung(plan))):
            return made[best]
        pictures |= made
    return max((pictures[path] for path in sorted(pictures)), key=len, default=None)


def _sources(plan: Plan, scratch: Path) -> Iterator[_Source]:
    """Yield what to try, the cheapest first."""
    # A file's only keyframe is its first picture, often black or blurred.
    crops = crops_by_itself(plan.video)
    choices = 2 if plan.duration > SHORT_SECONDS else 1
    folder = scratch / "keyframes"
    yield _Source(folder, choices, partial(keyframes_command, plan, folder=folder, crops=crops))
    for number, place in enumerate(moments(plan)):
        folder = scratch / f"moment_{number}"
        yield _Source(folder, 1, partial(moment_command, plan, folder=folder, place=place, crops=crops))


def _made(attempt: Attempt, plan: Plan, source: _Source) -> dict[Path, bytes]:
    """Run the command and return its pictures; those that a damaged file made count as well."""
    own_folder(attempt.scratch, source.folder.name)
    try:
        with original_of(attempt) as url:
            run_ffmpeg(attempt, source.command(url), url)
    except ToolError as error:
        if error.killed:
            raise
    found = ((source.folder / f"{number}.jpg") for number in range(PICTURES_LOOKED_AT))
    return {path: data for path in found if os.path.lexists(path) and (data := _picture(attempt, plan, path))}


def _picture(attempt: Attempt, plan: Plan, path: Path) -> bytes | None:
    """Return a picture that may be published, None for anything else."""
    rung = poster_rung(plan)
    try:
        with left_by_tool(attempt.scratch, f"{path.parent.name}/{path.name}", most=PICTURE_BYTES, least=0) as left:
            data = left.whole()
        if data:
            check_jpeg(data, width=rung.width, height=rung.height)
    except OutputMismatchError as error:
        _log.warning("no picture", job=attempt.job.id, task=attempt.task.field, error=str(error))
        return None
    return data
