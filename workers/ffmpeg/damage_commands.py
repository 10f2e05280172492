"""Looking for damage: the commands that list a source's packets and pictures. Pure, as workers.ffmpeg.commands is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ffmpeg

from storage.model.plan import AudioSource, Plan, Segment
from workers.ffmpeg.commands import compiled, keeping_all, seeking
from workers.ffmpeg.filters import on_steady_clock
from workers.sandbox.allowed_inputs import as_input, input_arguments, input_options, looking_arguments, looking_options

MARGIN_SECONDS = 2.0  # looked at behind a segment: so that a gap at its end is seen to its end
TICKS = 1_000_000  # of the times beside checksums, a second
_PACKET = "packet=pts_time,dts_time,pos,flags"
_PICTURES = f"{_PACKET}:frame=best_effort_timestamp_time,pkt_pos:log=category"
_ERRORS = 16  # ffmpeg's level of errors
# ffprobe reads memory that it never set where an interval has no end, and may list nothing (seen on 7.1.5).
_NO_END = "1000000000"  # seconds, 31 years: behind the end of every file
DISCARD = ("-fflags", "+discardcorrupt")  # packets that the container knows to be incomplete are left out


def pictures_command(plan: Plan, segment: Segment, url: str) -> list[str]:
    """Return the command that lists the segment's packets, the pictures they give and who logs errors between them."""
    return [
        *_ffprobe(url, plan.video.stream, plan.video.look_seconds),
        *(part for name, value in keeping_all(plan.video).items() for part in (f"-{name}", value)),
        "-show_log", str(_ERRORS),  # decodes in one thread, so that errors stand beside their packets
        *_interval(plan, segment),
        "-show_packets",
        "-show_frames",
        "-show_entries", _PICTURES,
        as_input(url),
    ]  # fmt: skip


def whole_packets_command(plan: Plan, segment: Segment, url: str) -> list[str]:
    """Return the command that lists the segment's packets without those that the container knows to be incomplete."""
    return [
        *_ffprobe(url, plan.video.stream, plan.video.look_seconds),
        *DISCARD,
        *_interval(plan, segment),
        "-show_packets",
        "-show_entries", _PACKET,
        as_input(url),
    ]  # fmt: skip


def packets_command(audio: AudioSource, url: str, *, whole: bool) -> list[str]:
    """Return the command that lists all packets of the sound, with `whole` only those that are complete."""
    return [
        *_ffprobe(url, audio.stream, audio.look_seconds),
        *(DISCARD if whole else ()),
        "-show_packets",
        "-show_entries", _PACKET,
        as_input(url),
    ]  # fmt: skip


def checksums_command(plan: Plan, segment: Segment, url: str, repaired: Path, bare: Path) -> list[str]:
    """Return the command that writes every picture's checksum twice: errors concealed, and left as they are.

    Pictures that differ, and only those, were repaired or predicted from such ones.
    """
    outputs = [
        _checksums(plan, segment, url, repaired, {}),
        _checksums(plan, segment, url, bare, {"ec": 0}),
    ]
    return compiled(outputs)


def _checksums(plan: Plan, segment: Segment, url: str, target: Path, concealing: dict[str, Any]) -> Any:
    source = ffmpeg.input(
        as_input(url),
        **input_options(url),
        **looking_options(plan.video.look_seconds),
        **keeping_all(plan.video),
        **concealing,
        **({} if segment.seek is None else seeking(plan, segment.seek)),
        threads=1,  # threads conceal as the other's picture happens to be done
        copyts=None,
    )
    options: dict[str, Any] = {
        "c:v": "rawvideo",
        "fps_mode": "passthrough",
        "enc_time_base": f"1:{TICKS}",
        "f": "framecrc",
    }
    shown = on_steady_clock(source[str(plan.video.stream)], plan.video.pieces, sound=False)
    until = looked_until(plan, segment)
    pictures = shown if until is None else shown.filter("trim", end=f"{until:.6f}")
    return ffmpeg.output(pictures, str(target), **options)


def _ffprobe(url: str, stream: int, look_seconds: float) -> tuple[str, ...]:
    looking = (*looking_arguments(look_seconds), *input_arguments(url))
    return ("ffprobe", "-v", "error", *looking, "-of", "compact", "-select_streams", str(stream))


def _interval(plan: Plan, segment: Segment) -> tuple[str, ...]:
    until = looked_until(plan, segment)
    if segment.seek is None and until is None:
        return ()
    begin = "" if segment.seek is None else f"{segment.seek:.6f}"
    return ("-read_intervals", f"{begin}%{_NO_END if until is None else f'{until:.6f}'}")


def looked_until(plan: Plan, segment: Segment) -> float | None:
    """Return up to where the source is looked at, in seconds on its clock; None for its end."""
    if segment.first_frame + segment.frames >= plan.frames:
        return None
    return plan.video.start_time + float((segment.first_frame + segment.frames) / plan.rate) + MARGIN_SECONDS
