"""Loudness of a job's sound: what ffmpeg measured, and what brings it to the loudness that the job asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from storage.model.loudness import Loudness, gain_to
from storage.model.plan import Plan
from workers.attempts.attempt import Attempt
from workers.ffmpeg.audio_commands import SoundFiles, measuring_command, meter_of
from workers.ffmpeg.loudness_meter import LAST_BYTES, parse_loudness
from workers.sandbox.outputs import left_end
from workers.sandbox.run import ToolLimits
from workers.stages.common import plan_of, run_ffmpeg


def brought_to(
    attempt: Attempt, plan: Plan, target: int, files: Mapping[int, SoundFiles], url: str, limits: ToolLimits
) -> dict[int, SoundFiles]:
    """Measure tracks, and return them with what brings each to the loudness in LUFS."""
    run_ffmpeg(attempt, measuring_command(plan, list(files.values()), url), url, limits=limits)

    def gain(path: Path | None) -> float:
        measured = None if path is None else loudness_of(attempt, path)
        return 0.0 if measured is None else gain_to(target, measured)

    return {n: replace(made, gain=gain(made.target), surround_gain=gain(made.surround)) for n, made in files.items()}


def loudness_of(attempt: Attempt, target: Path) -> Loudness | None:
    """Return what ffmpeg measured of what it encodes to the target.

    Where the form of sound changes on its way ffmpeg begins its filters anew, and with them the measuring.
    """
    if any(known.code == "sound_changes" for known in plan_of(attempt.job).warnings):
        return None
    return parse_loudness(left_end(attempt.scratch, meter_of(target).name, LAST_BYTES))
