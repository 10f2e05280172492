"""From the probe to the plan. Pure: the same facts always give the same plan."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from storage.media_errors import (
    AudioOnlyError,
    CodecUnsupportedError,
    DolbyVisionError,
    EncryptedError,
    MediaError,
    NoFramesError,
    NotMediaError,
    PictureOnlyError,
    SubtitlesOnlyError,
    TooLargePictureError,
    TooLongError,
    TooSmallPictureError,
)
from storage.model.job_warnings import Warnings
from storage.model.plan import AudioSource, Plan, Rung, Segment, VideoSource
from workers.planning.audio_facts import Heard, sound_changes
from workers.planning.clock_jumps import (
    LEAST_OF_A_STEP,
    RUN_OUT_SECONDS,
    head_steps,
    on_joined_clock,
)
from workers.planning.colour import has_alpha
from workers.planning.facts import Probe, Stream
from workers.planning.frame_rate import output_rate, source_rate
from workers.planning.ladder import MIN_SIDE, ladder
from workers.planning.packets import Listing
from workers.planning.picture_changes import Seen, display_size, seen
from workers.planning.picture_facts import Look
from workers.planning.plan_warnings import left_out, of_clock, shown_flat
from workers.planning.segments import (
    Timeline,
    cut,
    fragment_frames,
    standard_fragment_frames,
    whole_file,
    worth_cutting,
)
from workers.planning.sources import Sources, audio_sources, sources_of
from workers.planning.timed_text import with_timed_text
from workers.planning.truncation import truncation
from workers.sandbox.allowed_codecs import PICTURE_CODECS

STILL_CONTAINERS = frozenset({"jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe"})
AUDIO_CONTAINERS = frozenset({"mp3", "wav", "flac", "aac"})
# What decodes from a keyframe to the same pictures as from the beginning: proven over all of the test media and, codec
# by codec, in tests/exact. H.263 in 3GP does not, and codecs never tried there are not trusted.
CODECS_TO_CUT = frozenset(
    {"h264", "hevc", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v3", "wmv1", "wmv2", "theora"}
    | {"prores", "dnxhd", "dvvideo", "cfhd", "mjpeg", "jpeg2000", "qtrle", "png", "rawvideo", "v210"}
    | {"ffv1", "ffvhuff", "huffyuv", "magicyuv", "utvideo"}
)


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """What this installation takes: pixels of a picture, seconds of video; how it encodes, and in how many slots.

    Each slot takes `pace` times as long as on the machine of storage.scheduling.costs.
    """

    max_pixels: int
    max_seconds: int
    preset: str
    slots: int
    pace: float = 1.0

    def allow(self, video: Stream) -> bool:
        """Tell whether pictures as large as the stream's header says may be decoded."""
        return video.width * video.height <= self.max_pixels


def choose_video(probe: Probe) -> Stream:
    """Return the stream to encode: the default one among real video streams, else the first that has a picture.

    Raises AudioOnlyError, SubtitlesOnlyError, PictureOnlyError, NotMediaError, CodecUnsupportedError, NoFramesError,
    EncryptedError, DolbyVisionError.
    """
    moving = [stream for stream in probe.streams if stream.kind == "video" and not stream.cover]
    if probe.container in STILL_CONTAINERS:
        raise PictureOnlyError
    if not moving and any(stream.unlisted and stream.kind != "audio" for stream in probe.streams):
        raise CodecUnsupportedError
    if not moving or probe.container in AUDIO_CONTAINERS:
        if any(stream.kind == "audio" for stream in probe.streams):
            raise AudioOnlyError
        raise SubtitlesOnlyError if any(stream.kind == "subtitle" for stream in probe.streams) else NotMediaError
    usable = [stream for stream in moving if _is_usable(stream)]
    if not usable:
        raise _unusable(moving)
    chosen = max(usable, key=lambda stream: (stream.default, -stream.index))
    if chosen.dolby_only:
        # Decoded as if it were HDR10, all of it would be green and violet: worse than to be told so.
        raise DolbyVisionError
    return chosen


