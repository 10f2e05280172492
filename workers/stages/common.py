"""What the stages share: the input, the plan, running ffmpeg, and what follows a finished task."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from storage import keys
from storage.errors import OutputMismatchError, StorageFullError, ToolError
from storage.jobs import Job, JobState, Stage, Task
from storage.plan import Plan
from workers.attempt import Attempt
from workers.tool import Watch, run_tool
from workers.window import publish_due

INPUT_URL_SECONDS = 24 * 3600  # a signed input must outlive the longest attempt
MP4 = "video/mp4"
SCRATCH_RESERVE_BYTES = 64 * 1024**2  # with less left when ffmpeg gave up, the disk is to blame, not the media


def input_of(attempt: Attempt) -> str:
    """Return what ffmpeg opens: the original's path, or a URL signed for this attempt."""
    return attempt.services.objects.input_url(keys.original(attempt.job.id), seconds=INPUT_URL_SECONDS)


def plan_of(job: Job) -> Plan:
    """Return the plan of a job that must have one."""
    if job.plan is None:
        raise OutputMismatchError(f"Job {job.id} has no plan though it is {job.state}.")
    return job.plan


def run_ffmpeg(
    attempt: Attempt, command: list[str], conceal: str, *, on_tick: Callable[[], None] | None = None
) -> None:
    """Run ffmpeg under the attempt's watch, noting a segment's frames as progress.

    `conceal` is the very name the command holds: a second signed URL has another signature. `on_tick` is called with
    each block of progress, about twice a second. Raises StorageFullError, not ToolError, when scratch space ran out.
    """

    def on_progress(key: str, value: str) -> None:
        if key == "frame" and attempt.task.stage is Stage.SEGMENT and value.isdigit():
            attempt.frames = int(value)
        if key == "progress" and on_tick is not None:
            on_tick()

    watch = Watch(on_progress=on_progress, cancelled=attempt.watch.cancelled, conceal=conceal)
    try:
        run_tool(command, attempt.limits, watch=watch)
    except ToolError as error:
        if shutil.disk_usage(attempt.scratch).free < SCRATCH_RESERVE_BYTES:
            raise StorageFullError("This worker's scratch space is full.", detail=error.detail) from error
        raise


def finish(attempt: Attempt, result: dict[str, Any]) -> None:
    """Record the result; it earns the job its next segment, and whoever finishes the last task moves the job on."""
    services, job_id = attempt.services, attempt.job.id
    if services.jobs.finish(attempt.task, attempt.name, result):
        services.jobs.move(job_id, JobState.PACKAGING)
        services.publisher.publish(Task(job_id, Stage.PACKAGE))
    elif attempt.task.stage is Stage.SEGMENT:
        publish_due(services, job_id)
