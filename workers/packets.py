"""The packets of a video stream: when its pictures show and where decoding may begin. Parsing is pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from workers.demuxers import as_input, input_arguments
from workers.probe import Stream
from workers.tool import Limits, Watch, run_tool

PACKETS_SECONDS = 900.0  # 0.6 s for 290 MB on local disk (DESIGN §7); 64 GiB at 100 MB/s is 11 minutes
# If more than one packet of so many has no time of showing, the container keeps times of decoding (AVI) or those of a
# few pictures (DVD); if fewer, it is damaged.
UNTIMED = 10
_FIELDS = ("stream_index", "pts_time", "dts_time", "duration_time", "flags")
_UNKNOWN = frozenset({"", "N/A"})


@dataclass(frozen=True, slots=True)
class PacketTimes:
    """Presentation times of one video stream's shown packets, and of its keyframes (also those that are not shown).

    Seconds on the source's clock, sorted; `last_duration` is the last shown packet's length.
    """

    times: tuple[float, ...]
    last_duration: float | None
    keyframes: tuple[float, ...]


def list_packets(url: str, watch: Watch) -> str:
    """Return a line for each packet of every video stream, without decoding. Raises ToolError, ToolTimeoutError."""
    argv = [
        "ffprobe",
        "-v", "error",
        *input_arguments(url),
        "-of", "compact=p=0:nk=1",
        "-select_streams", "v",
        "-show_entries", f"packet={','.join(_FIELDS)}",
        as_input(url),
    ]  # fmt: skip
    limits = Limits(deadline=PACKETS_SECONDS, stall=PACKETS_SECONDS)
    return run_tool(argv, limits, watch=watch).decode()


def packet_times(listing: str, video: Stream) -> PacketTimes:
    """Parse the stream's `index|pts|dts|duration|flags` lines of a listing.

    Packets without a time or marked as discarded (edit lists) are not shown.
    """
    lines = (line.split("|") for line in listing.splitlines())
    packets = [line[1:] for line in lines if len(line) >= len(_FIELDS) and line[0] == str(video.index)]
    untimed = sum(shown in _UNKNOWN and decoded not in _UNKNOWN for shown, decoded, *_ in packets)
    if untimed * UNTIMED > len(packets):
        return _by_decoding(packets, video.delay)
    timed = [(float(shown), duration, flags) for shown, _, duration, flags, *_ in packets if shown not in _UNKNOWN]
    shown = sorted((packet for packet in timed if "D" not in packet[2]), key=lambda packet: packet[0])
    return PacketTimes(
        times=tuple(time for time, _, _ in shown),
        last_duration=_seconds(shown[-1][1]) if shown else None,
        keyframes=tuple(sorted(time for time, _, flags in timed if "K" in flags)),
    )


def in_order(listing: str, video: Stream) -> bool:
    """Tell whether the stream's pictures show in the order in which they stand in the file."""
    lines = (line.split("|", 2) for line in listing.splitlines())
    times = [line[1] for line in lines if len(line) > 1 and line[0] == str(video.index)]
    return not _UNKNOWN.intersection(times) and all(a < b for a, b in pairwise(map(float, times)))


def _by_decoding(packets: list[list[str]], delay: int) -> PacketTimes:
    """Return times as the decoder gives them: a picture shows when `delay` more packets than its own have gone in."""
    timed = [(float(decoded), flags) for _, decoded, _, flags, *_ in packets if decoded not in _UNKNOWN]
    decoded = sorted(time for time, _ in timed)
    step = median_low([after - before for before, after in pairwise(decoded)] or [0.0])
    return PacketTimes(
        times=tuple((decoded + [decoded[-1] + step * n for n in range(1, delay + 1)])[delay:]),
        last_duration=_seconds(packets[-1][2]),
        keyframes=tuple(sorted(time + step * delay for time, flags in timed if "K" in flags)),
    )


def _seconds(text: str) -> float | None:
    return None if text in _UNKNOWN else float(text)
