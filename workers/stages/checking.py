"""A second look at what ffmpeg had something to say of: what was missing or repaired there, and where."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from storage.errors import OutputMismatchError, ToolError, ToolTimeoutError
from storage.media_errors import TooMuchWorkError
from storage.model.damage import Damage, Damages, summed_up
from storage.model.plan import AudioSource, Plan, Segment
from workers.attempts.attempt import Attempt
from workers.damage.detection import CONCEALING_CODECS, on_timeline, pictures_damage, sound_damage
from workers.damage.tool_output import (
    DecodedAudio,
    DecodedPictures,
    Packet,
    concealed,
    is_of_container,
    joined,
    parse_checksums,
    parse_decoded_audio,
    parse_decoded_pictures,
    parse_packets,
    with_corrupt,
)
from workers.ffmpeg.damage_commands import (
    TICKS,
    checksums_command,
    looked_until,
    packets_command,
    pictures_command,
    whole_packets_command,
)
from workers.sandbox.cpu_watch import WorkBudget
from workers.sandbox.outputs import left_lines
from workers.sandbox.reach import reach_of
from workers.sandbox.run import run_tool
from workers.stages.common import LATER_NICENESS

_log = structlog.get_logger()


def damaged_pictures(attempt: Attempt, plan: Plan, segment: Segment, url: str, cpu_seconds: float) -> Damages:
    """Return the damage of the segment's pictures. It is only told: where the look fails, none is, but in the log.

    The look may take so many CPU seconds, apart from the attempt's own.
    """
    found: list[Damage] = []
    with _only_logged(attempt):
        found += _pictures(_apart(attempt, cpu_seconds), plan, segment, url)
    return summed_up(on_timeline(found, plan, segment.first_frame, segment.frames))


def read_heard(scratch: Path, name: str) -> DecodedAudio | None:
    """Return what was decoded of the sound, from the file that `audio_command` lists it in; None for nothing.

    Raises OutputMismatchError for a file that is no such list.
    """
    try:
        return parse_decoded_audio(left_lines(scratch, name))
    except (ValueError, IndexError, ArithmeticError) as error:
        raise OutputMismatchError(detail="The tool's list of the sound cannot be read.") from error


def damaged_sound(
    attempt: Attempt,
    plan: Plan,
    audio: AudioSource,
    url: str,
    heard: DecodedAudio | None,
    *,
    suspicious: bool,
    cpu_seconds: float,
) -> Damages:
    """Return the damage of the sound; its packets are looked at where suspicious. None where nothing was decoded.

    The look may take so many CPU seconds, apart from the attempt's own.
    """
    found: list[Damage] = []
    if heard is not None:
        with _only_logged(attempt):
            packets = _sound_packets(_apart(attempt, cpu_seconds), audio, url) if suspicious else ()
            joins = [piece.start - piece.shift for piece in audio.pieces[1:]]
            found += sound_damage(heard, audio.codec, packets, joins)
    return summed_up(on_timeline(found, plan, 0, plan.frames))


@contextmanager
def _only_logged(attempt: Attempt) -> Iterator[None]:
    try:
        yield
    except (ToolError, ToolTimeoutError, OutputMismatchError, TooMuchWorkError) as error:
        _log.warning("damage not looked for", job=attempt.job.id, task=attempt.task.field, error=str(error))


def _apart(attempt: Attempt, cpu_seconds: float) -> Attempt:
    """Return the attempt with a budget for the look alone, so that much damage costs the encoding nothing."""
    return replace(attempt, watch=replace(attempt.watch, work=WorkBudget(cpu_seconds)))


def _pictures(attempt: Attempt, plan: Plan, segment: Segment, url: str) -> Iterator[Damage]:
    listing = parse_decoded_pictures(_printed(attempt, pictures_command(plan, segment, url), url))
    lossy = threading.Event()

    def on_message(line: str) -> None:
        if is_of_container(line):
            lossy.set()

    whole = parse_packets(_printed(attempt, whole_packets_command(plan, segment, url), url, on_message))
    packets = with_corrupt(listing.packets, whole)
    repaired = _repaired(attempt, plan, segment, url) if plan.video.codec in CONCEALING_CODECS else None
    known = joined(replace(listing, packets=packets, lossy=lossy.is_set()), plan.video.pieces)
    yield from pictures_damage(known, repaired, looked_until(plan, segment))


def _repaired(attempt: Attempt, plan: Plan, segment: Segment, url: str) -> tuple[float, ...]:
    repaired, bare = attempt.scratch / "repaired.crc", attempt.scratch / "bare.crc"
    _printed(attempt, checksums_command(plan, segment, url, repaired, bare), url)
    first, second = ("".join(left_lines(attempt.scratch, path.name)) for path in (repaired, bare))
    return concealed(parse_checksums(first), parse_checksums(second), TICKS)


def _sound_packets(attempt: Attempt, audio: AudioSource, url: str) -> tuple[Packet, ...]:
    packets, whole = (
        parse_packets(_printed(attempt, packets_command(audio, url, whole=whole), url)) for whole in (False, True)
    )
    listing = DecodedPictures(with_corrupt(packets, whole), shown=(), places=frozenset(), complained=())
    return joined(listing, audio.pieces).packets


def _printed(attempt: Attempt, command: list[str], url: str, on_message: Callable[[str], None] | None = None) -> str:
    watch = replace(attempt.watch, conceal=url, on_message=on_message)
    reach = reach_of(url, attempt.scratch)
    return run_tool(command, attempt.limits, watch=watch, reach=reach, niceness=LATER_NICENESS).decode(errors="replace")
