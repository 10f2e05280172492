"""Poster: one good picture; a video without one is still a video."""

from __future__ import annotations

from pathlib import Path

from storage import keys
from storage.errors import ToolError
from workers.attempt import Attempt
from workers.commands import poster_command
from workers.stages.common import finish, input_of, plan_of, run_ffmpeg


def poster_stage(attempt: Attempt) -> None:
    """Make the poster from shortly after the beginning, or from the beginning where that fails."""
    target = attempt.scratch / "poster.jpg"
    made = any(_made(attempt, target, seek=seek) for seek in (True, False))
    if made:
        key = keys.rendition(attempt.job.id, "poster.jpg")
        attempt.services.objects.put_file(key, target, content_type="image/jpeg")
    finish(attempt, {"made": made})


def _made(attempt: Attempt, target: Path, *, seek: bool) -> bool:
    """Try to make the poster; seeking fails in short files without an index, so the caller tries without as well."""
    url = input_of(attempt)
    try:
        run_ffmpeg(attempt, poster_command(plan_of(attempt.job), url, target, seek=seek), url)
    except ToolError as error:
        if error.killed:
            raise
    return target.exists() and target.stat().st_size > 0
