"""Audio: the job's sounds, encoded once and published part by part while they are made."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import structlog

from storage.errors import OutputMismatchError, ToolError
from storage.model.damage import as_result
from storage.model.plan import AUDIO, AudioSource, Plan, sound_name, surround_name
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
# The record is told of new parts when they are a sixteenth of those it knows. Told of each, it would be written some
# thousand times for a long film, with all parts of all tracks; and sound is far ahead of the pictures by then.
TOLD_SHARE = 16

Made = dict[str, dict[str, Any]]  # what the record says of tracks and their versions in 5.1, by their names

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
            _forget(attempt, number)
        else:
            made |= track
            damage |= found
    return made, damage


def _encoded(attempt: Attempt, plan: Plan, numbers: Iterable[int], budget: float) -> tuple[Made, dict[str, Any]]:
    """Encode these tracks by one command. Return those of which anything was heard, and the damage of the first of all.

    Places of damage say of no track which one it is, so those of further ones are not looked for.
    """
    with ExitStack() as opened, original_of(attempt) as url:
        files = {number: _files(attempt.scratch, number, plan.audio[number]) for number in numbers}
        tracks = [opened.enter_context(track) for track in _tracks(attempt, plan, files)]
        run = _Run(attempt, tracks, is_whole=len(files) == len(plan.audio))
        command = audio_command(plan, list(files.values()), url)
        suspicious = run_ffmpeg(attempt, command, url, on_tick=run.tick)
        heard = {number: read_heard(attempt.scratch, made.heard.name) for number, made in files.items()}
        found = dict[str, Any]()
        if heard.get(0) is not None:
            look = damaged_sound(attempt, plan, plan.audio[0], url, heard[0], suspicious=suspicious, cpu_seconds=budget)
            found = as_result(look)
        return run.ended([number for number, one in heard.items() if one is not None]), found


def _files(scratch: Path, number: int, audio: AudioSource) -> SoundFiles:
    """Return where ffmpeg writes what it makes of the track of this number."""
    name = sound_name(number)
    wide = scratch / f"{surround_name(number)}.mp4" if audio.surround_bitrate else None
    return SoundFiles(audio, scratch / f"{name}.mp4", scratch / f"heard{name.removeprefix(AUDIO)}.txt", wide)


def _tracks(attempt: Attempt, plan: Plan, files: Mapping[int, SoundFiles]) -> Iterator[_Track]:
    for number, made in files.items():
        audio = made.audio
        yield _Track(attempt, number, made.target, most_of_audio(plan, audio.bitrate))
        if made.surround is not None:
            yield _Track(attempt, number, made.surround, most_of_audio(plan, audio.surround_bitrate))


def _forget(attempt: Attempt, number: int) -> None:
    """Remove what was published of a track."""
    for name in (sound_name(number), surround_name(number)):
        attempt.services.objects.delete_prefix(keys.track(attempt.job.id, name))


def _result(made: Made, *, complete: bool) -> dict[str, Any]:
    """Return what the record says of the sounds: of the first as ever, of all others by their names."""
    first = made.get(AUDIO, {"codec": "", "parts": []})
    further = {name: track for name, track in made.items() if name != AUDIO}
    return {"made": True, **first, "complete": complete, **({"tracks": further} if further else {})}


@dataclass(slots=True)
class _Run:
    """The tracks that one command of ffmpeg is writing; `is_whole` tells that these are all of the job."""

    attempt: Attempt
    tracks: Sequence[_Track]
    is_whole: bool
    failure: Exception | None = None
    told: int = 0  # parts of all tracks that the record knows of

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
                _forget(self.attempt, track.number)
        return {track.name: track.made for track in self.tracks if track.number in heard}

    def _publish(self) -> None:
        for track in self.tracks:
            track.publish()
        # Players load the master playlist once: all tracks stand in it from the first time on.
        there = self.is_whole and all(track.stored for track in self.tracks)
        count = sum(len(track.stored) for track in self.tracks)
        if there and count - self.told > self.told // TOLD_SHARE:
            self.told = count
            made = {track.name: track.made for track in self.tracks}
            self.attempt.services.jobs.interim(self.attempt.task, self.attempt.name, _result(made, complete=False))


@dataclass(slots=True)
class _Track:
    """One of the files ffmpeg is writing, of at most `most` bytes, and what of it is stored already.

    It holds the track of this `number`, or its version in 5.1.
    """

    attempt: Attempt
    number: int
    path: Path
    most: int
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
        """Its name, which its objects have."""
        return self.path.stem

    @property
    def made(self) -> dict[str, Any]:
        """What the record says of the track."""
        return {"codec": self.codec, "parts": self.stored}

    def end(self) -> None:
        """Publish the rest. Raises OutputMismatchError where there is no sound at all."""
        self.publish()
        if not self.stored:
            raise OutputMismatchError(detail="The encoder's sound has no part that is complete.")

    def publish(self) -> None:
        """Store the parts that are complete by now."""
        if self.left is None and not _has_bytes(self.path):
            return
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
            objects.put_bytes(keys.init(job_id, self.name), init, content_type=AUDIO_MP4)
        for piece in fresh:
            file.seek(piece.start)
            data = file.read(piece.end - piece.start)
            objects.put_bytes(keys.segment(job_id, self.name, len(self.stored)), data, content_type=AUDIO_MP4)
            self.stored.append({"bytes": len(data), "seconds": round(piece.ticks / SAMPLE_RATE, 6)})


def _has_bytes(path: Path) -> bool:
    """Tell whether ffmpeg has begun to write, or something stands there that it did not write."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return status.st_size > 0 or not stat.S_ISREG(status.st_mode)
