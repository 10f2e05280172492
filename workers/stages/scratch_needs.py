"""How much scratch space a task takes at most: pure, from the plan and what is encoded already."""

from __future__ import annotations

from fractions import Fraction

from storage.model.plan import AudioSource, Plan, Segment
from storage.model.task import Results, Stage, Task

SPARE = Fraction(21, 20)  # boxes around the pictures, and the index of an MP4: under 4 % at the lowest rates
STILLS_BYTES = 32 * 1024**2  # pictures to choose a poster from, or the sheet of a storyboard
_BITS = 8


def segment_bytes(plan: Plan, segment: Segment) -> int:
    """Return the most that the segment's outputs take, all rungs together.

    A rung's rate is capped by its decoder's buffer: what is longer than that has its rate at most, and once the buffer.
    """
    seconds = segment.frames / plan.rate
    bits = sum((rung.maxrate * seconds + rung.bufsize for rung in plan.rungs), Fraction())
    return _spared(bits / _BITS)


def audio_bytes(plan: Plan, audio: AudioSource) -> int:
    """Return the most that the job's sound takes."""
    return _spared(audio.bitrate * plan.frames / plan.rate / _BITS)


def package_bytes(plan: Plan, results: Results) -> int:
    """Return what packaging takes: of all rungs at once their fragments joined and the MP4 of them, and the sound.

    The storyboard's file of keyframes is at most the smallest rung once more.
    """
    segments = [result["rungs"] for field, result in results.items() if field.startswith(f"{Stage.SEGMENT}:")]
    rungs = [sum(sum(found[rung.name]["fragments"]) for found in segments) for rung in plan.rungs]
    pictures = 2 * sum(rungs) + rungs[-1]
    audio = results.get(Task("", Stage.AUDIO).field, {})
    sound = sum(part["bytes"] for part in audio.get("parts", ()))
    return _spared(Fraction(pictures + (1 + len(plan.rungs)) * sound)) + STILLS_BYTES


def _spared(size: Fraction) -> int:
    return int(size * SPARE)
