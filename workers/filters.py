"""The filter graph of a segment: one decode, exact frames on the output grid, cascaded scaling. Pure."""

from __future__ import annotations

from typing import Any

import ffmpeg

from storage.plan import ClockPiece, Colour, Plan, Rung, Segment, VideoSource
from workers.canvas import as_converted, fitted, on_canvas
from workers.colour import on_black, scaled, smaller, to_bt709

# Frames that may be repeated at the very end of the timeline: containers round the last frame's length, and a decoder
# that drops a broken last frame must not cost the last segment its exact count. More missing is a truncated file.
SPARE_FRAMES = 3


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
        top = position == 0
        picture = _in_colours(stream, plan, segment, rung) if top else smaller(stream, rung.width, rung.height)
        if rung is plan.rungs[-1]:
            streams.append((rung, picture))
            continue
        parts = picture.filter_multi_output("split", 2)
        streams.append((rung, parts[0]))
        stream = parts[1]
    return streams


def _on_grid(stream: Any, plan: Plan, segment: Segment) -> Any:
    """Return exactly the segment's frames, numbered on the output grid."""
    if needs_one_size(plan.video):
        stream = on_canvas(stream, plan.video)
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


def needs_one_size(video: VideoSource) -> bool:
    """Tell whether pictures are brought on the canvas ahead of everything else.

    They are where they change, and where they pass filters that cannot take pictures of another size.
    """
    return bool(video.shapes) or video.interlaced or video.alpha


def even_picture(stream: Any, video: VideoSource, rung: Rung, colour: Colour) -> Any:
    """Return pictures of this colour in the rung's size: square pixels, opaque, BT.709, limited range, 8 bit 4:2:0.

    Those of a source that needs one size have been brought on the canvas.
    """
    if video.alpha:
        stream = on_black(stream)  # before scaling, or the colour of what is transparent would run over edges
    # Colours after scaling: fewer pixels to convert.
    if needs_one_size(video):
        colour = as_converted(video, colour)
        return to_bt709(scaled(stream, rung.width, rung.height, colour), colour)
    return to_bt709(fitted(stream, (rung.width, rung.height), colour), colour)


def colour_at(video: VideoSource, seconds: float) -> Colour:
    """Return what a picture means that shows at this time of the source's clock."""
    return next((shape.colour for shape in reversed(video.shapes) if shape.since <= seconds), video.colour)


def colours_of(plan: Plan, segment: Segment) -> list[tuple[int, Colour]]:
    """Return what the segment's pictures mean, each with the frame of the segment from which on they do."""
    video = plan.video
    if not video.shapes or video.pieces:
        return [(0, video.colour)]
    runs: list[tuple[int, Colour]] = []
    for shape in video.shapes:
        frame = round((shape.since - video.start_time) * plan.rate) - segment.first_frame
        if frame <= 0:
            runs = [(0, shape.colour)]
        elif frame < segment.frames and (not runs or runs[-1][1] != shape.colour):
            runs.append((frame if runs else 0, shape.colour))
    return runs or [(0, video.colour)]


def _in_colours(stream: Any, plan: Plan, segment: Segment, rung: Rung) -> Any:
    """Return the segment's pictures as `even_picture`, each part of it converted from its own colours."""
    runs = colours_of(plan, segment)
    if len(runs) == 1:
        return even_picture(stream, plan.video, rung, runs[0][1])
    split = stream.filter_multi_output("split", len(runs))
    ends = [*(first for first, _ in runs[1:]), segment.frames]
    parts = [
        even_picture(split[n].filter("trim", start_frame=first, end_frame=end), plan.video, rung, colour)
        for n, ((first, colour), end) in enumerate(zip(runs, ends, strict=True))
    ]
    joined = ffmpeg.filter(parts, "concat", n=len(parts))
    return joined.filter("settb", f"{plan.rate_den}/{plan.rate_num}").filter("setpts", f"N+{segment.first_frame}")
