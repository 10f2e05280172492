"""Where a source is damaged: pure, from what ffprobe and ffmpeg say of its packets and pictures.

Facts only: a picture is missing where a packet gave none, or where the container shows a loss beside a gap; it was
repaired where concealing errors changes it. Only where a decoder conceals nothing do its error messages count, by their
level and never by their words. A pause of the recording is no damage.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from storage.damage import Damage, DamageKind
from storage.plan import Plan

# Codecs whose decoder fills in what it could not read (`-ec`), in ffmpeg's names.
CONCEALING_CODECS = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "flv1", "wmv3", "vc1"})
# Codecs of sound without pauses in themselves; others (Opus, AMR) may send nothing while nobody speaks.
STEADY_CODECS = frozenset({"aac", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "alac", "flac", "wmav1", "wmav2"})
PCM = "pcm_"
# Nothing can be decoded before the first packet that says how, once in a while.
CONFIGURED_LATER = frozenset({"aac_latm"})
GAP_STEPS = 1.5  # a picture that comes after more than so many usual steps leaves a gap
NEAR_LOSS_SECONDS = 0.5  # a loss that the container shows so near to a gap made it: packets come ahead of their times
JUMP_SECONDS = 1.0  # packets whose clocks are further apart belong to recordings that were joined
HOLE_SECONDS = 0.1  # shorter holes in steady sound are jitter of its times
LOST_SECONDS = 0.015  # the least where the container shows a loss: a packet of AAC is 21 ms
FEW_PICTURES = 3  # fewer tell no usual step; those of the packets do
HABIT = 0.9  # a message with so many of the pictures is a habit of who wrote the file, not damage
_DECODER = "6"  # ffprobe's `category` of who logged
# Who reads containers, by the names that ffmpeg gives them in its messages.
_DEMUXER = re.compile(r"\[(mov,|matroska|mpegts|mpeg |avi|flv |asf|ogg|mxf|dv |rm |nut|ivf|gif)")
STEADY_SHARE = 0.9  # of steps that are usual: pictures that come so steadily do not pause
# Who speaks of what is made, not of the source.
_OUTPUT = re.compile(
    r"\[(swscaler|lib|Parsed_|auto_|graph|fc#|vf#|af#|vost#|aost#|out#|mp4|framecrc|image2|u8|swresample)"
)
_REPEATED = "    Last message repeated"
_UNKNOWN = frozenset({"", "N/A"})


def speaks_of_source(line: str) -> bool:
    """Tell whether a line that ffmpeg wrote at its level `warning` may be about the source, so that a look is due.

    Its words do not matter, only that it is not about what is made.
    """
    return bool(line.strip()) and not line.startswith(_REPEATED) and not _OUTPUT.match(line)


def is_of_container(line: str) -> bool:
    """Tell whether a line that ffmpeg wrote is of who reads the container; at the level `error` that is a loss."""
    return _DEMUXER.match(line) is not None


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet in the order of the file: when it shows (seconds on the source's clock) and where it lies."""

    time: float
    place: str
    key: bool
    corrupt: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Packets in the order of the file, the pictures that came of them and what was logged on the way.

    `shown` are the pictures' times, sorted, and `places` where their packets lie. `complained` are the times of
    packets at which the decoder logged an error; `lossy` tells that reading the container gave errors somewhere.
    """

    packets: tuple[Packet, ...]
    shown: tuple[float, ...]
    places: frozenset[str]
    complained: tuple[float, ...]
    lossy: bool = False


def parse_listing(text: str) -> Listing:
    """Return what the lines of `looking_command` say: packets, pictures and logs in the order in which they came."""
    packets: list[Packet] = []
    shown: list[float] = []
    places: set[str] = set()
    complained: list[float] = []
    for line in text.splitlines():
        section, _, logs = line.partition("|log|")
        values = _values(section)
        if section.startswith("packet|") and (packet := _packet(values)):
            packets.append(packet)
        elif section.startswith("frame|"):
            places.add(values.get("pkt_pos", ""))
            if (time := _seconds(values.get("best_effort_timestamp_time"))) is not None:
                shown.append(time)
        heard = section if section.startswith("log|") else logs
        if heard and packets and _values(heard).get("category") == _DECODER:
            complained.append(packets[-1].time)
    shared = {place for place, count in Counter(packet.place for packet in packets).items() if count > 1}
    return Listing(tuple(packets), tuple(sorted(shown)), frozenset(places - _UNKNOWN - shared), tuple(complained))


def parse_packets(text: str) -> tuple[Packet, ...]:
    """Return the packets of a listing, in the order of the file."""
    values = (_values(line) for line in text.splitlines() if line.startswith("packet|"))
    return tuple(packet for each in values if (packet := _packet(each)))


def with_corrupt(packets: Sequence[Packet], sound: Iterable[Packet]) -> tuple[Packet, ...]:
    """Return the packets, those marked as corrupt that are not among the `sound` ones: the container lost part of them.

    The last packet before a clock that goes back is not: there a recording ends and the next one begins.
    """
    whole = {(packet.time, packet.place) for packet in sound}
    following = [*packets[1:], *packets[-1:]]
    return tuple(
        replace(
            packet,
            corrupt=(packet.time, packet.place) not in whole and after.time > packet.time - JUMP_SECONDS,
        )
        for packet, after in zip(packets, following, strict=True)
    )


def parse_checksums(text: str) -> dict[int, str]:
    """Return the checksum of each picture by its time, from lines of ffmpeg's `framecrc`."""
    rows = (line.split(",") for line in text.splitlines() if not line.startswith("#"))
    return {int(row[2]): row[5].strip() for row in rows if len(row) > 5 and row[2].strip().isdigit()}  # noqa: PLR2004


