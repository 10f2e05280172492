"""Audio: the job's sound, encoded once and published part by part while it is made."""

from __future__ import annotations

import stat
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from storage.errors import OutputMismatchError, ToolError, ToolTimeoutError
from storage.model.damage import as_result
from storage.model.plan import AUDIO, AudioSource, Plan
from storage.model.task import Stage, field_of
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.commands import SAMPLE_RATE, audio_command
from workers.ffmpeg.mp4_boxes import codec_of, read_fragmented
from workers.ffmpeg.published_boxes import SOUND, check_init
from workers.sandbox.outputs import ToolFile, left_by_tool
from workers.sandbox.scratch import reserve
from workers.stages.checking import damaged_sound, read_heard
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.scratch_needs import audio_bytes, most_of_audio
from workers.stages.work_budgets import audio_budget

AUDIO_MP4 = "audio/mp4"


def audio_stage(attempt: Attempt) -> None:
    """Encode the sound once for the whole job. Sound that cannot be decoded costs the sound, not the video."""
    plan = plan_of(attempt.job)
    if plan.audio is None:
        raise OutputMismatchError(detail=f"Job {attempt.job.id} has no sound in its plan.")
    reserve(attempt.scratch, audio_bytes(plan, plan.audio))
    budget = audio_budget(plan, attempt.job.size, speed_here(attempt))
    attempt.bound(budget)
    path, listed = attempt.scratch / "audio.mp4", attempt.scratch / "heard.txt"
    with _Parts(attempt, path, most_of_audio(plan, plan.audio)) as parts:
        _make(attempt, plan, plan.audio, parts, listed, budget)


def encode_audio_that_came(attempt: Attempt, plan: Plan, original: AbstractContextManager[str]) -> None:
    """Encode the sound up to where `original` makes the tool wait, and publish the parts that are complete by then.

    The tool is stopped there. It never learns that there was an end, so each part is that of the whole file.
    """
    if plan.audio is None:
        raise OutputMismatchError(detail=f"Job {attempt.job.id} has no sound in its plan.")
    reserve(attempt.scratch, audio_bytes(plan, plan.audio))
    attempt.bound(audio_budget(plan, attempt.job.size, speed_here(attempt)))
    path, listed = attempt.scratch / "audio.mp4", attempt.scratch / "heard.txt"
    with _Parts(attempt, path, most_of_audio(plan, plan.audio)) as parts:
        with suppress(ToolTimeoutError), original as url:
            run_ffmpeg(attempt, audio_command(plan, plan.audio, url, path, listed), url)
        if _has_bytes(path):
            parts.publish()
    finish(attempt, {})


def _make(attempt: Attempt, plan: Plan, audio: AudioSource, parts: _Parts, listed: Path, budget: float) -> None:
    try:
        with original_of(attempt) as url:
            command = audio_command(plan, audio, url, parts.path, listed)
            suspicious = run_ffmpeg(attempt, command, url, on_tick=parts.tick)
            heard = read_heard(attempt.scratch, listed.name)
            found = damaged_sound(attempt, plan, audio, url, heard, suspicious=suspicious, cpu_seconds=budget)
    except ToolError as error:
        if error.killed:
            raise
        finish(attempt, {"made": False, "detail": error.detail})
        return
    if heard is None:
        finish(attempt, {"made": False, "detail": "Not one packet of the sound could be decoded."})
        return
    parts.end()
    finish(attempt, parts.result(complete=True) | as_result(found))


@dataclass(slots=True)
class _Parts:
    """The file ffmpeg is writing, and what of it is stored already."""

    attempt: Attempt
    path: Path
    most: int  # bytes of the whole file
    stored: list[dict[str, Any]] = field(default_factory=list)
    codec: str = ""
    left: ToolFile | None = None
    failure: Exception | None = None
    told: int = 0  # how many parts the record knows already
    opened: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        job_id = self.attempt.job.id
        known = self.attempt.services.jobs.results(job_id, interim=True).get(field_of(Stage.AUDIO), {})
        self.told = len(known.get("parts", ()))
        return self

    def __exit__(self, *raised: object) -> None:
        self.opened.close()

    def tick(self) -> None:
        """Publish what there is. What goes wrong is raised at the end: who calls this has the tool's pipe to drain."""
        if self.failure is not None or (self.left is None and not _has_bytes(self.path)):
            return
        try:
            self.publish()
        except Exception as error:  # noqa: BLE001 - see above
            self.failure = error

    def end(self) -> None:
        """Publish the rest. Raises what `tick` met, and OutputMismatchError where there is no sound at all."""
        if self.failure is not None:
            raise self.failure
        self.publish()
        if not self.stored:
            raise OutputMismatchError(detail="The encoder's sound has no part that is complete.")

    def publish(self) -> None:
        """Store the parts that are complete by now and tell the job's record of them."""
        if self.left is None:
            # Once: what is put in its place later is not read.
            left = left_by_tool(self.attempt.scratch, self.path.name, most=self.most)
            self.left = self.opened.enter_context(left)
        found = read_fragmented(self.left.file, self.left.grown(), growing=True)
        fresh = found.pieces[len(self.stored) :]
        if not fresh:
            return
        self.attempt.check_ours()
        objects, job_id = self.attempt.services.objects, self.attempt.job.id
        file = self.left.file
        if not self.stored:
            file.seek(0)
            init = file.read(found.init_bytes)
            check_init(init, SOUND)
            self.codec = codec_of(init)
            objects.put_bytes(keys.init(job_id, AUDIO), init, content_type=AUDIO_MP4)
        for piece in fresh:
            file.seek(piece.start)
            data = file.read(piece.end - piece.start)
            objects.put_bytes(keys.audio_part(job_id, len(self.stored)), data, content_type=AUDIO_MP4)
            self.stored.append({"bytes": len(data), "seconds": round(piece.ticks / SAMPLE_RATE, 6)})
        # What was told before goes as far as this at least: of an early attempt, or of one that died.
        if len(self.stored) >= self.told:
            self.attempt.services.jobs.interim(self.attempt.task, self.attempt.name, self.result(complete=False))

    def result(self, *, complete: bool) -> dict[str, Any]:
        """Return what the record says of the sound."""
        return {"made": True, "codec": self.codec, "complete": complete, "parts": self.stored}


def _has_bytes(path: Path) -> bool:
    """Tell whether ffmpeg has begun to write, or something stands there that it did not write."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return status.st_size > 0 or not stat.S_ISREG(status.st_mode)
