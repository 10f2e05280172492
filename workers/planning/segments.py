"""Cutting a job's timeline into segments: of whole fragments, independent of each other, sized by work. Pure.

Sizes follow guided self-scheduling (Polychronopoulos and Kuck, 1987): each segment takes a fixed share of what is left
for all slots, so that large ones come first and small ones fill the end, where idle slots would cost most.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from storage.model.plan import Plan, Rung, Segment

FRAGMENT_SECONDS = 4  # a 2 s grid costs 20 % more bits than long GOPs at about the same VMAF (docs/design.md#encoding)
SHORTEST_FRAGMENT_SECONDS = 1  # for short clips, so that every slot gets work; shorter ones cost too many keyframes
SHORTEST_FRAGMENT_FRAMES = 24  # sources of one picture a second would otherwise be keyframes for the most part
FIRST_SECONDS = 1  # the first segment is one short fragment: the player has something to show seconds after the upload
FIRST_THREADS = 2  # its encoders' threads: at most a second of work, so that efficiency does not matter
# Of the encoders of the last segments, one for two slots: they use the cores of slots that went idle. With one for each
# slot the last 25 s of the dashcam took 41.2 s instead of 39.7 s on two (docs/encoding-why.md).
LAST_THREADS = 2
LONGEST_WORK_SECONDS = 15.0  # of one slot: what a killed worker costs at most, and how long another job waits
# A segment takes 1/(1.5 x slots) of the work that is left. Starting ffmpeg and decoding up to the first picture cost
# half a second of CPU each time (docs/encoding-why.md), a larger share leaves slots idle at the end.
SHARES_PER_SLOT = Fraction(3, 2)
SHIFT = 0.25  # a segment may be so much of its length shorter, if that ends it just behind a source keyframe
# Seeking goes by decoding times, which lie before presentation times by the B-frame delay, and in MPEG-TS by packets of
# any kind. A second covers both; the pictures it decodes in vain are few beside a segment's.
SEEK_MARGIN_SECONDS = 1.0
# Decoding a second of 1080p costs 0.11 s of CPU, encoding it 1.3 s (docs/encoding-why.md). One with few keyframes is
# decoded from far back by every segment; where that would be as much work again, the file is encoded in one piece.
DECODING_SHARE = 0.085
MOST_IN_VAIN = 1.0
STILL_SPEED = 4.0  # a picture that stands encodes so much faster than one that moves (docs/encoding-why.md)
# Output pixels one slot makes per second at a pace of 1, all rungs together and one decode: between what the film clip
# (85 million) and the dash camera (40 million) measured, docs/encoding-why.md. Only sizes follow, never correctness.
PIXELS_PER_SECOND = 60_000_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the cutting depends on: the output grid, the slots, and the source's keyframes.

    A slot takes `pace` times as long as on the machine of docs/encoding-figures.md. `start` is when frame 0 shows and
    `keyframes` are the times of keyframes (sorted), seconds on the source's clock. `sought` are those up to which tools
    must seek so that each of them comes; the same where there are none. The last `tail` of `frames` repeat the last
    picture; they stay with it in the last segment.
    """

    frames: int
    tail: int
    rate: Fraction
    slots: int
    rungs: tuple[Rung, ...]
    start: float
    keyframes: Sequence[float]
    pace: float = 1.0
    sought: Sequence[float] = ()

    @property
    def shown(self) -> int:
        """Frames with pictures of their own."""
        return self.frames - self.tail

    def keyframe_before(self, frame: int) -> float | None:
        """Return the time of the last keyframe from which this frame can be decoded, None if there is none."""
        found = self._keyframes_before(frame)
        return self.keyframes[found - 1] if found else None

    def sought_before(self, frame: int) -> float | None:
        """Return up to when tools must seek for that keyframe."""
        found = self._keyframes_before(frame)
        return (self.sought or self.keyframes)[found - 1] if found else None

    def _keyframes_before(self, frame: int) -> int:
        # The picture at a border may be the source's one just before it, so a keyframe must lie a frame ahead.
        return bisect_right(self.keyframes, self.start + float((frame - 1) / self.rate))


def whole_file(frames: int, threads: int) -> tuple[Segment, ...]:
    """Return the one segment of a source that cannot be cut safely."""
    return (Segment(0, 0, frames, threads),)


def cut(line: Timeline) -> tuple[Segment, ...]:
    """Return the segments that tile the timeline: a short first one, then large to small."""
    per_second = _work_per_second(line)
    first = min(line.shown, _fragment_frames(min(Fraction(FIRST_SECONDS), _fragment_seconds(line)), line.rate))
    segments = [Segment(0, 0, first, FIRST_THREADS)]
    while (start := segments[-1].first_frame + segments[-1].frames) < line.shown:
        frames = _next_frames(line, start, per_second)
        segments.append(Segment(len(segments), start, frames, 1, _seek(line, start)))
    return _hurried((*segments[:-1], *_with_tail(line, segments[-1], per_second)), line.slots)


