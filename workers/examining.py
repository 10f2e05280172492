"""From a file to its plan: what it is and the list of its packets, read at once, and the plan that follows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from storage.plan import Plan, Segment
from workers.headers.looking import look_inside, with_headers
from workers.packets import list_packets, packet_times
from workers.planning import PlanLimits, choose_video, make_plan
from workers.probe import Probe, Stream, fields_told, probe
from workers.tool import Watch


def plan_file(url: str, limits: PlanLimits, watch: Watch) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan of the file at a path or URL, and its segments.

    The watch is for this file alone: it is cancelled when the file is refused before its packets are read.
    Raises MediaError for what is no video or not taken, and what running ffprobe raises.
    """
    facts, video, listing = _examined(url, watch)
    return make_plan(facts, video, packet_times(listing, video), limits)


def _examined(url: str, watch: Watch) -> tuple[Probe, Stream, str]:
    """Return what the file is, the stream to encode and the list of packets, both read at once: playback waits."""
    with ThreadPoolExecutor(1) as beside:
        listing = beside.submit(list_packets, url, watch)
        try:
            headers = look_inside(url)
            facts = with_headers(probe(url, watch), headers)
            video = fields_told(url, choose_video(facts), watch)
        except BaseException:
            watch.cancelled.set()  # of a file that is none the rest need not be read
            raise
        return facts, video, listing.result()
