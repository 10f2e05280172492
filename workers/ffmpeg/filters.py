"""The filter graph of a segment: one decode, exact frames on the output grid, cascaded scaling. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import ffmpeg

from storage.model.plan import ClockPiece, Colour, Plan, Rung, Segment, VideoSource, places_of
from workers.ffmpeg.canvas_filters import as_converted, fitted, on_canvas
from workers.ffmpeg.colour_filters import on_black, scaled, smaller, to_bt709

# Frames that may be repeated at the very end of the timeline: containers round the last frame's length, and a decoder
# that drops a broken last frame must not cost the last segment its exact count. More missing is a truncated file.
SPARE_FRAMES = 3
FAR_SECONDS = 1e15  # before every time that a container can tell
MADE_UP_SECONDS = 0.5  # that times within a packet of a transport stream may lie off; it holds about 0.3 s of sound
NO_TIME = "0/0"  # of what is not heard
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
    """Return the stream with only what is shown of a clock that jumps, moved together; as it is for a steady clock.

    The pieces are those of `workers.planning.clock_jumps.clock_of`: each is left where the clock goes back, or leaves
    it.
    """
    if not pieces:
        return stream
    shift = _of_piece([piece.shift for piece in pieces], "ld(0)")
    if not sound:
        shown = stream.filter("select", f"{_in_its_piece(pieces, 't', 'n')};ld(2)+ld(3)")
        return shown.filter("setpts", f"{_in_its_piece(pieces, 'T', 'N')};PTS-({shift}{_of_held(pieces)})/TB")
    # One filter decides: where only the first frame of a part says where it stands in the file, it may not be heard.
    number = _piece_by_place(pieces)
    follow = f"{_in_its_piece(pieces, 'T', 'N')};st(4,T)" if number is None else _in_its_place(pieces, number)
    moved = stream.filter("asetpts", f"{follow};if(ld(2)+ld(3),round((ld(4)-({shift}))/TB),{NO_TIME})")
    return moved.filter("aselect", "not(isnan(t))")


def _of_held(pieces: tuple[ClockPiece, ...]) -> str:
    """Return what is to be added to the shift of pictures that a decoder held back over a jump."""
    return "".join(
        f"+eq(ld(0),{index})*lt(T,{piece.held_to:.6f})*{piece.held_shift - piece.shift:.6f}"
        for index, piece in enumerate(pieces)
        if piece.held_to is not None
    )


def _in_its_piece(pieces: tuple[ClockPiece, ...], time: str, number: str) -> str:
    """Return an expression that follows the pieces in their order.

    It leaves the number of the piece in register 0 and the latest time seen in 1; 2 and 3 tell whether the frame lies
    in the piece of the frame before it, and whether it is the first of the next one.
    """
    starts, ends = [piece.start for piece in pieces], [piece.end for piece in pieces]
    following = f"between({time},{_of_piece(starts, 'ld(0)+1')},{_of_piece(ends, 'ld(0)+1')})"
    return ";".join(
        (
            f"if(eq({number},0),st(1,-{FAR_SECONDS}))",
            f"st(2,{_here(pieces, time)})",
            f"st(3,not(ld(2))*lt(ld(0),{len(pieces) - 1})*{following})",
            "st(0,ld(0)+ld(3))",
            f"st(1,if(ld(3),{time},if(ld(2),max(ld(1),{time}),ld(1))))",
        )
    )


def _in_its_place(pieces: tuple[ClockPiece, ...], number: str) -> str:
    """Return an expression that finds the piece by a frame's place in the file: `number` of it, or the one before.

    ffmpeg begins its filters anew where sound changes its rate or its channels, and clocks of several recordings may
    begin at the same time: what came before is forgotten then, and times tell nothing. Registers are as above, and 4 is
    the frame's time. Frames without a place follow the one before, which ends at 5: in transport streams their times
    are made up by the rate that the first recording has.
    """
    return ";".join(
        (
            f"st(3,if(isnan(POS),ld(0),{number}))",
            f"if(eq(N,0)+not(eq(ld(0),ld(3))),st(1,-{FAR_SECONDS}))",
            "st(0,ld(3))",
            "st(3,0)",
            f"st(4,if(isnan(POS)*lt(abs(T-ld(5)),{MADE_UP_SECONDS}),ld(5),T))",
            "st(5,ld(4)+NB_SAMPLES/SR)",
            f"st(2,{_here(pieces, 'ld(4)')})",
            "st(1,if(ld(2),max(ld(1),ld(4)),ld(1)))",
        )
    )


def _here(pieces: tuple[ClockPiece, ...], time: str) -> str:
    """Return an expression that tells whether the time goes on within the piece."""
    starts, ends = [piece.start for piece in pieces], [piece.end for piece in pieces]
    inside = f"between({time},{_of_piece(starts, 'ld(0)')},{_of_piece(ends, 'ld(0)')})"
    return f"{inside}*gte({time},ld(1)-{pieces[0].back:.6f})"


def _piece_by_place(pieces: tuple[ClockPiece, ...]) -> str | None:
    """Return an expression for the number of the piece in which POS lies, None where the file does not tell."""
    places = places_of(pieces)
    if not places:
        return None
    return "+".join(f"gte(POS,{place})" for place in places[1:]) or "0"


def packets_on_steady_clock(pieces: tuple[ClockPiece, ...]) -> str:
    """Return the bitstream filter that moves packets together as `on_steady_clock` does, by where the file has them.

    The file has to tell where the pieces begin: see `places_of`.
    """
    steps = zip(places_of(pieces)[1:], pairwise(piece.shift for piece in pieces), strict=True)
    shift = "".join(f"+gte(POS\\,{place})*{after - before:.6f}" for place, (before, after) in steps)
    return f"setts=ts=TS-({pieces[0].shift:.6f}{shift})/TB"


def _of_piece(values: list[float], number: str) -> str:
    """Return an expression for the value that the piece of this number has."""
    return "+".join(f"eq({number},{index})*{value:.6f}" for index, value in enumerate(values))


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
    stream = _counted(stream, plan.video)
    stream = on_steady_clock(stream, plan.video.pieces, sound=False)  # takes pictures of any size
    if needs_one_size(plan.video):
        stream = on_canvas(stream, plan.video)
    if plan.video.interlaced:
        # One frame per frame, only where a frame says it is interlaced: mixed sources keep their progressive parts.
        stream = stream.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
    # Frames behind the last picture repeat it: they are counted from the last grid place that has a picture.
    first = min(segment.first_frame, plan.frames - plan.tail_frames - 1)
    skipped = segment.first_frame - first
    start = plan.video.start_time + float(first / plan.rate)
    clones = _clones(plan, segment)
    if clones:
        # What ends when its last picture begins (FLV tells no lengths) would lose it in what follows. A step by time:
        # one clone lies no farther behind than the smallest step of a source whose rate varies.
        stream = stream.filter("tpad", stop_mode="clone", stop_duration=f"{float(1 / plan.rate):.6f}")
    return (
        stream.filter(
            "fps",
            fps=f"{plan.rate_num}/{plan.rate_den}",
            start_time=f"{start:.6f}",  # with -copyts filters see the source's clock: n shows at start_time + n/R
            round="near",
            eof_action="pass",  # or the last picture is left out if it ends before the next place of the grid
        )
        .filter("tpad", stop_mode="clone", stop=clones)
        .filter("trim", **({"start_frame": skipped} if skipped else {}), end_frame=skipped + segment.frames)
        .filter("setpts", f"N+{segment.first_frame}")  # exact whole numbers in 1/R, free of the source's clock
    )


def _counted(stream: Any, video: VideoSource) -> Any:
    """Return the pictures of a raw stream at their times: by their number, as ffmpeg itself only guesses."""
    if video.counted_rate is None:
        return stream
    pictures, seconds = video.counted_rate
    return stream.filter("setpts", f"N*{seconds}/{pictures}/TB")


def _clones(plan: Plan, segment: Segment) -> int:
    """Return how many times the last frame may be repeated: as the sound goes on, and the spare."""
    ends, shown = segment.first_frame + segment.frames, plan.frames - plan.tail_frames
    return SPARE_FRAMES + ends - shown if ends > shown or ends == plan.frames else 0


def needs_one_size(video: VideoSource) -> bool:
    """Tell whether pictures are brought on the canvas ahead of everything else.

    They are where they change, and where they pass filters that cannot take pictures of another size: those would read
    beyond the end of a smaller one that no look has found.
    """
    filtered = video.interlaced or video.alpha or video.crop is not None or video.mirrored or video.rotation != 0
    return bool(video.shapes) or filtered


def even_picture(stream: Any, video: VideoSource, rung: Rung, colour: Colour) -> Any:
    """Return pictures of this colour in the rung's size: square pixels, opaque, BT.709, limited range, 8 bit 4:2:0.

    Those of a source that needs one size have been brought on the canvas.
    """
    if video.alpha:
        stream = on_black(stream)  # before scaling, or the colour of what is transparent would run over edges
    stream = upright(cropped(stream, video), video)  # as late as this: fields are lines of the coded picture
    # Colours after scaling: fewer pixels to convert.
    if needs_one_size(video):
        colour = as_converted(video, colour)
        return to_bt709(scaled(stream, rung.width, rung.height, colour), colour)
    return to_bt709(fitted(stream, (rung.width, rung.height), colour), colour)


def cropped(stream: Any, video: VideoSource) -> Any:
    """Return the coded pictures without what the container hides of them."""
    if (crop := video.crop) is None:
        return stream
    # By shares: one field of a picture has half its lines.
    width, height = video.width - crop.left - crop.right, video.height - crop.top - crop.bottom
    return stream.filter(
        "crop",
        f"iw*{width}/{video.width}",
        f"ih*{height}/{video.height}",
        f"iw*{crop.left}/{video.width}",
        f"ih*{crop.top}/{video.height}",
    )


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


def colour_at(video: VideoSource, seconds: float) -> Colour:
    """Return what a picture means that shows at this time of the source's clock."""
    return next((shape.colour for shape in reversed(video.shapes) if shape.since <= seconds), video.colour)


def colours_of(plan: Plan, segment: Segment) -> list[tuple[int, Colour]]:
    """Return what the segment's pictures mean, each with the frame of the segment from which on they do."""
    video = plan.video
    if not video.shapes:
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
