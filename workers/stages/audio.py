"""Audio: the job's sounds, encoded once and published part by part while they are made."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import structlog

from storage.errors import OutputMismatchError, ToolError
from storage.model.damage import as_result
from storage.model.plan import AUDIO, AudioSource, Plan, sound_name
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.audio_commands import SAMPLE_RATE, SoundFiles, audio_command
from workers.ffmpeg.mp4_boxes import codec_of, read_fragmented
from workers.ffmpeg.published_boxes import SOUND, check_init
from workers.sandbox.outputs import ToolFile, left_by_tool
from workers.sandbox.scratch import reserve
from workers.stages.checking import damaged_sound, read_heard
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.scratch_needs import audio_bytes, most_of_audio
from workers.stages.work_budgets import audio_budget

AUDIO_MP4 = "audio/mp4"

Made = dict[int, dict[str, Any]]  # what the record says of tracks, by their numbers in the plan

_log = structlog.get_logger()


def audio_stage(attempt: Attempt) -> None:
    """Encode the sounds once for the whole job. A track that cannot be decoded costs that track, not the video."""
    plan = plan_of(attempt.job)
    if not plan.audio:
        raise OutputMismatchError(detail=f"Job {attempt.job.id} has no sound in its plan.")
    reserve(attempt.scratch, audio_bytes(plan))
    budget = audio_budget(plan, attempt.job.size, speed_here(attempt))
    attempt.bound(budget)
    numbers = range(len(plan.audio))
    try:
        made, damage = _encoded(attempt, plan, numbers, budget)
    except ToolError as error:
        if error.killed:
            raise
        if len(numbers) == 1:
            finish(attempt, {"made": False, "detail": error.detail})
            return
        _log.warning("sounds are encoded one by one", job=attempt.job.id, error=str(error))
        made, damage = _one_by_one(attempt, plan, budget)
    if made:
        finish(attempt, _result(made, complete=True) | damage)
    else:
        finish(attempt, {"made": False, "detail": "Not one packet of the sound could be decoded."})


def _one_by_one(attempt: Attempt, plan: Plan, budget: float) -> tuple[Made, dict[str, Any]]:
    """Encode each track by a command of its own, so that one which cannot be decoded is in no other one's way."""
    made, damage = Made(), dict[str, Any]()
    for number in range(len(plan.audio)):
        try:
            track, found = _encoded(attempt, plan, [number], budget)
        except ToolError as error:
            if error.killed:
                raise
            _log.warning("sound not decoded", job=attempt.job.id, track=number, error=str(error))
            attempt.services.objects.delete_prefix(keys.track(attempt.job.id, sound_name(number)))
        else:
            made |= track
            damage |= found
    return made, damage


def _encoded(attempt: Attempt, plan: Plan, numbers: Iterable[int], budget: float) -> tuple[Made, dict[str, Any]]:
    """Encode these tracks by one command. Return those of which anything was heard, and the damage of the first of all.

    Places of damage say of no track which one it is, so those of further ones are not looked for.
    """
    with ExitStack() as opened, original_of(attempt) as url:
        tracks = [opened.enter_context(_Track(attempt, number, plan)) for number in numbers]
        run = _Run(attempt, tracks, is_whole=len(tracks) == len(plan.audio))
        command = audio_command(plan, [track.files for track in tracks], url)
        suspicious = run_ffmpeg(attempt, command, url, on_tick=run.tick)
        heard = {track.number: read_heard(attempt.scratch, track.files.heard.name) for track in tracks}
        found = dict[str, Any]()
        if heard.get(0) is not None:
            look = damaged_sound(attempt, plan, plan.audio[0], url, heard[0], suspicious=suspicious, cpu_seconds=budget)
            found = as_result(look)
        return run.ended([number for number, one in heard.items() if one is not None]), found


def _result(made: Mapping[int, dict[str, Any]], *, complete: bool) -> dict[str, Any]:
    """Return what the record says of the sounds: of the first as ever, of further ones by their names."""
    first = made.get(0, {"codec": "", "parts": []})
    further = {sound_name(number): track for number, track in made.items() if number}
    return {"made": True, **first, "complete": complete, **({"tracks": further} if further else {})}


