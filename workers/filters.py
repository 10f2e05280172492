"""The filter graph of a segment: one decode, exact frames on the output grid, cascaded scaling. Pure."""

from __future__ import annotations

from typing import Any

from storage.plan import ClockPiece, Plan, Rung, Segment, VideoSource
from workers.colour import on_black, scaled, smaller, to_bt709

# Frames that may be repeated at the very end of the timeline: containers round the last frame's length, and a decoder
# that drops a broken last frame must not cost the last segment its exact count. More missing is a truncated file.
SPARE_FRAMES = 3
# What makes a picture upright, by its turn against the clock and whether it is mirrored left to right before that.
_UPRIGHT: dict[tuple[int, bool], tuple[tuple[str, dict[str, str]], ...]] = {
    (0, False): (),
    (90, False): (("transpose", {"dir": "cclock"}),),
    (180, False): (("hflip", {}), ("vflip", {})),
    (270, False): (("transpose", {"dir": "clock"}),),
    (0, True): (("hflip", {}),),
    (90, True): (("transpose", {"dir": "cclock_flip"}),),
    (180, True): (("vflip", {}),),
    (270, True): (("transpose", {"dir": "clock_flip"}),),
}


def on_steady_clock(stream: Any, pieces: tuple[ClockPiece, ...], *, sound: bool) -> Any:
    """Return the stream with only what is shown of a clock that jumps, moved together; as it is for a steady clock."""
    if not pieces:
        return stream
    shown = "+".join(f"between(t,{piece.start:.6f},{piece.end:.6f})" for piece in pieces)
    steps = zip(pieces, (0.0, *(piece.shift for piece in pieces)), strict=False)
    shift = "+".join(f"gte(T,{piece.start:.6f})*{piece.shift - before:.6f}" for piece, before in steps)
    prefix = "a" if sound else ""
    return stream.filter(f"{prefix}select", shown).filter(f"{prefix}setpts", f"PTS-({shift})/TB")


def rung_streams(url_input: Any, plan: Plan, segment: Segment) -> list[tuple[Rung, Any]]:
    """Return one filtered stream per rung, largest first; each smaller one is scaled from the one above it."""
    stream = _on_grid(url_input[str(plan.video.stream)], plan, segment)
    streams: list[tuple[Rung, Any]] = []
    for position, rung in enumerate(plan.rungs):
        picture = even_picture(stream, plan, rung) if position == 0 else smaller(stream, rung.width, rung.height)
        if rung is plan.rungs[-1]:
            streams.append((rung, picture))
            continue
        parts = picture.filter_multi_output("split", 2)
        streams.append((rung, parts[0]))
        stream = parts[1]
    return streams


def _on_grid(stream: Any, plan: Plan, segment: Segment) -> Any:
    """Return exactly the segment's frames, numbered on the output grid."""
    stream = on_steady_clock(stream, plan.video.pieces, sound=False)
    if plan.video.interlaced:
        # One frame per frame, only where a frame says it is interlaced: mixed sources keep their progressive parts.
        stream = stream.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
    start = plan.video.start_time + float(segment.first_frame / plan.rate)
    return (
        stream.filter(
            "fps",
            fps=f"{plan.rate_num}/{plan.rate_den}",
            start_time=f"{start:.6f}",  # with -copyts filters see the source's clock: n shows at start_time + n/R
            round="near",
        )
        .filter("tpad", stop_mode="clone", stop=_clones(plan, segment))
        .filter("trim", end_frame=segment.frames)
        .filter("setpts", f"N+{segment.first_frame}")  # exact whole numbers in 1/R, free of the source's clock
    )


def _clones(plan: Plan, segment: Segment) -> int:
    """Return how many times the last frame may be repeated: the planned tail (sound goes on) and the spare."""
    last = segment.first_frame + segment.frames == plan.frames
    return SPARE_FRAMES + plan.tail_frames if last else 0


def even_picture(stream: Any, plan: Plan, rung: Rung) -> Any:
    """Return the source's picture in the rung's size: square pixels, opaque, BT.709, limited range, 8 bit 4:2:0."""
    if plan.video.alpha:
        stream = on_black(stream)  # before scaling, or the colour of what is transparent would run over edges
    # Turned as late as this: fields are lines of the coded picture. Colours after scaling: fewer pixels to convert.
    stream = scaled(upright(stream, plan.video), rung.width, rung.height, plan.video.colour)
    return to_bt709(stream, plan.video.colour)


def upright(stream: Any, video: VideoSource) -> Any:
    """Return the coded pictures turned and mirrored as they are to be shown.

    What is no quarter turn is turned within its own frame, in front of black, as ffmpeg by itself does.
    """
    if video.mirrored is None:
        return stream
    if (filters := _UPRIGHT.get((video.rotation, video.mirrored))) is None:
        return stream.filter("rotate", f"{360 - video.rotation}*PI/180")
    for name, options in filters:
        stream = stream.filter(name, **options)
    return stream
