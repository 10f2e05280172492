"""From a file to its plan: what it is, its packets and looks at its pictures, all at once; and the plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from storage.errors import ToolError
from storage.media_errors import NoFramesError, NotMediaError
from storage.model.plan import Plan, Segment
from workers.planning.audio import choose_audio
from workers.planning.audio_facts import Heard
from workers.planning.audio_probe import listen
from workers.planning.facts import Probe, Stream
from workers.planning.headers.appended import NOTHING_APPENDED, Appended, appended, coded_otherwise, unread
from workers.planning.headers.avc import goes_by
from workers.planning.headers.byte_ranges import Ranges, ranges_of
from workers.planning.headers.read_headers import look_inside, with_headers
from workers.planning.known_bytes import KnownBytes
from workers.planning.make_plan import PlanLimits, choose_video, make_plan
from workers.planning.overheard import Overheard
from workers.planning.packet_columns import most_packets
from workers.planning.packets import Listing
from workers.planning.picture_captions import with_captions
from workers.planning.picture_changes import LOSING_DECODERS
from workers.planning.picture_facts import SOUGHT_BLINDLY, Look, looks_worth
from workers.planning.picture_probe import look
from workers.planning.piece_looks import JumpsTold, PieceLooks
from workers.planning.probe import list_packets, probe, with_field_order
from workers.planning.sources import sources_of
from workers.planning.unlisted import NOTHING_UNLISTED, Unlisted, with_next
from workers.sandbox.run import Watch

LOOK_BEHIND_SECONDS = 5.0  # of a stream that comes late: its first packets need not say all of it


@dataclass(frozen=True, slots=True)
class _Examined:
    """What the file is, the stream to encode, the packets of all streams, looks at the pictures and at the sound.

    `pieces` looks at their beginnings, None where that is not needed.
    """

    facts: Probe
    video: Stream
    listing: Listing
    looks: tuple[Look, ...]
    heard: tuple[Heard, ...]
    pieces: PieceLooks | None


@dataclass(frozen=True, slots=True)
class Concealed:
    """What tools do not see of a file: recordings appended to it, names of codecs that no upload may reach."""

    appended: Appended = NOTHING_APPENDED
    unlisted: Unlisted = NOTHING_UNLISTED


NOTHING_CONCEALED = Concealed()


class ConcealError(Exception):
    """Tells what tools must not see of the file: it is to be planned without."""

    def __init__(self, found: Concealed) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A plan and its segments, and the packets of the file that they were made from, of all its streams."""

    plan: Plan
    segments: tuple[Segment, ...]
    listing: Listing


class NotYetError(Exception):
    """Tells that too little of the file is there to plan it."""