@dataclass(slots=True)
class _Run:
    """The tracks that one command of ffmpeg is writing; `is_whole` tells that these are all of the job."""

    attempt: Attempt
    tracks: Sequence[_Track]
    is_whole: bool
    failure: Exception | None = None

    def tick(self) -> None:
        """Publish what there is. What goes wrong is raised at the end: who calls this has the tool's pipe to drain."""
        if self.failure is not None:
            return
        try:
            self._publish()
        except Exception as error:  # noqa: BLE001 - see above
            self.failure = error

    def ended(self, heard: Sequence[int]) -> Made:
        """Publish the rest of the tracks that were heard, forget the others, and return what is made.

        Raises what `tick` met, unless nothing was heard, and OutputMismatchError where a file holds no sound at all.
        """
        if self.failure is not None and heard:
            raise self.failure
        for track in self.tracks:
            if track.number in heard:
                track.end()
            else:
                self.attempt.services.objects.delete_prefix(keys.track(self.attempt.job.id, track.name))
        return {track.number: track.made for track in self.tracks if track.number in heard}

    def _publish(self) -> None:
        fresh = [track.publish() for track in self.tracks]
        # Players load the master playlist once: all tracks stand in it from the first time on.
        if any(fresh) and self.is_whole and all(track.stored for track in self.tracks):
            made = {track.number: track.made for track in self.tracks}
            self.attempt.services.jobs.interim(self.attempt.task, self.attempt.name, _result(made, complete=False))


@dataclass(slots=True)
class _Track:
    """One of the files ffmpeg is writing, and what of it is stored already."""

    attempt: Attempt
    number: int
    plan: Plan
    stored: list[dict[str, Any]] = field(default_factory=list)
    codec: str = ""
    left: ToolFile | None = None
    opened: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.opened.close()

    @property
    def name(self) -> str:
        """The track's name, which its objects have."""
        return sound_name(self.number)

    @property
    def audio(self) -> AudioSource:
        """The track as it is planned."""
        return self.plan.audio[self.number]

    @property
    def files(self) -> SoundFiles:
        """Where ffmpeg writes what it makes of the track."""
        scratch = self.attempt.scratch
        heard = f"heard{self.name.removeprefix(AUDIO)}.txt"
        return SoundFiles(self.audio, scratch / f"{self.name}.mp4", scratch / heard)

    @property
    def made(self) -> dict[str, Any]:
        """What the record says of the track."""
        return {"codec": self.codec, "parts": self.stored}

    def end(self) -> None:
        """Publish the rest. Raises OutputMismatchError where there is no sound at all."""
        self.publish()
        if not self.stored:
            raise OutputMismatchError(detail="The encoder's sound has no part that is complete.")

    def publish(self) -> bool:
        """Store the parts that are complete by now; tell whether there are any that were not before."""
        path = self.files.target
        if self.left is None and not _has_bytes(path):
            return False
        if self.left is None:
            # Once: what is put in its place later is not read.
            left = left_by_tool(self.attempt.scratch, path.name, most=most_of_audio(self.plan, self.audio))
            self.left = self.opened.enter_context(left)
        found = read_fragmented(self.left.file, self.left.grown(), growing=True)
        fresh = found.pieces[len(self.stored) :]
        if not fresh:
            return False
        self.attempt.check_ours()
        objects, job_id = self.attempt.services.objects, self.attempt.job.id
        file = self.left.file
        if not self.stored:
            file.seek(0)
            init = file.read(found.init_bytes)
            check_init(init, SOUND)
            self.codec = codec_of(init)
            objects.put_bytes(keys.init(job_id, self.name), init, content_type=AUDIO_MP4)
        for piece in fresh:
            file.seek(piece.start)
            data = file.read(piece.end - piece.start)
            objects.put_bytes(keys.segment(job_id, self.name, len(self.stored)), data, content_type=AUDIO_MP4)
            self.stored.append({"bytes": len(data), "seconds": round(piece.ticks / SAMPLE_RATE, 6)})
        return True


def _has_bytes(path: Path) -> bool:
    """Tell whether ffmpeg has begun to write, or something stands there that it did not write."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return status.st_size > 0 or not stat.S_ISREG(status.st_mode)
