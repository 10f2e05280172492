"""From a file to its plan: what it is and the list of its packets, read at once, and the plan that follows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from storage.plan import Plan, Segment
from workers.headers.looking import look_inside, with_headers
from workers.packets import Listing, list_packets
from workers.planning import PlanLimits, choose_video, make_plan
from workers.probe import Probe, Stream, fields_told, probe
from workers.tool import Watch

LOOK_BEHIND_SECONDS = 5.0  # of a stream that comes late: its first packets need not say all of it


def plan_file(url: str, limits: PlanLimits, watch: Watch) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan of the file at a path or URL, and its segments.

    The watch is for this file alone: it is cancelled when the file is refused before its packets are read.
    Raises MediaError for what is no video or not taken, and what running ffprobe raises.
    """
    facts, video, listing = _examined(url, watch)
    return make_plan(facts, video, listing, limits)


def _examined(url: str, watch: Watch) -> tuple[Probe, Stream, Listing]:
    """Return what the file is, the stream to encode and its packets, both read at once: playback waits."""
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(list_packets, url, watch)
        try:
            headers = look_inside(url)
            facts = with_headers(probe(url, watch), headers)
            if all(stream.is_known for stream in facts.streams):
                video = fields_told(url, choose_video(facts), watch)
        except BaseException:
            watch.cancelled.set()  # of a file that is none the rest need not be read
            raise
        listing = reading.result()
    late = {stream.index for stream in facts.streams if not stream.is_known}
    look_seconds = late_seconds(facts, listing)
    if look_seconds:
        facts = with_headers(probe(url, watch, look_seconds), headers)
        listing = list_packets(url, watch, look_seconds)
        video = fields_told(url, choose_video(facts), watch, look_seconds)
    elif late:
        video = fields_told(url, choose_video(facts), watch)
    return facts, replace(video, late=video.index in late), listing


def late_seconds(facts: Probe, listing: Listing) -> float:
    """Return how far tools have to look into the file to find the streams that come late, 0 where none does."""
    known = {stream.index for stream in facts.streams if stream.is_known}
    times = [time for index in listing.streams - known if (time := listing.first_time(index)) is not None]
    return max(times) - facts.start_time + LOOK_BEHIND_SECONDS if times else 0.0
