"""The plan: the pure result of looking at the probe. Written once by the planner, read by everybody."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


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
    """A fixed range of output frames: `first_frame` and how many `frames`, in fragments of `fragment_frames`.

    The last fragment may be shorter. `threads` are those of each encoder; they belong to the plan, as other counts give
    other bytes. `seek` is where decoding begins, seconds on the source's clock; None for the file's beginning.
    """

    index: int
    first_frame: int
    frames: int
    fragment_frames: int
    threads: int
    seek: float | None = None


@dataclass(frozen=True, slots=True)
class ClockPiece:
    """A part of the source's clock: what lies from `start` to `end` is shown `shift` earlier; all in seconds."""

    start: float
    end: float
    shift: float


@dataclass(frozen=True, slots=True)
class VideoSource:
    """What the encoder must know of the chosen video stream.

    `start_time` is when the stream's first frame shows and `container_start` where the container's clock begins, both
    in seconds on the source's clock; `display_width` and `display_height` are what a viewer sees (rotation and pixel
    aspect applied), in square pixels. `pieces` are there where the clock jumps: what lies outside is not shown.
    """

    stream: int
    codec: str
    width: int
    height: int
    display_width: int
    display_height: int
    rotation: int
    interlaced: bool
    transfer: str
    start_time: float
    container_start: float
    pieces: tuple[ClockPiece, ...] = ()


@dataclass(frozen=True, slots=True)
class AudioSource:
    """The chosen audio stream and how it becomes stereo (or mono) AAC; `bitrate` in bits/s, times in seconds."""

    stream: int
    codec: str
    channels: int
    sample_rate: int
    bitrate: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a job will be encoded: output frame n shows at `video.start_time + n / rate` of the source's clock.

    The last `tail_frames` of `frames` repeat the last picture because the sound goes on after it.
    """

    video: VideoSource
    audio: AudioSource | None
    rungs: tuple[Rung, ...]
    rate_num: int
    rate_den: int
    frames: int
    tail_frames: int
    segments: tuple[Segment, ...]
    preset: str
    warnings: tuple[str, ...]

    @property
    def rate(self) -> Fraction:
        """Output frames per second, exact."""
        return Fraction(self.rate_num, self.rate_den)

    @property
    def duration(self) -> float:
        """Length of the output timeline in seconds."""
        return float(self.frames / self.rate)
