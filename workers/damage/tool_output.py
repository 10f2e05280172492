"""What ffprobe and ffmpeg say of a source: packets, pictures and sound, to judge damage by. Parsing is pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from storage.model.plan import ClockPiece

JUMP_SECONDS = 1.0  # packets whose clocks are further apart belong to recordings that were joined
LOST_SECONDS = 0.015  # the least gap in sound: a packet of AAC is 21 ms
NO_TIME = 1e15  # seconds: later than every time that a container can tell
_DECODER = "6"  # ffprobe's `category` of who logged
# Who reads containers, by the names that ffmpeg gives them in its messages.
_DEMUXER = re.compile(r"\[(mov,|matroska|mpegts|mpeg |avi|flv |asf|ogg|mxf|dv |rm |nut|ivf|gif|wtv|pva)")
# Who speaks of what is made, not of the source.
_OUTPUT = re.compile(r"\[(swscaler|swresample|lib|Parsed_|auto_|graph|fc#|vf#|af#|vost#|aost#|out#|mp4 |framecrc)")
# What intact files bring, when they are opened or sought in; real damage never comes with these alone. Words decide
# here only that no look is worth its CPU, never that something is damaged.
_HARMLESS = re.compile(
    "Last message repeated|Guessed Channel Layout|Could not find codec parameters|Consider increasing the value"
    "|chapter track not found|timescale not set|keyframe not correctly marked|Could not find ref with POC"
)
_UNKNOWN = frozenset({"", "N/A"})


def speaks_of_source(line: str) -> bool:
    """Tell whether a line that ffmpeg wrote at its level `warning` may be about the source, so that a look is due.

    Its words do not matter beyond that: what is about the results, or comes with intact files, is not worth a look.
    """
    return bool(line.strip()) and not _OUTPUT.match(line) and not _HARMLESS.search(line)


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
class DecodedPictures:
    """Packets in the order of the file, the pictures that came of them and what was logged on the way.

    `shown` are the pictures' times in the order in which they came, and `places` where their packets lie. `complained`
    are the packets, by number, at which the decoder logged an error; `lossy` tells that reading the container gave
    errors somewhere.
    """

    packets: tuple[Packet, ...]
    shown: tuple[float, ...]
    places: frozenset[str]
    complained: tuple[int, ...]
    lossy: bool = False


def parse_decoded_pictures(text: str) -> DecodedPictures:
    """Return what the lines of `looking_command` say: packets, pictures and logs in the order in which they came."""
    packets: list[Packet] = []
    shown: list[float] = []
    places: set[str] = set()
    complained: list[int] = []
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
            complained.append(len(packets) - 1)
    shared = {place for place, count in Counter(packet.place for packet in packets).items() if count > 1}
    return DecodedPictures(tuple(packets), tuple(shown), frozenset(places - _UNKNOWN - shared), tuple(complained))


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


def joined(listing: DecodedPictures, pieces: Sequence[ClockPiece]) -> DecodedPictures:
    """Return the listing on the joined clock of a source whose clock jumps, without what is not shown; else as it is.

    Numbers of packets stay right: one that is not shown keeps its place, at no time.
    """
    if not pieces:
        return listing
    moved = _moved([packet.time for packet in listing.packets], pieces)
    packets = (replace(packet, time=time) for packet, time in zip(listing.packets, moved, strict=True))
    shown = tuple(time for time in _moved(listing.shown, pieces) if time != NO_TIME)
    return replace(listing, packets=tuple(packets), shown=shown)


def _moved(times: Sequence[float], pieces: Sequence[ClockPiece]) -> Iterator[float]:
    """Yield each time on the joined clock, NO_TIME for one outside, as workers.ffmpeg.filters.on_steady_clock does."""
    present, latest = 0, -NO_TIME
    for time in times:
        here, following = pieces[present], pieces[min(present + 1, len(pieces) - 1)]
        if here.start <= time <= here.end and time >= latest - pieces[0].back:
            latest = max(latest, time)
        elif following is not here and following.start <= time <= following.end:
            present, latest = present + 1, time
        else:
            yield NO_TIME
            continue
        yield time - pieces[present].shift_at(time)


def parse_checksums(text: str) -> dict[int, str]:
    """Return the checksum of each picture by its time, from lines of ffmpeg's `framecrc`."""
    rows = (line.split(",") for line in text.splitlines() if not line.startswith("#"))
    return {int(row[2]): row[5].strip() for row in rows if len(row) > 5 and row[2].strip().isdigit()}  # noqa: PLR2004


def concealed(with_repair: dict[int, str], without: dict[int, str], ticks: int) -> tuple[float, ...]:
    """Return the times, in seconds, of pictures that concealing errors changed, or what they were predicted from."""
    return tuple(sorted(time / ticks for time, crc in with_repair.items() if without.get(time, crc) != crc))


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """The decoded sound: where it begins and ends and the holes in it, as pairs of seconds on the source's clock."""

    start: float
    end: float
    holes: tuple[tuple[float, float], ...]


def parse_decoded_audio(lines: Iterable[str]) -> DecodedAudio | None:
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
    return None if start is None else DecodedAudio(start, end, tuple(holes))


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
