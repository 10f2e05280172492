"""Audio: the job's sound, encoded once and published part by part while it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.errors import OutputMismatchError, ToolError
from storage.model.damage import as_result
from storage.model.plan import AUDIO
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.commands import SAMPLE_RATE, audio_command
from workers.ffmpeg.mp4_boxes import codec_of, read_fragmented
from workers.sandbox.scratch import reserve
from workers.stages.checking import damaged_sound, read_heard
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.scratch_needs import audio_bytes
from workers.stages.work_budgets import sound_budget

AUDIO_MP4 = "audio/mp4"


def audio_stage(attempt: Attempt) -> None:
    """Encode the sound once for the whole job. Sound that cannot be decoded costs the sound, not the video."""
    plan = plan_of(attempt.job)
    if plan.audio is None:
        raise OutputMismatchError(f"Job {attempt.job.id} has no sound in its plan.")
    reserve(attempt.scratch, audio_bytes(plan, plan.audio))
    attempt.bound(sound_budget(plan, attempt.job.size, speed_here(attempt)))
    parts = _Parts(attempt, attempt.scratch / "audio.mp4")
    listed = attempt.scratch / "heard.txt"
    try:
        with original_of(attempt) as url:
            command = audio_command(plan, plan.audio, url, parts.path, listed)
            suspicious = run_ffmpeg(attempt, command, url, on_tick=parts.publish)
            heard = read_heard(listed)
            found = damaged_sound(attempt, plan, plan.audio, url, heard, suspicious=suspicious)
    except ToolError as error:
        if error.killed:
            raise
        finish(attempt, {"made": False, "detail": error.detail})
        return
    if heard is None:
        finish(attempt, {"made": False, "detail": "Not one packet of the sound could be decoded."})
        return
    parts.publish()
    finish(attempt, parts.result(complete=True) | as_result(found))


@dataclass(slots=True)
class _Parts:
    """The file ffmpeg is writing, and what of it is stored already."""

    attempt: Attempt
    path: Path
    stored: list[dict[str, Any]] = field(default_factory=list)
    codec: str = ""

    def publish(self) -> None:
        """Store the parts that are complete by now and tell the job's record of them."""
        if not self.path.exists():
            return
        found = read_fragmented(self.path, growing=True)
        fresh = found.pieces[len(self.stored) :]
        if not fresh:
            return
        self.attempt.check_ours()
        objects, job_id = self.attempt.services.objects, self.attempt.job.id
        with self.path.open("rb") as file:
            if not self.stored:
                init = file.read(found.init_bytes)
                self.codec = codec_of(init)
                objects.put_bytes(keys.init(job_id, AUDIO), init, content_type=AUDIO_MP4)
            for piece in fresh:
                file.seek(piece.start)
                data = file.read(piece.end - piece.start)
                objects.put_bytes(keys.audio_part(job_id, len(self.stored)), data, content_type=AUDIO_MP4)
                self.stored.append({"bytes": len(data), "seconds": round(piece.ticks / SAMPLE_RATE, 6)})
        self.attempt.services.jobs.interim(self.attempt.task, self.attempt.name, self.result(complete=False))

    def result(self, *, complete: bool) -> dict[str, Any]:
        """Return what the record says of the sound."""
        return {"made": True, "codec": self.codec, "complete": complete, "parts": self.stored}