def _with_tail(line: Timeline, last: Segment, per_second: float) -> tuple[Segment, ...]:
    """Return the last segment with the frames that repeat the last picture; long tails have segments of their own."""
    fragment = standard_fragment_frames(line.rate)
    longest = int(LONGEST_WORK_SECONDS * STILL_SPEED / per_second * float(line.rate)) // fragment * fragment
    longest = max(fragment, longest)
    if line.tail <= longest:
        return (replace(last, frames=last.frames + line.tail),)
    parts = [last]
    while (start := parts[-1].first_frame + parts[-1].frames) < line.frames:
        frames = min(longest, line.frames - start)
        parts.append(Segment(last.index + len(parts), start, frames, 1, _seek(line, line.shown - 1)))
    return tuple(parts)


def worth_cutting(line: Timeline, segments: Sequence[Segment]) -> bool:
    """Tell whether all segments together decode little enough in vain, ahead of their first pictures."""
    in_vain = sum(_decoded_twice(line, segment.first_frame) for segment in segments[1:])
    return in_vain * DECODING_SHARE <= MOST_IN_VAIN * float(line.frames / line.rate)


def _hurried(segments: tuple[Segment, ...], slots: int) -> tuple[Segment, ...]:
    """Return the segments with more threads for the last ones, which run while other slots have nothing left to do."""
    steady = len(segments) - slots // 2
    return tuple(replace(segment, threads=LAST_THREADS) if segment.index >= steady else segment for segment in segments)


def fragment_frames(line: Timeline) -> int:
    """Return the length of the fragments of a timeline that is cut, in output frames."""
    return _fragment_frames(_fragment_seconds(line), line.rate)


def standard_fragment_frames(rate: Fraction) -> int:
    """Return the length of the fragments where no slot has to be given work, in output frames."""
    return _fragment_frames(FRAGMENT_SECONDS, rate)


def _seek(line: Timeline, start: int) -> float | None:
    """Return where decoding begins: ahead of the keyframe by what seeking may overshoot; None for the beginning."""
    sought = line.sought_before(start)
    if sought is None or sought - SEEK_MARGIN_SECONDS <= line.start:
        return None
    return sought - SEEK_MARGIN_SECONDS


def _fragment_frames(seconds: int | Fraction, rate: Fraction) -> int:
    return max(SHORTEST_FRAGMENT_FRAMES, math.ceil(Fraction(seconds) * rate))


def _fragment_seconds(line: Timeline) -> Fraction:
    """Return the fragment's length: the standard one, shorter where a clip would not keep all slots busy."""
    share = Fraction(line.frames) / line.rate / (SHARES_PER_SLOT * line.slots)
    return max(Fraction(SHORTEST_FRAGMENT_SECONDS), min(Fraction(FRAGMENT_SECONDS), share))


def _work_per_second(line: Timeline) -> float:
    """Return the estimated seconds of one slot's work for a second of video."""
    pixels = sum(rung.width * rung.height for rung in line.rungs)
    return line.pace * float(pixels * line.rate / PIXELS_PER_SECOND)


def _next_frames(line: Timeline, start: int, per_second: float) -> int:
    """Return the next segment's length in frames: its share of the work that is left, bounded, in whole fragments.

    At the beginning a segment is no longer than all before it: a player that has shown them is not kept waiting for a
    long one. The last fragment of each slot has half the standard length, so that slots wait for each other for less
    long; those of short clips are short from the beginning.
    """
    left = line.shown - start
    share = float(left / (SHARES_PER_SLOT * line.slots))
    wanted = int(min(share, LONGEST_WORK_SECONDS / per_second * float(line.rate), start))
    fragment, half = fragment_frames(line), standard_fragment_frames(line.rate) // 2
    unit = half if half < fragment and left < line.slots * half else fragment
    frames = _fragments(line, start, unit, wanted) * unit
    return left if left - frames < unit / 2 else frames


def _fragments(line: Timeline, start: int, fragment: int, wanted: int) -> int:
    """Return how many fragments the segment gets: near what is wanted, its end just behind a source keyframe."""
    near = max(1, round(wanted / fragment))
    slack = round(near * SHIFT)
    choices = range(near - slack, near + 1)
    return min(choices, key=lambda count: (_decoded_twice(line, start + count * fragment), abs(count - near)))


def _decoded_twice(line: Timeline, border: int) -> float:
    """Return how many seconds of video before the border the next segment has to decode in vain."""
    if border >= line.shown:
        return 0.0
    keyframe = line.keyframe_before(border)
    at = float(border / line.rate)
    return at if keyframe is None else at - (keyframe - line.start)


def without_cuts(plan: Plan, threads: int) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan as one segment over the whole file, for a source that turned out not to be cut safely.

    Its fragments stay as long as they were, as players may have read playlists that say so.
    """
    segments = whole_file(plan.frames, threads)
    return replace(plan, segment_count=len(segments)), segments