def concealed(with_repair: dict[int, str], without: dict[int, str], ticks: int) -> tuple[float, ...]:
    """Return the times, in seconds, of pictures that concealing errors changed, or what they were predicted from."""
    return tuple(sorted(time / ticks for time, crc in with_repair.items() if without.get(time, crc) != crc))


def pictures_damage(listing: Listing, repaired: Sequence[float] | None) -> Iterator[Damage]:
    """Yield the places of missing and repaired pictures, on the source's clock.

    `repaired` are the times of pictures known to be concealed; None where the codec conceals nothing.
    """
    if listing.packets and listing.packets[-1].corrupt:
        listing = _without_torn_end(listing)
    step = _step(listing)
    if not step:
        return
    yield from _missing(listing, step)
    for time in _complained(listing, step) if repaired is None else repaired:
        yield Damage(DamageKind.PICTURES_REPAIRED, time, min(step, _next(listing.shown, time, step) - time))


def _without_torn_end(listing: Listing) -> Listing:
    """Return the listing without a last packet that is cut off: the file ends early, which is told otherwise."""
    torn = listing.packets[-1].time
    shown = tuple(time for time in listing.shown if time != torn)
    return replace(listing, packets=listing.packets[:-1], shown=shown)


def _complained(listing: Listing, step: float) -> list[float]:
    """Return the times of pictures that the decoder logged an error at, or of which the container lost a part."""
    shown = set(listing.shown)
    heard = shown.intersection(listing.complained)
    if len(heard) > HABIT * len(shown):
        heard = set()
    torn = (packet.time for packet in listing.packets if packet.corrupt and packet.time in shown)
    # A picture before a jump of the clock may be the last one of a recording that another was joined to.
    return sorted(heard | {time for time in torn if _next(listing.shown, time, step) - time < JUMP_SECONDS})


def _missing(listing: Listing, step: float) -> Iterator[Damage]:
    """Yield the gaps between pictures that the recording did not have itself."""
    without = sorted(packet.time for packet in listing.packets if not _gave_picture(packet, listing))
    losses = sorted(packet.time for packet in listing.packets if packet.corrupt)
    lossy = listing.lossy and _is_steady(listing, step)
    first = min((packet.time for packet in listing.packets if packet.key), default=listing.packets[0].time)
    ends = max((*listing.shown[-1:], *(time + step for time in without)), default=0.0)
    # Before the first keyframe nothing can be decoded: the recording begins in the midst of a stream.
    shown = [first - step, *(time for time in listing.shown if time >= first), ends]
    for before, after in pairwise(shown):
        inside = without[bisect_left(without, before) : bisect_left(without, after)]
        inside = [time for time in inside if time > before + step / 2]
        is_gap = after - before > GAP_STEPS * step
        if is_gap and (lossy or _any_between(losses, before - NEAR_LOSS_SECONDS, after + NEAR_LOSS_SECONDS)):
            yield Damage(DamageKind.PICTURES_MISSING, before + step, after - before - step)
        elif inside and (is_gap or after == ends):
            yield Damage(DamageKind.PICTURES_MISSING, inside[0], after - inside[0])


def _is_steady(listing: Listing, step: float) -> bool:
    """Tell whether nearly all pictures come a usual step after each other."""
    usual = sum(after - before < GAP_STEPS * step for before, after in pairwise(listing.shown))
    return usual >= STEADY_SHARE * (len(listing.shown) - 1)


def _gave_picture(packet: Packet, listing: Listing) -> bool:
    if packet.place in listing.places:
        return True
    nearest = bisect_left(listing.shown, packet.time - LOST_SECONDS / 10)
    return nearest < len(listing.shown) and listing.shown[nearest] - packet.time < LOST_SECONDS / 10


