"""A job's segments replayed over any number of slots: the tail, the sound and the packaging included. Pure."""

from __future__ import annotations

import heapq

from storage.model.plan import Plan
from workers.planning.segments import Timeline, cut

# Measured on the machine of docs/encoding-figures.md: what surrounds the segments' ffmpegs.
SECONDS_A_SEGMENT = 0.25  # ffmpeg's start and the pictures decoded ahead of the segment
SOUND_SHARE = 0.005  # sound, in seconds of one slot per second of video
PACKAGE_SHARE = 0.004  # joining and checking, seconds per second of video, after the last segment
KEYFRAME_SECONDS = 2.5


def replayed(film: Plan, seconds_a_frame: float, slots: int) -> float:
    """Return the efficiency of so many slots: the work divided by slots times the time until the job is ready."""
    length = float(film.frames / film.rate)
    keyframes = [number * KEYFRAME_SECONDS for number in range(int(length / KEYFRAME_SECONDS) + 1)]
    line = Timeline(film.frames, 0, film.rate, slots, film.rungs, 0.0, keyframes)
    costs = [part.frames * seconds_a_frame + SECONDS_A_SEGMENT for part in cut(line)]
    free = [0.0] * slots
    for cost in (SOUND_SHARE * length, *costs):
        heapq.heappush(free, heapq.heappop(free) + cost)
    useful = film.frames * seconds_a_frame + SOUND_SHARE * length
    return useful / (slots * (max(free) + PACKAGE_SHARE * length))
