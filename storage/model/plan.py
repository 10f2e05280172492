"""The plan: the pure result of looking at the probe. Written once by the planner, read by everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator

from storage.model.job_warnings import Warnings
from storage.model.timed_text import Chapter, SubtitleSource

AUDIO = "audio"  # stands where a rung's name does
# Audio tracks of a job: films have a handful, discs up to eight of each kind. Each costs half a minute an hour.
MOST_SOUNDS = 16
SURROUND_CHANNELS = 6  # of 5.1
# What a track of sound may be besides the usual one, in ffmpeg's words, those first that say most.
ROLES = ("visual_impaired", "hearing_impaired", "comment", "dub", "original")


@dataclass(frozen=True, slots=True)
class Rung:
    """One output of the ladder. Sizes in pixels (even), rates in bits/s, buffer in bits."""

    name: str
    width: int
    height: int
    crf: int
    maxrate: int
    bufsize: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A fixed range of output frames: `first_frame` and how many `frames`.

    `threads` are those of each encoder; they belong to the plan, as other counts give other bytes. `seek` is where
    decoding begins, seconds on the source's clock; None for the file's beginning.
    """

    index: int
    first_frame: int
    frames: int
    threads: int
    seek: float | None = None


@dataclass(frozen=True, slots=True)
class ClockPiece:
    """A part of a recording, in the order of the file: what lies from `start` to `end` is shown `shift` earlier.

    The next piece begins where the clock goes back by more than `back`, or leaves this one; all in seconds. What lies
    before `held_to` is the end of the piece before, told late: it is shown `held_shift` earlier. `position` is where
    the file has the first of it, in bytes, where that is known.
    """

    start: float
    end: float
    shift: float
    back: float = 0.5
    held_to: float | None = None
    held_shift: float = 0.0
    position: int | None = None

    def shift_at(self, time: float) -> float:
        """Return how much earlier is shown what lies at this time."""
        return self.held_shift if self.held_to is not None and time < self.held_to else self.shift


def places_of(pieces: Sequence[ClockPiece]) -> tuple[int, ...]:
    """Return where in the file each piece begins, in bytes; nothing where that is not known, or not in their order."""
    places = tuple(piece.position for piece in pieces if piece.position is not None)
    is_known = len(places) == len(pieces) and all(before < after for before, after in pairwise(places))
    return places if is_known else ()


@dataclass(frozen=True, slots=True)
class Colour:
    """What a source's numbers mean, in ffmpeg's names, conventions applied where the file says nothing.

    `full` tells that black is 0 and white the largest number (phones, screens); elsewhere they are 16 and 235 of 255.
    """

    matrix: str
    primaries: str
    transfer: str
    full: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What the pictures are like from `since` on, seconds on the source's clock.

    `width` and `height` are as coded, a pixel is `aspect_num` wide and `aspect_den` high.
    """

    since: float
    width: int
    height: int
    aspect_num: int
    aspect_den: int
    colour: Colour


HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})  # PQ and HLG
BT709 = Colour(matrix="bt709", primaries="bt709", transfer="bt709", full=False)  # what every output is


@dataclass(frozen=True, slots=True)
class Crop:
    """How many pixels of the coded picture the container hides at each edge."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0


