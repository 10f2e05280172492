"""The files of sound that ffmpeg is writing, published part by part while they grow."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import structlog

from storage.errors import OutputMismatchError
from storage.model.loudness import Measured
from storage.model.plan import AUDIO, Plan, sound_name, surround_name
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.audio_commands import SAMPLE_RATE, SoundFiles
from workers.ffmpeg.mp4_boxes import Piece, codec_of, read_fragmented
from workers.ffmpeg.published_boxes import SOUND, check_init
from workers.sandbox.outputs import ToolFile, left_by_tool
from workers.stages.loudness import loudness_of
from workers.stages.scratch_needs import most_of_audio

AUDIO_MP4 = "audio/mp4"
# The record is told of new parts when they are a sixteenth of those it knows. Told of each, it would be written some
# thousand times for a long film, with all parts of all tracks; and sound is far ahead of the pictures by then.
TOLD_SHARE = 16

_log = structlog.get_logger()

Made = dict[str, dict[str, Any]]  # what the record says of tracks and their versions in 5.1, by their names


def written_tracks(attempt: Attempt, plan: Plan, files: Mapping[int, SoundFiles]) -> Iterator[WrittenTrack]:
    """Yield what a command writes of tracks: of some of them two versions."""
    for number, made in files.items():
        audio = made.audio
        yield WrittenTrack(attempt, number, made.target, most_of_audio(plan, audio.bitrate))
        if made.surround is not None:
            yield WrittenTrack(attempt, number, made.surround, most_of_audio(plan, audio.surround_bitrate))


def forget_track(attempt: Attempt, number: int) -> None:
    """Remove what was published of a track."""
    for name in (sound_name(number), surround_name(number)):
        attempt.services.objects.delete_prefix(keys.track(attempt.job.id, name))


def result_of(made: Made, *, complete: bool) -> dict[str, Any]:
    """Return what the record says of the sounds: of the first as ever, of all others by their names."""
    first = made.get(AUDIO, {"codec": "", "parts": []})
    further = {name: track for name, track in made.items() if name != AUDIO}
    return {"made": True, **first, "complete": complete, **({"tracks": further} if further else {})}


@dataclass(slots=True)
class SoundRun:
    """The tracks that one command of ffmpeg is writing; `is_whole` tells that these are all of the job.

    `told` are the parts of all tracks that the record knows of: also by an early attempt, or by one that died.
    """

    attempt: Attempt
    files: Mapping[int, SoundFiles]
    tracks: Sequence[WrittenTrack]
    is_whole: bool
    failure: Exception | None = None
    told: int = 0

    def tick(self) -> None:
        """Publish what there is. What goes wrong is raised at the end: who calls this has the tool's pipe to drain."""
        if self.failure is not None:
            return
        try:
            self.publish()
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
                track.end(self.files[track.number])
            else:
                forget_track(self.attempt, track.number)
        return {track.name: track.made for track in self.tracks if track.number in heard}

    def publish(self) -> None:
        """Store the parts that are complete by now, and tell the job's record of them."""
        for track in self.tracks:
            track.publish()
        # Players load the master playlist once: all tracks stand in it from the first time on.
        there = self.is_whole and all(track.stored for track in self.tracks)
        count = sum(len(track.stored) for track in self.tracks)
        if there and count - self.told > self.told // TOLD_SHARE:
            self.told = count
            made = {track.name: track.made for track in self.tracks}
            self.attempt.services.jobs.interim(self.attempt.task, self.attempt.name, result_of(made, complete=False))


@dataclass(slots=True)
class WrittenTrack:
    """One of the files ffmpeg is writing, of at most `most` bytes, and what of it is stored already.

    It holds the track of this `number`, or its version in 5.1. The first `silent` parts stored are not of its file yet.
    """

    attempt: Attempt
    number: int
    path: Path
    most: int
    stored: list[dict[str, Any]] = field(default_factory=list)
    codec: str = ""
    measured: dict[str, Any] = field(default_factory=dict)
    silent: int = 0
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
        return {"codec": self.codec, "parts": self.stored, **self.measured}

    def end(self, files: SoundFiles) -> None:
        """Publish the rest, and note what was measured. Raises OutputMismatchError where there is no sound at all."""
        self.publish(ended=True)
        if self.silent or not self.stored:
            raise OutputMismatchError(detail="The encoder's sound has no part that is complete.")
        loudness = loudness_of(self.attempt, self.path)
        if loudness is not None:
            gain = files.gain if self.path == files.target else files.surround_gain
            self.measured = asdict(Measured(self.name, loudness, gain))

    def begin_silent(self, path: Path) -> None:
        """Store the parts of a file that is silent, as the track is at its beginning; its last one is cut."""
        with left_by_tool(self.attempt.scratch, path.name, most=self.most) as left:
            found = read_fragmented(left.file, left.size)
            self._store(left.file, found.init_bytes, found.pieces[:-1])
        self.silent = len(self.stored)

    def publish(self, *, ended: bool = False) -> None:
        """Store the parts that are complete by now."""
        if self.left is None and not _has_bytes(self.path):
            return
        if self.left is None:
            # Once: what is put in its place later is not read.
            left = left_by_tool(self.attempt.scratch, self.path.name, most=self.most)
            self.left = self.opened.enter_context(left)
        found = read_fragmented(self.left.file, self.left.grown(), growing=True)
        if self.silent and (ended or len(found.pieces) >= self.silent):
            if [_told(piece) for piece in found.pieces[: self.silent]] != self.stored:
                _log.warning("silence is not that of the sound", job=self.attempt.job.id, track=self.name)
                self.stored.clear()
            self.silent = 0
        self._store(self.left.file, found.init_bytes, found.pieces[len(self.stored) :])

    def _store(self, file: IO[bytes], init_bytes: int, fresh: Sequence[Piece]) -> None:
        if not fresh:
            return
        self.attempt.check_ours()
        objects, job_id = self.attempt.services.objects, self.attempt.job.id
        if not self.stored:
            file.seek(0)
            init = file.read(init_bytes)
            check_init(init, SOUND)
            self.codec = codec_of(init)
            objects.put_bytes(keys.init(job_id, self.name), init, content_type=AUDIO_MP4)
        for piece in fresh:
            file.seek(piece.start)
            data = file.read(piece.end - piece.start)
            objects.put_bytes(keys.segment(job_id, self.name, len(self.stored)), data, content_type=AUDIO_MP4)
            self.stored.append(_told(piece))


def _told(piece: Piece) -> dict[str, Any]:
    """Return what the record says of a part."""
    return {"bytes": piece.end - piece.start, "seconds": round(piece.ticks / SAMPLE_RATE, 6)}


def _has_bytes(path: Path) -> bool:
    """Tell whether ffmpeg has begun to write, or something stands there that it did not write."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return status.st_size > 0 or not stat.S_ISREG(status.st_mode)
