"""From a file to its plan: what it is, its packets and looks at its pictures, all at once; and the plan."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from storage.plan import Plan, Segment
from workers.commands import LOSING_DECODERS
from workers.looks import Look, look
from workers.packets import PacketTimes, in_order, list_packets, packet_times
from workers.planning import PlanLimits, choose_video, make_plan
from workers.probe import Probe, Stream, fields_told, probe
from workers.tool import Watch


@dataclass(frozen=True, slots=True)
class _Examined:
    """What the file is, the stream to encode, when its pictures show, and looks at them."""

    facts: Probe
    video: Stream
    packets: PacketTimes
    looks: tuple[Look, ...]


def plan_file(url: str, limits: PlanLimits, watch: Watch) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan of the file at a path or URL, and its segments.

    The watch is for this file alone: it is cancelled when the file is refused before its packets are read.
    Raises MediaError for what is no video or not taken, and what running ffprobe raises.
    """
    found = _examined(url, watch)
    return make_plan(found.facts, found.video, found.packets, limits, found.looks)


def _examined(url: str, watch: Watch) -> _Examined:
    """Examine the file, all of it at once: playback waits."""
    with ThreadPoolExecutor(1) as beside:
        listing = beside.submit(list_packets, url, watch)
        try:
            facts = probe(url, watch)
            video = choose_video(facts)
            looks = look(url, facts, video, _seconds(facts, video, listing), watch)
            if not looks:
                video = fields_told(url, video, watch)
        except BaseException:
            watch.cancelled.set()  # of a file that is none the rest need not be read
            raise
        packets = packet_times(listing.result(), video)
        if video.codec in LOSING_DECODERS and in_order(listing.result(), video):
            video = replace(video, delay=0)
        return _Examined(facts, video, packets, looks)


def _seconds(facts: Probe, video: Stream, listing: Future[str]) -> float:
    """Return how long the file is: as its header says, else as its packets do, for which this waits."""
    if facts.duration is not None:
        return facts.duration
    times = packet_times(listing.result(), video).times
    return times[-1] - times[0] if times else 0.0