def plan_file(
    url: str, limits: PlanLimits, watch: Watch, concealed: Concealed = NOTHING_CONCEALED
) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the plan of the file at a path or URL, and its segments. What is `concealed` is not to be seen there.

    The watch is for this file alone: it is cancelled when the file is refused before its packets are read.
    Raises MediaError for what is no video or not taken, ConcealError for what has to be planned without something, and
    what running ffprobe raises.
    """
    found = planned(url, limits, watch, concealed)
    return found.plan, found.segments


def planned(
    url: str,
    limits: PlanLimits,
    watch: Watch,
    concealed: Concealed = NOTHING_CONCEALED,
    known: KnownBytes | None = None,
) -> PlannedFile:
    """Return what `plan_file` does, and the packets.

    Where only some of the file can be seen, what `known` tells is looked at, and all else is taken to be alike. Raises
    NotYetError, too, then.
    """
    left_out, unlisted = concealed.appended, concealed.unlisted
    with ranges_of(url) as begun:
        found = _examined_if_allowed(url, begun, limits, watch, concealed, known)
        file = begun.again()
        behind = appended(file, found.facts.container, found.listing) if left_out == NOTHING_APPENDED else left_out
        if behind != left_out:
            raise ConcealError(replace(concealed, appended=behind))
        rest = unread(file, found.facts.container, found.listing)
        sources = sources_of(found.facts, found.video, found.listing)
        shown, heard = found.pieces.of(sources.clock) if found.pieces else ((), ())
        looks = (*found.looks, *shown), (*found.heard, *heard)
        plan, segments = make_plan(found.facts, found.video, found.listing, limits, *looks, sources)
        if (sources.clock.pictures or sources.clock.sound) and left_out == NOTHING_APPENDED:
            other = coded_otherwise(file, found.facts.container)
            if other.without:
                raise ConcealError(replace(concealed, appended=other))
        plan = with_captions(plan, sources.pictures, file, known.arrived if known else file.size)
    warnings = (*plan.warnings, *left_out.warnings, *rest.warnings)
    plan = replace(plan, without=left_out.without, blank=unlisted.blank, warnings=warnings)
    return PlannedFile(plan, segments, found.listing)


def _examined_if_allowed(
    url: str, file: Ranges, limits: PlanLimits, watch: Watch, concealed: Concealed, known: KnownBytes | None
) -> _Examined:
    """Examine the file; where tools were not allowed to decode anything of it, what they say is why it is refused.

    Raises ConcealError where they were not allowed to open the decoder of a track.
    """
    overheard = Overheard()
    watch = replace(watch, on_message=overheard.hear)
    try:
        found = _examined(url, file, limits, watch, concealed.unlisted, overheard, known)
    except (NotMediaError, NoFramesError, ToolError) as error:
        # What is left out of a file moves the rest of it, so its tracks are looked for before that.
        if overheard.unlisted and not concealed.appended.without:
            more = with_next(url, file.again(), concealed.unlisted, watch)
            if more is not None:
                raise ConcealError(replace(concealed, unlisted=more)) from None
        raise overheard.refusal(limits.max_pixels) or error from None
    if not found.looks and (refusal := overheard.refusal(limits.max_pixels)) is not None:
        raise refusal
    return found


def _examined(
    url: str,
    file: Ranges,
    limits: PlanLimits,
    watch: Watch,
    unlisted: Unlisted,
    overheard: Overheard,
    known: KnownBytes | None,
) -> _Examined:
    """Examine the file, all of it at once: playback waits. Where a stream comes late, look for it further behind."""
    jumps, pieces = JumpsTold(), None
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(
            list_packets, url, watch, met=jumps.read, most=most_packets(file.size), by_index=known is not None
        )
        reading.add_done_callback(lambda _: jumps.end())
        try:
            headers = look_inside(file)
            facts = unlisted.told_in(with_headers(probe(url, watch), headers))
            late = frozenset(stream.index for stream in facts.streams if not stream.is_known)
            found = None if late else _looked_at(url, facts, reading.result, limits, watch, known)
            if found is not None and (pieces := _pieces(url, facts, found[0], limits, watch)) is not None:
                pieces.foresee(jumps)
        except BaseException:
            # Of a file that is none the rest need not be read. At an unlisted codec all tools end by themselves.
            if not overheard.unlisted:
                watch.cancelled.set()
            raise
        listing = reading.result()
    if late and known is not None:
        raise NotYetError
    seconds = late_seconds(facts, listing)
    if seconds:
        facts = unlisted.told_in(with_headers(probe(url, watch, seconds), headers))
        listing = list_packets(url, watch, seconds, most=most_packets(file.size))
    if seconds or found is None or not _is_as_described(file.again(), facts, found[0], listing, known):
        found = _looked_at(url, facts.to_be_decoded(), lambda: listing, limits, watch, known)
        pieces = _pieces(url, facts, found[0], limits, watch)
    video, looks, heard = found
    if video.codec in LOSING_DECODERS and listing.in_order(video):
        video = replace(video, delay=0)
    return _Examined(facts, replace(video, late=video.index in late), listing, looks, heard, pieces)


def _pieces(url: str, facts: Probe, video: Stream, limits: PlanLimits, watch: Watch) -> PieceLooks | None:
    """Return what looks at pieces, None where seeking by time misses none of them or nothing is to be decoded."""
    if facts.container not in SOUGHT_BLINDLY or not limits.allow(video):
        return None
    return PieceLooks(url, facts, video, watch)


def late_seconds(facts: Probe, listing: Listing) -> float:
    """Return how far tools have to look into the file to find the streams that come late, 0 where none does."""
    known = {stream.index for stream in facts.streams if stream.is_known}
    times = [time for index in listing.streams - known if (time := listing.met_at(index)) is not None]
    return max(times) - facts.start_time + LOOK_BEHIND_SECONDS if times else 0.0


def _looked_at(
    url: str, facts: Probe, listing: Callable[[], Listing], limits: PlanLimits, watch: Watch, known: KnownBytes | None
) -> tuple[Stream, tuple[Look, ...], tuple[Heard, ...]]:
    """Return the stream to encode and looks into the file; the listing is waited for only where it is needed."""
    video = choose_video(facts)
    if not limits.allow(video):
        return video, (), ()  # what will be refused is not decoded to look at it
    seconds = _seconds(facts, video, listing)
    if known is not None:
        if not known.shows_beginning(listing(), video):
            raise NotYetError
        seconds = min(seconds, known.seconds(listing(), video, facts.start_time))
    with ThreadPoolExecutor(1) as beside:
        listening = beside.submit(listen, url, facts, choose_audio(facts, video), seconds, watch)
        looks = (Look.described(video),) if video.description else look(url, facts, video, seconds, watch)
    if not looks:
        video = with_field_order(url, video, watch, facts.look_seconds)
    return video, looks, listening.result()


def _is_as_described(file: Ranges, facts: Probe, video: Stream, listing: Listing, known: KnownBytes | None) -> bool:
    """Tell whether keyframes all over the file go by the description for which none was decoded; else true as well."""
    if video.description is None:
        return True
    keyframes = listing.keyframe_positions(video)
    if known is not None:
        keyframes = known.of_keyframes(keyframes)
    count = looks_worth(facts, video, _seconds(facts, video, lambda: listing))
    read = keyframes[:: math.ceil(len(keyframes) / count) or 1]
    return bool(read) and all(goes_by(file, position, video.description) for position in read)


def _seconds(facts: Probe, video: Stream, listing: Callable[[], Listing]) -> float:
    """Return how long the file is: as its header says, else as its packets do, for which this waits."""
    if facts.duration is not None:
        return facts.duration
    times = listing().pictures(video).times
    return max(times) - min(times) if times else 0.0
