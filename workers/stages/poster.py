"""Poster: one good picture; a video without one is still a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from storage.errors import ToolError
from storage.model.plan import Plan
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.stills import best_poster, keyframes_command, moment_command, moments, poster_rung
from workers.sandbox.ffmpeg_features import crops_by_itself
from workers.sandbox.scratch import reserve
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.scratch_needs import STILLS_BYTES
from workers.stages.work_budgets import poster_budget

SHORT_SECONDS = 1.0  # of a video no longer than this the first picture is as good as any


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
        attempt.services.objects.put_file(key, best, content_type="image/jpeg")
    finish(attempt, {"made": best is not None})


def _best(attempt: Attempt, plan: Plan) -> Path | None:
    """Return a picture worth showing, else the one that shows most, None where there is none at all."""
    sizes: dict[Path, int] = {}
    for source in _sources(plan, attempt.scratch):
        made = _made(attempt, source)
        if len(set(made.values())) >= source.choices and (best := best_poster(made, poster_rung(plan))):
            return best
        sizes |= made
    return max(sorted(sizes), key=sizes.__getitem__, default=None)


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


def _made(attempt: Attempt, source: _Source) -> dict[Path, int]:
    """Run the command and return its pictures with their bytes; those that a damaged file made count as well."""
    source.folder.mkdir()
    try:
        with original_of(attempt) as url:
            run_ffmpeg(attempt, source.command(url), url)
    except ToolError as error:
        if error.killed:
            raise
    return {path: size for path in source.folder.iterdir() if (size := path.stat().st_size)}