def _is_usable(stream: Stream) -> bool:
    return stream.codec in PICTURE_CODECS and stream.width > 0 and stream.height > 0 and not stream.encrypted


def _unusable(moving: Sequence[Stream]) -> MediaError:
    """Return why none of the streams of pictures is usable."""
    if any(stream.encrypted for stream in moving):
        return EncryptedError()
    return NoFramesError() if any(stream.codec in PICTURE_CODECS for stream in moving) else CodecUnsupportedError()


def make_plan(
    probe: Probe,
    video: Stream,
    listing: Listing,
    limits: PlanLimits,
    looks: tuple[Look, ...] = (),
    heard: tuple[Heard, ...] = (),
    sources: Sources | None = None,
) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan and its segments for the chosen video stream, the packets of the file and looks into it.

    `sources` are what `sources_of` returns of the same, where the caller has it: that takes most of the time.

    Raises NoFramesError, TooLargePictureError, TooSmallPictureError, TooLongError.
    """
    sources = sources or sources_of(probe, video, listing)
    found = _understood(probe, video, sources, limits, looks, heard)
    video = found.seen.video
    width, height, size_warnings = _checked_size(video)
    recording = _recording(sources)
    rate = output_rate(source_rate(recording.times, video.average_rate, interlaced=video.is_interlaced))
    line = _timeline(recording, rate, ladder(width, height, rate), limits)
    segments, is_cut = _segments(found, line, limits)
    audio = audio_sources(probe, video, sources, found.heard, line.start)
    plan = Plan(
        video=_video_source(found, (width, height), line),
        audio=audio,
        rungs=line.rungs,
        rate_num=rate.numerator,
        rate_den=rate.denominator,
        frames=line.frames,
        tail_frames=line.tail,
        fragment_frames=fragment_frames(line) if is_cut else standard_fragment_frames(rate),
        segment_count=len(segments),
        preset=limits.preset,
        warnings=(*size_warnings, *_warnings(found, listing, line, audio, limits)),
    )
    return with_timed_text(plan, probe, video), segments


@dataclass(frozen=True, slots=True)
class _Understood:
    """The file once its clock and the looks into it are understood.

    `seen` is what the looks at the pictures came to, `heard` those at the sound on the joined clock.
    """

    probe: Probe
    seen: Seen
    sources: Sources
    heard: tuple[Heard, ...]


def _understood(
    probe: Probe,
    video: Stream,
    sources: Sources,
    limits: PlanLimits,
    looks: tuple[Look, ...],
    heard: tuple[Heard, ...],
) -> _Understood:
    """Return the file understood. Raises TooLargePictureError."""
    _check_size(video, limits)
    clock = sources.clock
    shown, sounds = on_joined_clock(looks, clock.pictures), on_joined_clock(heard, clock.sound)
    found = seen(video, shown, start=min(clock.shown.begins), end=max(clock.shown.begins))
    _check_size(found.largest, limits)
    return _Understood(probe, found, sources, sounds)


def _segments(found: _Understood, line: Timeline, limits: PlanLimits) -> tuple[tuple[Segment, ...], bool]:
    """Return the segments, and whether the video is cut into several that are made on their own."""
    segments = cut(line)
    has_clock = not found.sources.clock.pictures and found.sources.pictures.counted_rate is None
    if found.seen.video.codec in CODECS_TO_CUT and has_clock and worth_cutting(line, segments):
        return segments, True
    return whole_file(line.frames, limits.slots), False


def _warnings(
    found: _Understood, listing: Listing, line: Timeline, audio: tuple[AudioSource, ...], limits: PlanLimits
) -> Warnings:
    probe, video, sources = found.probe, found.seen.video, found.sources
    used = [(video, sources.pictures), *([] if sources.sound is None else [(sources.sound, sources.audible)])]
    return (
        *found.seen.warnings,
        *sound_changes(found.heard, line.start),
        *shown_flat(video),
        *of_clock(sources.clock, line.start),
        *truncation(probe, listing, used, limits.max_seconds),
        *left_out(probe, video, audio),
    )


def _check_size(video: Stream, limits: PlanLimits) -> None:
    """Refuse what must not be decoded."""
    if not limits.allow(video):
        raise TooLargePictureError(width=video.width, height=video.height, max_pixels=limits.max_pixels)


def _checked_size(video: Stream) -> tuple[int, int, Warnings]:
    """Return the displayed size and warnings; refuse what is too small."""
    width, height, warnings = display_size(video)
    if min(width, height) < MIN_SIDE:
        raise TooSmallPictureError(width=width, height=height, side=MIN_SIDE)
    return width, height, warnings


@dataclass(frozen=True, slots=True)
class _Recording:
    """What the file holds on its joined clock: the pictures' sorted `times` and the sound; all in seconds.

    The last picture lasts for `last_length`, 0 where the file does not say. `heard` are the beginning and the end of
    the sound, None without any.
    """

    times: Sequence[float]
    last_length: float
    keyframes: tuple[float, ...]
    sought: tuple[float, ...]
    heard: tuple[float, float] | None


def _recording(sources: Sources) -> _Recording:
    shown, pictures = sources.clock.shown, sources.pictures
    latest, ends = max(zip(shown.begins, shown.ends, strict=True))
    times = array("d", sorted(shown.begins))
    return _Recording(times, ends - latest, pictures.keyframes, pictures.sought, sources.heard)


def _timeline(recording: _Recording, rate: Fraction, rungs: tuple[Rung, ...], limits: PlanLimits) -> Timeline:
    """Return the output grid, from the first picture or sound to the last of either. Raises TooLongError."""
    first, last = recording.times[0], recording.times[-1]
    begins, ends = recording.heard or (first, last)
    start = first - float(head_steps(first, begins, float(1 / rate)) / rate)
    shown = last - start + max(recording.last_length, float(1 / rate) / 2)  # the last picture at least half a frame
    duration = max(shown, ends - start)
    if duration > limits.max_seconds:
        raise TooLongError(minutes=duration / 60, limit=limits.max_seconds / 60)
    frames = max(round(shown * rate), _grid_place(last - start, rate) + 1)
    tail = math.ceil((ends - start) * rate - LEAST_OF_A_STEP) - frames if duration > shown + RUN_OUT_SECONDS else 0
    keys, sought = recording.keyframes, recording.sought
    return Timeline(frames + tail, tail, rate, limits.slots, rungs, start, keys, limits.pace, sought)


def _grid_place(seconds: float, rate: Fraction) -> int:
    """Return the number of the frame that shows a picture of this time, as the encoder's filter rounds."""
    return math.floor(seconds * rate + 0.5)


def _video_source(found: _Understood, display: tuple[int, int], line: Timeline) -> VideoSource:
    probe, video, counted = found.probe, found.seen.video, found.sources.pictures.counted_rate
    return VideoSource(
        stream=video.index,
        codec=video.codec,
        width=video.width,
        height=video.height,
        display_width=display[0],
        display_height=display[1],
        rotation=video.turn.rotation,
        mirrored=video.turn.mirrored,
        crop=video.crop,
        interlaced=video.is_interlaced,
        colour=found.seen.colour,
        alpha=has_alpha(video),
        start_time=line.start,
        container_start=probe.start_time,
        pieces=found.sources.clock.pictures,
        look_seconds=probe.look_seconds,
        shapes=found.seen.shapes,
        in_order=bool(found.seen.shapes) and video.delay == 0,
        pictures=len(found.sources.pictures.times),
        counted_rate=None if counted is None else counted.as_integer_ratio(),
    )
