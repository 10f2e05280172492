"""From the probe to the plan. Pure: the same facts always give the same plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from storage.errors import (
    AudioOnlyError,
    DolbyVisionError,
    NoFramesError,
    NotMediaError,
    PictureOnlyError,
    TooLargePictureError,
    TooLongError,
    TooSmallPictureError,
)
from storage.plan import AudioSource, ClockPiece, Plan, Rung, Segment, VideoSource
from storage.warnings import Warnings, warning
from workers.clock import JUMPED, pieces_of, straightened
from workers.colour import colour_of, has_alpha
from workers.ladder import MIN_SIDE, ladder
from workers.looks import Look
from workers.packets import PacketTimes
from workers.probe import Probe, Stream
from workers.rates import output_rate, source_rate
from workers.segments import Timeline, cut, fragment_frames, standard_fragment_frames, whole_file, worth_cutting
from workers.shapes import sane, seen, square_size
from workers.sound import audio_source, choose_audio

DOLBY_ONLY = (
    "This video is Dolby Vision profile 5, which only Dolby's players can show. Export it as HDR10, HLG or SDR."
)
SOUND_TAIL_SECONDS = 0.5  # encoders leave up to about 100 ms of sound behind the last frame; more is meant to be heard
MAX_SOUND_TAIL_SECONDS = 3600.0  # a picture with an hour of sound is a podcast; more was only seen in broken headers
STILL_CONTAINERS = frozenset({"jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe"})
SOUND_CONTAINERS = frozenset({"mp3", "wav", "flac", "aac"})
# What decodes from a keyframe to the same pictures as from the beginning: proven over all of the test media and, codec
# by codec, in tests/exact. H.263 in 3GP does not, and codecs never tried there are not trusted.
CODECS_TO_CUT = frozenset(
    {"h264", "hevc", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v3", "wmv1", "wmv2", "theora"}
    | {"prores", "dnxhd", "dvvideo", "cfhd", "mjpeg", "jpeg2000", "qtrle", "png", "rawvideo", "v210"}
    | {"ffv1", "ffvhuff", "huffyuv", "magicyuv", "utvideo"}
)
INTERLACED_ORDERS = frozenset({"tt", "bb", "tb", "bt"})


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """What this installation takes: pixels of a picture, seconds of video; how it encodes, and in how many slots.

    Each slot takes `pace` times as long as on the machine of storage.costs.
    """

    max_pixels: int
    max_seconds: int
    preset: str
    slots: int
    pace: float = 1.0


def choose_video(probe: Probe) -> Stream:
    """Return the stream to encode: the default one among real video streams, else the first that has a picture.

    Raises AudioOnlyError, PictureOnlyError, NotMediaError, DolbyVisionError.
    """
    moving = [stream for stream in probe.streams if stream.kind == "video" and not stream.cover]
    if probe.container in STILL_CONTAINERS:
        raise PictureOnlyError("This is a still picture, not a video.")
    if not moving or probe.container in SOUND_CONTAINERS:
        if any(stream.kind == "audio" for stream in probe.streams):
            raise AudioOnlyError("This file holds only sound. Rungs encodes video.")
        raise NotMediaError("The file holds neither picture nor sound that could be encoded.")
    usable = [stream for stream in moving if stream.codec and stream.width > 0 and stream.height > 0]
    if not usable:
        raise NoFramesError("A video stream is declared, but its pictures cannot be decoded.")
    chosen = max(usable, key=lambda stream: (stream.default, -stream.index))
    if chosen.dolby_only:
        # Decoded as if it were HDR10, all of it would be green and violet: worse than to be told so.
        raise DolbyVisionError(DOLBY_ONLY)
    return chosen


def make_plan(
    probe: Probe, video: Stream, packets: PacketTimes, limits: PlanLimits, looks: tuple[Look, ...] = ()
) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan and its segments for the chosen video stream, the times of its packets and looks at its pictures.

    Raises NoFramesError, TooLargePictureError, TooSmallPictureError, TooLongError.
    """
    _check_pictures(video, packets, limits)
    found = seen(video, looks, start=packets.times[0], end=packets.times[-1])
    _check_pictures(found.largest, packets, limits)
    video = found.video
    width, height, warnings = _checked_size(video)
    pieces = pieces_of(packets.times)
    if pieces:
        packets, warnings = straightened(packets, pieces), (*warnings, JUMPED)
    source = _video_source(probe, video, (width, height), packets.times[0], pieces)
    in_order = bool(found.shapes) and video.delay == 0
    source = replace(source, colour=found.colour, shapes=found.shapes, in_order=in_order)
    sound = choose_audio(probe)
    audio = audio_source(probe, sound)
    rungs = ladder(width, height, rate := _rate(video, packets, source))
    line = _timeline(packets, None if pieces else sound, rate, rungs, limits)
    segments = cut(line)
    can_be_cut = video.codec in CODECS_TO_CUT and not pieces and worth_cutting(line, segments)
    if not can_be_cut:
        segments = whole_file(line.frames, limits.slots)
    plan = Plan(
        video=source,
        audio=audio,
        rungs=rungs,
        rate_num=rate.numerator,
        rate_den=rate.denominator,
        frames=line.frames,
        tail_frames=line.tail,
        fragment_frames=fragment_frames(line) if can_be_cut else standard_fragment_frames(rate),
        segment_count=len(segments),
        preset=limits.preset,
        warnings=(*warnings, *found.warnings, *_dropped(probe, video, audio)),
    )
    return plan, segments