@dataclass(frozen=True, slots=True)
class Heard:
    """The decoded sound: where it begins and ends and the holes in it, as pairs of seconds on the source's clock."""

    start: float
    end: float
    holes: tuple[tuple[float, float], ...]


def parse_heard(lines: Iterable[str]) -> Heard | None:
    """Return what was decoded of the sound, from lines of ffmpeg's `framecrc`; None where there was nothing."""
    tick, start, end = 0.0, None, 0.0
    holes: list[tuple[float, float]] = []
    doubted = False
    for line in lines:
        if line.startswith("#tb"):
            numerator, _, denominator = line.rpartition(" ")[2].strip().partition("/")
            tick = int(numerator) / int(denominator)
        row = line.split(",")
        if not tick or len(row) < 4 or not row[2].strip().lstrip("-").isdigit():  # noqa: PLR2004
            continue
        time, seconds = int(row[2]) * tick, int(row[3]) * tick
        if doubted and time < end - LOST_SECONDS:
            holes.pop()  # the time before was a stray one: what follows does not go on from it
        doubted = start is not None and time - end >= LOST_SECONDS
        if doubted:
            holes.append((end, time))
        start = time if start is None else start
        end = time + seconds
    return None if start is None else Heard(start, end, tuple(holes))


def sound_damage(heard: Heard, codec: str, packets: Sequence[Packet]) -> Iterator[Damage]:
    """Yield the holes in the sound that are no pauses of its own, on the source's clock.

    `packets` are those of the track where there was reason to look at them, else none.
    """
    steady = codec in STEADY_CODECS or codec.startswith(PCM)
    times = sorted(packet.time for packet in packets)
    lost = sorted(packet.time for packet in packets if packet.corrupt)
    for start, end in heard.holes:
        packed = _any_between(times, start - LOST_SECONDS / 2, end - LOST_SECONDS)
        shown = packed or _any_between(lost, start - NEAR_LOSS_SECONDS, end + NEAR_LOSS_SECONDS)
        if shown or (steady and end - start >= HOLE_SECONDS):
            yield Damage(DamageKind.SOUND_MISSING, start, end - start)
    if times and codec not in CONFIGURED_LATER and heard.start - times[0] >= HOLE_SECONDS:
        yield Damage(DamageKind.SOUND_MISSING, times[0], heard.start - times[0])
    if times and times[-1] - heard.end >= HOLE_SECONDS:
        yield Damage(DamageKind.SOUND_MISSING, heard.end, times[-1] - heard.end)


def on_timeline(found: Iterable[Damage], plan: Plan, first: int, frames: int) -> Iterator[Damage]:
    """Yield the places that lie in a range of output frames, cut to it, on the job's timeline."""
    begins, ends = float(first / plan.rate), float((first + frames) / plan.rate)
    for place in found:
        start = max(begins, _shown_at(plan, place.start))
        end = min(ends, _shown_at(plan, place.end))
        if end > start:
            yield Damage(place.kind, start, end - start)


def _shown_at(plan: Plan, time: float) -> float:
    """Return where a time of the source's clock lies on the job's timeline."""
    pieces = plan.video.pieces
    shift = next((piece.shift for piece in reversed(pieces) if piece.start <= time), 0.0)
    last = next((piece.end for piece in reversed(pieces) if piece.start <= time), time)
    return min(time, last) - shift - plan.video.start_time


def _step(listing: Listing) -> float:
    """Return the usual time from a picture to the next one, 0 where there are too few to tell.

    A third of the steps are no longer: gaps do not count as usual, and packets of fields come twice a picture.
    """
    times = listing.shown if len(listing.shown) > FEW_PICTURES else sorted(packet.time for packet in listing.packets)
    steps = sorted(after - before for before, after in pairwise(times) if after > before)
    return steps[len(steps) // 3] if steps else 0.0


def _next(times: Sequence[float], time: float, step: float) -> float:
    found = bisect_left(times, time + LOST_SECONDS / 10)
    return times[found] if found < len(times) else time + step


def _any_between(times: Sequence[float], start: float, end: float) -> bool:
    found = bisect_left(times, start)
    return found < len(times) and times[found] <= end


def _packet(values: dict[str, str]) -> Packet | None:
    """Return the packet, None for one that is not shown or whose time nobody knows."""
    flags = values.get("flags", "")
    time = _seconds(values.get("pts_time"))
    if time is None:
        time = _seconds(values.get("dts_time"))
    return None if time is None or "D" in flags else Packet(time, values.get("pos", ""), key="K" in flags)


def _values(line: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in line.split("|") if "=" in part)


def _seconds(text: str | None) -> float | None:
    if text is None or text in _UNKNOWN:
        return None
    try:
        return float(text)
    except ValueError:
        return None
