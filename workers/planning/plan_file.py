"""From a file to its plan: what it is, its packets and looks at its pictures, all at once; and the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain

from storage.errors import NoFramesError, NotMediaError
from storage.model.plan import ClockPiece, Plan, Segment
from workers.planning.audio import choose_audio
from workers.planning.audio_facts import Heard
from workers.planning.audio_probe import listen, listen_from
from workers.planning.facts import Probe, Stream
from workers.planning.headers.appended import NOTHING_APPENDED, Appended, appended, coded_otherwise, unread
from workers.planning.headers.byte_ranges import ranges_of
from workers.planning.headers.read_headers import look_inside, with_headers
from workers.planning.make_plan import PlanLimits, choose_video, make_plan
from workers.planning.overheard import Overheard
from workers.planning.packets import Listing
from workers.planning.picture_changes import LOSING_DECODERS
from workers.planning.picture_facts import SOUGHT_BLINDLY, Look
from workers.planning.picture_probe import look, look_from
from workers.planning.probe import list_packets, probe, with_field_order
from workers.sandbox.run import Watch

LOOK_BEHIND_SECONDS = 5.0  # of a stream that comes late: its first packets need not say all of it
MOST_PIECES = 16  # looked into, for 0.3 s each: a recording in more of them has other faults


@dataclass(frozen=True, slots=True)
class _Examined:
    """What the file is, the stream to encode, the packets of all streams, looks at the pictures and at the sound."""

    facts: Probe
    video: Stream
    listing: Listing
    looks: tuple[Look, ...]
    heard: tuple[Heard, ...]


class AppendedError(Exception):
    """Tells what tools must not see of the file: it is to be planned without."""

    def __init__(self, found: Appended) -> None:
        super().__init__(found)
        self.found = found


def plan_file(
    url: str, limits: PlanLimits, watch: Watch, left_out: Appended = NOTHING_APPENDED
) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan of the file at a path or URL, and its segments. What is `left_out` is not there any more.

    The watch is for this file alone: it is cancelled when the file is refused before its packets are read.
    Raises MediaError for what is no video or not taken, AppendedError for what has to be planned without something, and
    what running ffprobe raises.
    """
    overheard = Overheard()
    watch = replace(watch, on_message=overheard.hear)
    try:
        found = _examined(url, limits, watch)
    except (NotMediaError, NoFramesError) as error:
        raise overheard.refusal(limits.max_pixels) or error from None
    if not found.looks and (refusal := overheard.refusal(limits.max_pixels)) is not None:
        raise refusal
    with ranges_of(url) as file:
        behind = appended(file, found.facts.container, found.listing) if left_out == NOTHING_APPENDED else left_out
        if behind != left_out:
            raise AppendedError(behind)
        rest = unread(file, found.facts.container, found.listing)
        plan, segments = make_plan(found.facts, found.video, found.listing, limits, found.looks, found.heard)
        plan, segments = _with_pieces(url, found, (plan, segments), limits, watch)
        jumps = plan.video.pieces or (plan.audio is not None and plan.audio.pieces)
        if jumps and left_out == NOTHING_APPENDED:
            other = coded_otherwise(file, found.facts.container)
            if other.without:
                raise AppendedError(other)
    return replace(
        plan, without=left_out.without, warnings=(*plan.warnings, *left_out.warnings, *rest.warnings)
    ), segments


def _with_pieces(
    url: str, found: _Examined, planned: tuple[Plan, tuple[Segment, ...]], limits: PlanLimits, watch: Watch
) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan made with a look at the beginning of each piece as well: seeking by time misses some of them."""
    plan, _ = planned
    if found.facts.container not in SOUGHT_BLINDLY:
        return planned
    facts, video, audio = found.facts, found.video, choose_audio(found.facts, found.video)
    shown = [look_from(url, facts, video, place, watch) for place in _places(plan.video.pieces)]
    heard = (
        []
        if audio is None or plan.audio is None
        else [listen_from(url, facts, audio, place, watch) for place in _places(plan.audio.pieces)]
    )
    if not any((*shown, *heard)):
        return planned
    looks = (*found.looks, *chain.from_iterable(shown))
    return make_plan(facts, video, found.listing, limits, looks, (*found.heard, *chain.from_iterable(heard)))


def _places(pieces: Sequence[ClockPiece]) -> list[int]:
    """Return where the pieces behind the first one begin in the file, of as many as are worth the time."""
    return [piece.position for piece in pieces[1:] if piece.position is not None][:MOST_PIECES]


def _examined(url: str, limits: PlanLimits, watch: Watch) -> _Examined:
    """Examine the file, all of it at once: playback waits. Where a stream comes late, look for it further behind."""
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(list_packets, url, watch)
        try:
            headers = look_inside(url)
            facts = with_headers(probe(url, watch), headers)
            late = frozenset(stream.index for stream in facts.streams if not stream.is_known)
            found = None if late else _looked_at(url, facts, reading.result, limits, watch)
        except BaseException:
            watch.cancelled.set()  # of a file that is none the rest need not be read
            raise
        listing = reading.result()
    seconds = late_seconds(facts, listing)
    if seconds:
        facts = with_headers(probe(url, watch, seconds), headers)
        listing = list_packets(url, watch, seconds)
    video, looks, heard = _looked_at(url, facts, lambda: listing, limits, watch) if seconds or found is None else found
    if video.codec in LOSING_DECODERS and listing.in_order(video):
        video = replace(video, delay=0)
    return _Examined(facts, replace(video, late=video.index in late), listing, looks, heard)


def late_seconds(facts: Probe, listing: Listing) -> float:
    """Return how far tools have to look into the file to find the streams that come late, 0 where none does."""
    known = {stream.index for stream in facts.streams if stream.is_known}
    times = [time for index in listing.streams - known if (time := listing.first_time(index)) is not None]
    return max(times) - facts.start_time + LOOK_BEHIND_SECONDS if times else 0.0


def _looked_at(
    url: str, facts: Probe, listing: Callable[[], Listing], limits: PlanLimits, watch: Watch
) -> tuple[Stream, tuple[Look, ...], tuple[Heard, ...]]:
    """Return the stream to encode and looks into the file; the listing is waited for only where it is needed."""
    video = choose_video(facts)
    if video.width * video.height > limits.max_pixels:
        return video, (), ()  # what will be refused is not decoded to look at it
    seconds = _seconds(facts, video, listing)
    with ThreadPoolExecutor(1) as beside:
        listening = beside.submit(listen, url, facts, choose_audio(facts, video), seconds, watch)
        looks = look(url, facts, video, seconds, watch)
    if not looks:
        video = with_field_order(url, video, watch, facts.look_seconds)
    return video, looks, listening.result()


def _seconds(facts: Probe, video: Stream, listing: Callable[[], Listing]) -> float:
    """Return how long the file is: as its header says, else as its packets do, for which this waits."""
    if facts.duration is not None:
        return facts.duration
    times = listing().pictures(video).times
    return max(times) - min(times) if times else 0.0