def _check_pictures(video: Stream, packets: PacketTimes, limits: PlanLimits) -> None:
    """Refuse what cannot or must not be decoded."""
    if not packets.times:
        raise NoFramesError("A video stream is declared, but it holds no frames.")
    if video.width * video.height > limits.max_pixels:
        raise _too_large(video, limits)


def _checked_size(video: Stream) -> tuple[int, int, Warnings]:
    """Return the displayed size and warnings; refuse what is too small."""
    width, height, warnings = _display_size(video)
    if min(width, height) < MIN_SIDE:
        raise TooSmallPictureError(
            f"The picture of this video has {width} x {height} pixels; both must be at least {MIN_SIDE}.",
            values={"width": width, "height": height, "side": MIN_SIDE},
        )
    return width, height, warnings


def _too_large(video: Stream, limits: PlanLimits) -> TooLargePictureError:
    megapixels, limit = video.width * video.height / 1_000_000, limits.max_pixels / 1_000_000
    return TooLargePictureError(
        f"The picture of this video is {video.width} x {video.height}, {megapixels:.1f} megapixels; "
        f"at most {limit:.1f} can be encoded here.",
        values={"width": video.width, "height": video.height, "megapixels": megapixels, "limit": limit},
    )


def _rate(video: Stream, packets: PacketTimes, source: VideoSource) -> Fraction:
    return output_rate(source_rate(packets.times, video.average_rate, interlaced=source.interlaced))


def _timeline(
    packets: PacketTimes, audio: Stream | None, rate: Fraction, rungs: tuple[Rung, ...], limits: PlanLimits
) -> Timeline:
    """Return the output grid: all pictures, and a last one that stays while sound goes on. Raises TooLongError."""
    shown = _shown_seconds(packets, rate)
    duration = max(shown, _sound_seconds(packets, audio, shown))
    if duration > limits.max_seconds:
        minutes, limit = duration / 60, limits.max_seconds / 60
        raise TooLongError(
            f"This video lasts {minutes:.1f} minutes; at most {limit:.1f} can be encoded here.",
            values={"minutes": minutes, "limit": limit},
        )
    frames = max(1, round(duration * rate))
    tail = frames - max(1, min(frames, round(shown * rate)))
    first, keyframes = packets.times[0], packets.keyframes
    return Timeline(frames, tail, rate, limits.slots, rungs, first, keyframes, limits.pace)


def without_cuts(plan: Plan, threads: int) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan as one segment over the whole file, for a source that turned out not to be cut safely.

    Its fragments stay as long as they were, as players may have read playlists that say so.
    """
    segments = whole_file(plan.frames, threads)
    return replace(plan, segment_count=len(segments)), segments


def _display_size(video: Stream) -> tuple[int, int, Warnings]:
    """Return what a viewer sees, in square pixels, never shrinking a side; and warnings."""
    aspect = sane(video.pixel_aspect)
    warnings = () if aspect == video.pixel_aspect else (warning("pixel_shape"),)
    width, height = square_size(video.width, video.height, aspect)
    if video.rotation in {90, 270}:
        width, height = height, width
    return width, height, warnings


def _shown_seconds(packets: PacketTimes, rate: Fraction) -> float:
    """Return how long the pictures last; the last one at least half a frame."""
    return packets.times[-1] - packets.times[0] + max(packets.last_duration or 0.0, float(1 / rate) / 2)


def _sound_seconds(packets: PacketTimes, audio: Stream | None, shown: float) -> float:
    """Return how long after the first picture the sound ends, 0 where that is not to lengthen the video."""
    if audio is None or audio.duration is None or audio.duration > shown + MAX_SOUND_TAIL_SECONDS:
        return 0.0
    sound = audio.start_time + audio.duration - packets.times[0]
    return sound if sound > shown + SOUND_TAIL_SECONDS else 0.0


def _video_source(
    probe: Probe, video: Stream, display: tuple[int, int], first: float, pieces: tuple[ClockPiece, ...]
) -> VideoSource:
    return VideoSource(
        stream=video.index,
        codec=video.codec,
        width=video.width,
        height=video.height,
        display_width=display[0],
        display_height=display[1],
        rotation=video.rotation,
        interlaced=video.field_order in INTERLACED_ORDERS,
        colour=colour_of(video),
        alpha=has_alpha(video),
        start_time=first,
        container_start=probe.start_time,
        pieces=pieces,
    )


def _dropped(probe: Probe, video: Stream, audio: AudioSource | None) -> Warnings:
    """Say of which kinds streams that a viewer might miss are not in the result, and how many."""
    used = {video.index} if audio is None else {video.index, audio.stream, audio.right}
    others = [stream for stream in probe.streams if stream.index not in used and not stream.cover]
    counts = {kind: sum(stream.kind == kind for stream in others) for kind in ("video", "audio", "subtitle")}
    return tuple(warning(f"{kind}_left_out", n=count) for kind, count in counts.items() if count)
