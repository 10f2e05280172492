"""Tracks of sound that begin late: the silence ahead of them is published before it is read that far.

Players are told of all tracks at once, and ffmpeg writes nothing of a track before its first packet. A commentary that
begins five minutes into a film kept its first picture waiting for 20 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import structlog

from storage.errors import ToolError
from storage.model.plan import AudioSource
from workers.ffmpeg.audio_commands import silence_command
from workers.sandbox.run import ToolLimits
from workers.stages.common import plan_of, run_ffmpeg
from workers.stages.sound_run import SoundRun

# Sound that begins before that is there within two seconds by itself.
LATE_SECONDS = 20
# Decoders tell times of sound that differ from the packets', and what is encoded depends a little on what follows.
_MARGIN_SECONDS = 1
# What is published ahead lasts until the sound itself has been read that far. That goes ten times as fast as it is
# played at least, beside encoders of pictures too; a minute of silence takes 0.3 s.
_READ_SPEED = 10
_LEAST_SECONDS = 60

_log = structlog.get_logger()


def seconds_ahead(audio: AudioSource, duration: float) -> int:
    """Return how many seconds of silence are published ahead of a track, 0 for one that does not begin late.

    The video lasts for `duration` seconds; a track on a clock of its own may begin behind it.
    """
    silent = max(0, min(audio.silent_seconds, int(duration)) - _MARGIN_SECONDS)
    return min(silent, max(_LEAST_SECONDS, silent // _READ_SPEED)) if audio.silent_seconds >= LATE_SECONDS else 0


def patience(usual: ToolLimits, sounds: Iterable[AudioSource]) -> ToolLimits:
    """Return the limits of reading sounds: for one that begins late without that for a standstill.

    Up to its first packet ffmpeg tells no progress at all, which is no standstill.
    """
    is_late = any(audio.silent_seconds >= LATE_SECONDS for audio in sounds)
    return replace(usual, stall=usual.deadline) if is_late else usual


def begin_silent(run: SoundRun) -> None:
    """Publish silence for the tracks of the run that begin late: the same bytes that the run will come to.

    Only where its tracks are all of the job, as nobody is told of them otherwise; without it they come later.
    """
    attempt = run.attempt
    duration = plan_of(attempt.job).duration
    late = {number: ahead for number, made in run.files.items() if (ahead := seconds_ahead(made.audio, duration))}
    if not late or not run.is_whole:
        return
    files = [replace(run.files[number], target=_ahead(run.files[number].target)) for number in late]
    files = [replace(made, surround=None if made.surround is None else _ahead(made.surround)) for made in files]
    try:
        run_ffmpeg(attempt, silence_command(files, list(late.values())), str(attempt.scratch))
    except ToolError as error:
        if error.killed:
            raise
        _log.warning("no silence ahead of sound", job=attempt.job.id, error=str(error))
        return
    for track in run.tracks:
        if track.number in late:
            track.begin_silent(_ahead(track.path))
            _ahead(track.path).unlink()


def _ahead(path: Path) -> Path:
    return path.with_suffix(".silent.mp4")
