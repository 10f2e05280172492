"""What stands for the poster of an upload that still comes: the first picture of a segment, if it shows something."""

from __future__ import annotations

from typing import Any

import structlog

from storage.errors import OutputMismatchError, ToolError, ToolTimeoutError
from storage.model.plan import Plan
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.published_pictures import check_jpeg
from workers.ffmpeg.stills import best_poster, early_poster_command, poster_rung
from workers.sandbox.outputs import left_by_tool
from workers.stages.common import run_ffmpeg
from workers.stages.poster import PICTURE_BYTES

_NAME = "early.jpg"

_log = structlog.get_logger()


def early_poster(attempt: Attempt, plan: Plan) -> dict[str, Any]:
    """Store a picture of the segment that was just encoded, unless the job has one; return what the result says of it.

    The real poster is chosen among pictures of the whole file, so this one never is in its place in the store.
    """
    job_id, rung = attempt.job.id, poster_rung(plan)
    if attempt.services.jobs.get(job_id).has_poster:
        return {}
    target = attempt.scratch / _NAME
    try:
        command = early_poster_command(attempt.scratch / f"{rung.name}.mp4", target)
        run_ffmpeg(attempt, command, str(attempt.scratch))
        with left_by_tool(attempt.scratch, _NAME, most=PICTURE_BYTES) as left:
            picture = left.whole()
        check_jpeg(picture, width=rung.width, height=rung.height)
    except (ToolError, ToolTimeoutError, OutputMismatchError) as error:
        _log.warning("no early poster", job=job_id, task=attempt.task.field, error=str(error))
        return {}
    if best_poster({target: len(picture)}, rung) is None:
        return {}
    attempt.check_ours()
    attempt.services.objects.put_bytes(keys.early_poster(job_id), picture, content_type="image/jpeg")
    return {"poster": True}
