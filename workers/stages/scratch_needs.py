"""How much scratch space a task takes at most: pure, from the plan and what is encoded already."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from storage.model.plan import AudioSource, Plan, Rung, Segment
from storage.model.task import Results, Stage, sounds_of

SPARE = Fraction(21, 20)  # boxes around the pictures, and the index of an MP4: under 4 % at the lowest rates
METERED_BITRATE = 40_000  # bits/s of what the meter of loudness writes: ten blocks of up to 500 bytes a second
LISTED_BITRATE = 24_000  # bits/s of a list of decoded sound: of twelve hours it has about 120 MB
STILLS_BYTES = 32 * 1024**2  # pictures to choose a poster from, or the sheet of a storyboard
# What a file may have above that, so that an encoder which misses its rate a little is not taken for a hostile one.
LEFT_SPARE = Fraction(5, 4)
LEFT_SPARE_BYTES = 1024**2  # init section and index of a file of one frame
# Of a track of subtitles in packaging: as WebVTT, and three times as much in each MP4, for a track as people have it.
# One of the largest takes more, which the spare scratch space of a worker has.
TEXT_BYTES = 2 * 1024**2
_BITS = 8


def segment_bytes(plan: Plan, segment: Segment) -> int:
    """Return the most that the segment's outputs take, all rungs together.

    A rung's rate is capped by its decoder's buffer: what is longer than that has its rate at most, and once the buffer.
    """
    return _spared(sum((_rung_bytes(plan, segment, rung) for rung in plan.rungs), Fraction()))


def most_of_rung(plan: Plan, segment: Segment, rung: Rung) -> int:
    """Return the bytes beyond which no encoder of ours writes a rung's file of the segment."""
    return _at_most(_rung_bytes(plan, segment, rung))


def audio_bytes(plan: Plan) -> int:
    """Return the most that the job's sounds take, all tracks together, and the lists of when they are heard."""
    return sum(_sound_at(plan, _bitrate(audio)) for audio in plan.audio)


def most_of_audio(plan: Plan, bitrate: int) -> int:
    """Return the bytes beyond which no encoder of ours writes a sound of the job at so many bits/s."""
    return _at_most(Fraction(_sound_at(plan, bitrate)))


def most_of_mp4(results: Results, rung: Rung) -> int:
    """Return the bytes beyond which no MP4 is of a rung's fragments and the sound."""
    return _at_most(Fraction(sum(_fragments(results, rung)) + _sound_bytes(results)))


def package_bytes(plan: Plan, results: Results, *, texts: int = 0) -> int:
    """Return what packaging takes: of all rungs at once their fragments joined and the MP4 of them, and the sound.

    The storyboard's file of keyframes is at most the smallest rung once more. `texts` are tracks of subtitles.
    """
    rungs = [sum(_fragments(results, rung)) for rung in plan.rungs]
    pictures = 2 * sum(rungs) + rungs[-1]
    sound = (1 + len(plan.rungs)) * _sound_bytes(results)
    return _spared(Fraction(pictures + sound)) + STILLS_BYTES + texts * TEXT_BYTES


def _bitrate(audio: AudioSource) -> int:
    """Return bits/s of all that is written of a track while it is encoded."""
    versions = 2 if audio.surround_bitrate else 1
    return audio.bitrate + audio.surround_bitrate + LISTED_BITRATE + versions * METERED_BITRATE


def _sound_at(plan: Plan, bitrate: int) -> int:
    return _spared(bitrate * plan.frames / plan.rate / _BITS)


def _rung_bytes(plan: Plan, segment: Segment, rung: Rung) -> Fraction:
    return (rung.maxrate * (segment.frames / plan.rate) + rung.bufsize) / _BITS


def _fragments(results: Results, rung: Rung) -> Iterator[int]:
    for field, result in results.items():
        if field.startswith(f"{Stage.SEGMENT}:"):
            yield from result["rungs"][rung.name]["fragments"]


def _sound_bytes(results: Results) -> int:
    return sum(part["bytes"] for track in sounds_of(results).values() for part in track["parts"])


def _at_most(size: Fraction) -> int:
    return int(size * SPARE * LEFT_SPARE) + LEFT_SPARE_BYTES


def _spared(size: Fraction) -> int:
    return int(size * SPARE)