@dataclass(frozen=True, slots=True)
class VideoSource:
    """What the encoder must know of the chosen video stream.

    `start_time` is when output frame 0 shows and `container_start` where the container's clock begins, both in seconds
    on the source's clock (where there are `pieces`, on the joined one). The first picture may come later: sound was
    there before. `display_width` and `display_height` are what a viewer sees (cropping, rotation and pixel aspect
    applied), in square pixels; `width` and `height` are as coded. To be upright, the coded picture is mirrored left to
    right if `mirrored`, then turned by `rotation` degrees against the clock; `mirrored` is None in plans that leave
    both to ffmpeg, as all once did. `alpha` tells that parts of it may be transparent. `pieces` are there where the
    clock jumps: what lies outside is not shown. Tools find the stream if they look at the first `look_seconds` of the
    file; 0 is what they look at by themselves. A raw stream has no clock: its pictures are shown one after another,
    `counted_rate` (a fraction) a second. `shapes` are there where pictures change on the way, in the order of time: the
    sizes of this source are then those of the canvas on which all of them are shown. `in_order` tells of such a source
    that its pictures show in the order in which they stand in the file. `pictures` are all that the file lists of it, 0
    where a plan does not tell.
    """

    stream: int
    codec: str
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int
    interlaced: bool
    colour: Colour
    alpha: bool
    start_time: float
    container_start: float
    pieces: tuple[ClockPiece, ...] = ()
    look_seconds: float = 0.0
    counted_rate: tuple[int, int] | None = None
    mirrored: bool | None = None
    crop: Crop | None = None
    shapes: tuple[Shape, ...] = ()
    in_order: bool = False
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class AudioSource:
    """One audio stream and how it becomes stereo (or mono) AAC; `bitrate` in bits/s.

    `channels` are the result's; the source has `source_channels` in the order that ffmpeg calls `layout`. Where each
    channel is a track of its own, `right` is the right one's stream. `partly_mono` tells that it changes between mono
    and stereo. `pieces` and `look_seconds` are as those of the picture. `language` is a BCP 47 tag, `title` what a
    person called the track, both empty where the file does not say; `role` is one of ROLES, empty for the usual sound.
    `surround_bitrate` is that of a version in 5.1 beside the stereo one, 0 for none. Before its first packet the result
    is silent, for `silent_seconds` at least: whole ones, 0 where a plan does not tell.
    """

    stream: int
    codec: str
    channels: int
    sample_rate: int
    bitrate: int
    source_channels: int
    layout: str
    right: int | None = None
    pieces: tuple[ClockPiece, ...] = ()
    look_seconds: float = 0.0
    partly_mono: bool = False
    language: str = ""
    title: str = ""
    role: str = ""
    surround_bitrate: int = 0
    silent_seconds: int = 0


def _as_tracks(kept: Any) -> Any:
    """Plans kept before 30 November 2026 hold one track or null."""
    if kept is None:
        return ()
    return (kept,) if isinstance(kept, dict) else kept


Sounds = Annotated[tuple[AudioSource, ...], BeforeValidator(_as_tracks)]


def sound_name(number: int) -> str:
    """Return the name of a job's track of sound of this number, from 0 on: it stands where a rung's name does."""
    return f"{AUDIO}-{number}" if number else AUDIO


def surround_name(number: int) -> str:
    """Return the name of the version in 5.1 of that track."""
    return f"{sound_name(number)}-surround"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a job will be encoded: output frame n shows at `video.start_time + n / rate` of the source's clock.

    `audio` are the tracks of sound, the one that plays by default first; empty for a silent video.

    The last `tail_frames` of `frames` repeat the last picture because the sound goes on after it. Each segment begins
    a fragment and goes on in fragments of `fragment_frames`; its last one may be shorter. The `segment_count` segments
    themselves are kept beside the plan: there may be thousands, and who reads the plan needs one of them at most. The
    original is read `without` these spans of bytes, of which tools would make a mess, and with `blank` ones as zeros.
    `chapters` follow each other in time.
    """

    video: VideoSource
    audio: Sounds
    rungs: tuple[Rung, ...]
    rate_num: int
    rate_den: int
    frames: int
    tail_frames: int
    fragment_frames: int
    segment_count: int
    preset: str
    warnings: Warnings
    without: tuple[tuple[int, int], ...] = ()
    blank: tuple[tuple[int, int], ...] = ()
    chapters: tuple[Chapter, ...] = ()
    subtitles: tuple[SubtitleSource, ...] = ()

    @property
    def rate(self) -> Fraction:
        """Output frames per second, exact."""
        return Fraction(self.rate_num, self.rate_den)

    @property
    def duration(self) -> float:
        """Length of the output timeline in seconds."""
        return float(self.frames / self.rate)

    @property
    def takes_captions(self) -> bool:
        """Tell whether captions are taken out of the pictures: they become tracks, and stand nowhere else."""
        return any(source.channel for source in self.subtitles)

    def opens_with(self, index: int) -> bool:
        """Tell whether the segment of this index is the short one that playback waits for."""
        return index == 0 and self.segment_count > 1
