"""What a plan warns of by what the file says of itself: jumps of its clock, unusual views, tracks left out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from storage.model.job_warnings import Warnings, warning
from storage.model.plan import AudioSource
from workers.planning.clock_jumps import Clock
from workers.planning.facts import Probe, Stream

LEFT_OUT = (
    "video_encrypted",
    "audio_encrypted",
    "audio_misread",
    "video_left_out",
    "audio_left_out",
)
VIEWS = {"side by side": "stereo_beside", "top and bottom": "stereo_above"}


def of_clock(clock: Clock, start: float) -> Warnings:
    """Say where the clock jumps and how far; `start` is that of the timeline."""
    if not clock.jumps:
        return ()
    first = clock.jumps[0]
    return (warning("parts_joined", at=first.at - start, by=first.by, n=len(clock.jumps)),)


def shown_flat(video: Stream) -> Warnings:
    """Say of pictures of all around, and of two for two eyes, that players show them as they lie in the frame."""
    codes = (("spherical", video.projection), (VIEWS.get(video.views, "stereo"), video.views))
    return tuple(warning(code) for code, said in codes if said)


def left_out(probe: Probe, video: Stream, audio: Sequence[AudioSource]) -> Warnings:
    """Say of which kinds streams that a viewer might miss are not in the result, and how many; subtitles aside."""
    used = {video.index, *(track.stream for track in audio), *(track.right for track in audio)}
    others = [stream for stream in probe.streams if stream.index not in used and not stream.cover]
    counts = Counter(_dropped_as(stream) for stream in others if not stream.unlisted)
    return (*_unlisted(probe), *(warning(code, n=counts[code]) for code in LEFT_OUT if counts[code]))


def _unlisted(probe: Probe) -> Warnings:
    """Name the codecs of the streams that were left out for them."""
    decoders = [stream.unlisted for stream in probe.streams if stream.unlisted]
    return (warning("codec_left_out", n=len(decoders), codecs=", ".join(sorted(set(decoders)))),) if decoders else ()


def _dropped_as(stream: Stream) -> str:
    """Return the code of the warning that counts a stream which is not in the result."""
    why = "encrypted" if stream.encrypted else "misread" if stream.misread else ""
    code = f"{stream.kind}_{why}"
    return code if code in LEFT_OUT else f"{stream.kind}_left_out"
