"""What the stages share: the input, the plan, running ffmpeg, and what follows a finished task."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from storage.errors import OutputMismatchError, StorageFullError, ToolError, ToolTimeoutError
from storage.meanwhile import meanwhile
from storage.media_errors import MediaError
from storage.model.job import Job
from storage.model.plan import Plan
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.scheduling.costs import calibrate
from storage.services.dispatch import finish_task
from workers.attempts.attempt import Attempt
from workers.damage.tool_output import speaks_of_source
from workers.sandbox.reach import reach_of
from workers.sandbox.relay import ByteSpans, Relay
from workers.sandbox.run import ToolLimits, run_tool
from workers.sandbox.scratch import KEPT_FREE_BYTES
from workers.stages.work_budgets import speed

MP4 = "video/mp4"
# With both cores busy otherwise, the first second of a video took 3.9 s to encode; beside tools of this niceness 2.1 s.
LATER_NICENESS = 10
_TICK_SECONDS = 0.5  # sound is published as often: its parts last for four seconds
EARLY_NICENESS = 19  # work that nobody waits for takes what everybody else leaves


@contextmanager
def original_of(attempt: Attempt, without: ByteSpans = (), blank: ByteSpans = ()) -> Iterator[str]:
    """Give what a tool opens: the original's path, or an address of our own where the store is another machine.

    Also where the original is read without some spans, or with blank ones: those of the plan, or these as long as
    there is none.

    Raises the store's own error in place of whatever the tool made of an original that it could not read.
    """
    objects, key = attempt.services.objects, keys.original(attempt.job.id)
    if attempt.job.plan is not None:
        without, blank = attempt.job.plan.without, attempt.job.plan.blank
    path = objects.local_path(key)
    if path is not None and not without and not blank:
        objects.stat(key)
        yield str(path)
        return
    with Relay(objects, key, without, blank) as relay, checked(relay) as url:
        yield url


@contextmanager
def checked(relay: Relay) -> Iterator[str]:
    """Give the relay's address. Raises why it could not serve a tool, in place of whatever that tool made of it."""
    try:
        yield relay.url
    except (ToolError, ToolTimeoutError, MediaError):
        relay.check(failed=True)
        raise
    relay.check(failed=False)


def plan_of(job: Job) -> Plan:
    """Return the plan of a job that must have one."""
    if job.plan is None:
        raise OutputMismatchError(detail=f"Job {job.id} has no plan though it is {job.state}.")
    return job.plan


def speed_here(attempt: Attempt) -> float:
    """Return what budgets of work are multiplied by in this installation, as `work_budgets.speed` says."""
    return speed(calibrate(attempt.services.jobs.recent_finished()), attempt.settings.encode_preset)


def niceness_of(task: Task, plan: Plan) -> int:
    """Return 0 for the short segment that playback waits for, so that it gets the cores where all else runs as well."""
    if task.stage.is_early:
        return EARLY_NICENESS
    return 0 if task.stage is Stage.SEGMENT and plan.opens_with(task.index) else LATER_NICENESS


def run_ffmpeg(
    attempt: Attempt,
    command: list[str],
    conceal: str,
    *,
    on_tick: Callable[[], None] | None = None,
    limits: ToolLimits | None = None,
) -> bool:
    """Run ffmpeg under the attempt's watch, noting a segment's frames as progress.

    `conceal` is the input's name, which the command holds: all that it may read besides the attempt's scratch.
    `on_tick` is called twice a second, in a thread of its own. `limits` take the place of the attempt's.
    Returns whether ffmpeg had something to say
    of the source, so that it may be damaged. Raises StorageFullError, not ToolError, when scratch space ran out, and
    TooMuchWorkError when the attempt's budget did.
    """
    told = threading.Event()

    def on_progress(key: str, value: str) -> None:
        if key == "frame" and attempt.task.stage is Stage.SEGMENT and value.isdigit():
            attempt.frames = int(value)

    def on_message(line: str) -> None:
        if speaks_of_source(line):
            told.set()

    watch = replace(attempt.watch, on_progress=on_progress, on_message=on_message, conceal=conceal)
    reach, niceness = reach_of(conceal, attempt.scratch), niceness_of(attempt.task, plan_of(attempt.job))
    try:
        with ticking(on_tick):
            run_tool(command, limits or attempt.limits, watch=watch, reach=reach, niceness=niceness)
    except ToolError as error:
        if shutil.disk_usage(attempt.scratch).free < KEPT_FREE_BYTES:
            raise StorageFullError(detail=f"This worker's scratch space is full. {error.detail}") from error
        raise
    return told.is_set()


def ticking(on_tick: Callable[[], None] | None) -> AbstractContextManager[None]:
    """Call it meanwhile. Not with progress: ffmpeg tells none before each of its outputs has a first packet."""
    return nullcontext() if on_tick is None else meanwhile(on_tick, seconds=_TICK_SECONDS)


def finish(attempt: Attempt, result: dict[str, Any]) -> None:
    """Record the result with the seconds that the attempt took, as `finish_task` does."""
    took = {"seconds": round(time.monotonic() - attempt.started, 3)}
    finish_task(attempt.services, attempt.task, attempt.name, result | took)
