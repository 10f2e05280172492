"""Audio: the job's sounds, encoded once and published part by part while they are made."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any

import structlog

from storage.errors import OutputMismatchError, ToolError, ToolTimeoutError
from storage.model.damage import as_result
from storage.model.plan import AUDIO, AudioSource, Plan, sound_name, surround_name
from storage.model.task import sounds_of
from workers.attempts.attempt import Attempt
from workers.ffmpeg.audio_commands import SoundFiles, audio_command
from workers.sandbox.scratch import reserve
from workers.stages.checking import damaged_sound, read_heard
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.loudness import brought_to
from workers.stages.scratch_needs import audio_bytes
from workers.stages.silence_ahead import begin_silent, patience
from workers.stages.sound_run import Made, SoundRun, forget_track, result_of, written_tracks
from workers.stages.work_budgets import audio_budget

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
        finish(attempt, result_of(made, complete=True) | damage)
    else:
        finish(attempt, {"made": False, "detail": "Not one packet of the sound could be decoded."})


def encode_audio_that_came(attempt: Attempt, plan: Plan, original: AbstractContextManager[str]) -> None:
    """Encode the sounds up to where `original` makes the tool wait, and publish the parts that are complete by then.

    The tool is stopped there. It never learns that there was an end, so each part is that of the whole file.
    """
    reserve(attempt.scratch, audio_bytes(plan))
    attempt.bound(audio_budget(plan, attempt.job.size, speed_here(attempt)))
    with ExitStack() as opened:
        run = _run(attempt, plan, range(len(plan.audio)), opened)
        begin_silent(run)
        with suppress(ToolTimeoutError), original as url:
            run_ffmpeg(attempt, audio_command(plan, list(run.files.values()), url), url)
        run.publish()
    finish(attempt, {})


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
            forget_track(attempt, number)
        else:
            made |= track
            damage |= found
    return made, damage


def _encoded(attempt: Attempt, plan: Plan, numbers: Iterable[int], budget: float) -> tuple[Made, dict[str, Any]]:
    """Encode these tracks by one command. Return those of which anything was heard, and the damage of the first of all.

    Places of damage say of no track which one it is, so those of further ones are not looked for.
    """
    with ExitStack() as opened, original_of(attempt) as url:
        run = _run(attempt, plan, numbers, opened)
        limits = patience(attempt.limits, (made.audio for made in run.files.values()))
        if attempt.job.loudness is not None:
            run.files = brought_to(attempt, plan, attempt.job.loudness, run.files, url, limits)
        begin_silent(run)
        command = audio_command(plan, list(run.files.values()), url)
        suspicious = run_ffmpeg(attempt, command, url, on_tick=run.tick, limits=limits)
        heard = {number: read_heard(attempt.scratch, made.heard.name) for number, made in run.files.items()}
        found = dict[str, Any]()
        if heard.get(0) is not None:
            look = damaged_sound(attempt, plan, plan.audio[0], url, heard[0], suspicious=suspicious, cpu_seconds=budget)
            found = as_result(look)
        return run.ended([number for number, one in heard.items() if one is not None]), found


def _run(attempt: Attempt, plan: Plan, numbers: Iterable[int], opened: ExitStack) -> SoundRun:
    """Return what a command will write of these tracks; its files stay open as long as `opened`."""
    files = {number: _files(attempt.scratch, number, plan.audio[number]) for number in numbers}
    tracks = [opened.enter_context(track) for track in written_tracks(attempt, plan, files)]
    known = sounds_of(attempt.services.jobs.results(attempt.job.id, interim=True)).values()
    told = sum(len(track["parts"]) for track in known)
    return SoundRun(attempt, files, tracks, is_whole=len(files) == len(plan.audio), told=told)


def _files(scratch: Path, number: int, audio: AudioSource) -> SoundFiles:
    """Return where ffmpeg writes what it makes of the track of this number."""
    name = sound_name(number)
    wide = scratch / f"{surround_name(number)}.mp4" if audio.surround_bitrate else None
    return SoundFiles(audio, scratch / f"{name}.mp4", scratch / f"heard{name.removeprefix(AUDIO)}.txt", wide)
