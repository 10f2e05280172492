"""Where a source is damaged: pure, from the facts of its packets, pictures and sound.

Facts only: a picture is missing where a packet gave none, or where the container shows a loss beside a gap; it was
repaired where concealing errors changes it. Only where a decoder conceals nothing do its error messages count, by their
level and never by their words. A pause of the recording is no damage.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from storage.model.damage import HOLE_SECONDS, Damage, DamageKind
from storage.model.plan import Plan
from workers.damage.tool_output import JUMP_SECONDS, LOST_SECONDS, NO_TIME, DecodedAudio, DecodedPictures, Packet

# Codecs whose decoder fills in what it could not read (`-ec`), in ffmpeg's names.
CONCEALING_CODECS = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "flv1", "wmv3", "vc1"})
# Codecs of sound without pauses in themselves; others (Opus, AMR) may send nothing while nobody speaks.
STEADY_CODECS = frozenset({"aac", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "alac", "flac", "wmav1", "wmav2"})
PCM = "pcm_"
# Nothing can be decoded before the first packet that says how, once in a while.
CONFIGURED_LATER = frozenset({"aac_latm"})
GAP_STEPS = 1.5  # a picture that comes after more than so many usual steps leaves a gap
NEAR_LOSS_SECONDS = 0.5  # a loss that the container shows so near to a gap made it: packets come ahead of their times
FEW_PICTURES = 3  # fewer tell no usual step; those of the packets do
HABIT = 0.9  # a message with so many of the pictures is a habit of who wrote the file, not damage
STEADY_SHARE = 0.9  # of steps that are usual: pictures that come so steadily do not pause
MOST_HELD = 16  # pictures that a decoder of H.264 holds back to show them in order
HEAD_SECONDS = 0.25  # phones write a first piece of sound a little ahead of the rest


def pictures_damage(
    listing: DecodedPictures, repaired: Sequence[float] | None, until: float | None = None
) -> Iterator[Damage]:
    """Yield the places of missing and repaired pictures, on the clock of the listing.

    `repaired` are the times of pictures known to be concealed; None where the codec conceals nothing. The listing ends
    at `until`, None for the end of the file.
    """
    listing = _whole_packets(listing) if until is None else replace(listing, shown=tuple(sorted(listing.shown)))
    step = _step(listing)
    if not step:
        return
    yield from _missing(listing, step, until)
    for time in _complained(listing, step) if repaired is None else repaired:
        yield Damage(DamageKind.PICTURES_REPAIRED, time, min(step, _next(listing.shown, time, step) - time))


def _whole_packets(listing: DecodedPictures) -> DecodedPictures:
    """Return the listing without a last packet that is cut off: the file ends early, which is told otherwise.

    Its pictures are sorted.
    """
    shown = sorted(listing.shown)
    if not listing.packets or not listing.packets[-1].corrupt:
        return replace(listing, shown=tuple(shown))
    torn = listing.packets[-1].time
    last = len(listing.packets) - 1
    return replace(
        listing,
        packets=listing.packets[:-1],
        shown=tuple(time for time in shown if time != torn),
        complained=tuple(number for number in listing.complained if number < last),
    )


def _complained(listing: DecodedPictures, step: float) -> list[float]:
    """Return the times of pictures that the decoder logged an error at, or of which the container lost a part."""
    shown = set(listing.shown)
    heard = shown.intersection(listing.packets[number].time for number in listing.complained)
    if len(heard) > HABIT * len(shown):
        heard = set()
    torn = (packet.time for packet in listing.packets if packet.corrupt and packet.time in shown)
    # A picture before a jump of the clock may be the last one of a recording that another was joined to.
    return sorted(heard | {time for time in torn if _next(listing.shown, time, step) - time < JUMP_SECONDS})


def _missing(listing: DecodedPictures, step: float, until: float | None) -> Iterator[Damage]:
    """Yield the gaps between pictures that the recording did not have itself."""
    timed = [packet for packet in listing.packets if packet.time != NO_TIME]
    without = sorted(packet.time for packet in timed if not _gave_picture(packet, listing))
    losses = sorted(packet.time for packet in timed if packet.corrupt)
    lossy = listing.lossy and _is_steady(listing, step)
    first = min((packet.time for packet in timed if packet.key), default=min(packet.time for packet in timed))
    ends = _judged_until(listing, without, step, until)
    # Before the first keyframe nothing can be decoded: the recording begins in the midst of a stream.
    shown = [first - step, *(time for time in listing.shown if first <= time <= ends), ends]
    for before, after in pairwise(shown):
        inside = without[bisect_left(without, before) : bisect_left(without, after)]
        inside = [time for time in inside if time > before + step / 2]
        is_gap = after - before > GAP_STEPS * step
        if is_gap and (lossy or _any_between(losses, before - NEAR_LOSS_SECONDS, after + NEAR_LOSS_SECONDS)):
            yield Damage(DamageKind.PICTURES_MISSING, before + step, after - before - step)
        elif inside and (is_gap or after == ends):
            yield Damage(DamageKind.PICTURES_MISSING, inside[0], after - inside[0])


def _judged_until(listing: DecodedPictures, without: Sequence[float], step: float, until: float | None) -> float:
    """Return up to where pictures can be missed: what a decoder holds back where the listing ends may yet come."""
    if until is None:
        return max((*listing.shown[-1:], *(time + step for time in without)), default=0.0)
    latest = listing.shown[-1] if listing.shown else until
    held = len(without) - bisect_right(without, latest)
    return min(until, latest + step) if 0 < held <= MOST_HELD else until


def _is_steady(listing: DecodedPictures, step: float) -> bool:
    """Tell whether nearly all pictures come a usual step after each other."""
    usual = sum(after - before < GAP_STEPS * step for before, after in pairwise(listing.shown))
    return usual >= STEADY_SHARE * (len(listing.shown) - 1)


def _gave_picture(packet: Packet, listing: DecodedPictures) -> bool:
    if packet.place in listing.places:
        return True
    nearest = bisect_left(listing.shown, packet.time - LOST_SECONDS / 10)
    return nearest < len(listing.shown) and listing.shown[nearest] - packet.time < LOST_SECONDS / 10


def sound_damage(
    heard: DecodedAudio, codec: str, packets: Sequence[Packet], joins: Sequence[float] = ()
) -> Iterator[Damage]:
    """Yield the holes in the sound that are no pauses of its own, on the clock of what was heard.

    `packets` are those of the track where there was reason to look at them, else none. Recordings meet at the `joins`,
    sorted: the sound of one may end early, and that of the next begin late.
    """
    steady = codec in STEADY_CODECS or codec.startswith(PCM)
    times = sorted(packet.time for packet in packets if packet.time != NO_TIME)
    lost = sorted(packet.time for packet in packets if packet.corrupt)
    for start, end in heard.holes:
        packed = _any_between(times, start - LOST_SECONDS / 2, end - LOST_SECONDS)
        shown = packed or _any_between(lost, start - NEAR_LOSS_SECONDS, end + NEAR_LOSS_SECONDS)
        in_midst = start - heard.start >= HEAD_SECONDS and not _any_between(joins, start, end + HOLE_SECONDS / 2)
        if shown or (steady and in_midst and end - start >= HOLE_SECONDS):
            yield Damage(DamageKind.SOUND_MISSING, start, end - start)
    if times and codec not in CONFIGURED_LATER and heard.start - times[0] >= HOLE_SECONDS:
        yield Damage(DamageKind.SOUND_MISSING, times[0], heard.start - times[0])
    if times and times[-1] - heard.end >= HOLE_SECONDS:
        yield Damage(DamageKind.SOUND_MISSING, heard.end, times[-1] - heard.end)


def on_timeline(found: Iterable[Damage], plan: Plan, first: int, frames: int) -> Iterator[Damage]:
    """Yield the places that lie in a range of output frames, cut to it, on the job's timeline."""
    begins, ends = float(first / plan.rate), float((first + frames) / plan.rate)
    for place in found:
        start = max(begins, place.start - plan.video.start_time)
        end = min(ends, place.end - plan.video.start_time)
        if end > start:
            yield Damage(place.kind, start, end - start)


def _step(listing: DecodedPictures) -> float:
    """Return the usual time from a picture to the next one, 0 where there are too few to tell.

    A third of the steps are no longer: gaps do not count as usual, and packets of fields come twice a picture.
    """
    times = listing.shown if len(listing.shown) > FEW_PICTURES else sorted(packet.time for packet in listing.packets)
    times = [time for time in times if time != NO_TIME]
    steps = sorted(after - before for before, after in pairwise(times) if after > before)
    return steps[len(steps) // 3] if steps else 0.0


def _next(times: Sequence[float], time: float, step: float) -> float:
    found = bisect_left(times, time + LOST_SECONDS / 10)
    return times[found] if found < len(times) else time + step


def _any_between(times: Sequence[float], start: float, end: float) -> bool:
    found = bisect_left(times, start)
    return found < len(times) and times[found] <= end
