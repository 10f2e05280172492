"""What a file declares and how its packets follow each other, by ffprobe: the tracks that belong together."""

from __future__ import annotations

import json
import mmap
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.files.decoding import LOOK

_DEADLINE_SECONDS = 600
_PCM_BITS = 9  # from the type of the box: version and flags, format flags, then bits
_MOST_TRACKS = 9  # of sound that are decoded: a camera's eight and one more


@dataclass(frozen=True)
class Packet:
    """One packet in the order of the file: stream, times and length in seconds (None where the file has none)."""

    stream: int
    time: float | None
    decoded: float | None
    seconds: float | None


@dataclass(frozen=True)
class Listing:
    """The tracks to compare, and the packets of all of them in the order of the file.

    `video` is the first default one that is no cover, None where there is none; `audio` are those of its programme,
    default ones first. `titled` tells that tracks of sound have titles, `mono` that each is one channel.
    """

    video: int | None
    audio: tuple[int, ...]
    titled: bool
    mono: bool
    packets: tuple[Packet, ...]

    def of(self, stream: int | None) -> list[Packet]:
        """Return one stream's packets."""
        return [packet for packet in self.packets if packet.stream == stream]


def listing(path: Path) -> Listing:
    """Return the file's tracks and packets; no tracks where ffprobe makes nothing of it."""
    found = json.loads(_ffprobe(path, "-show_streams", "-show_programs", "-of", "json") or "{}")
    streams: list[dict[str, Any]] = found.get("streams", [])
    moving = [stream for stream in streams if stream.get("codec_type") == "video" and not _is_cover(stream)]
    moving = [stream for stream in moving if stream.get("width", 0) > 0]
    video = min(moving, key=_by_default)["index"] if moving else None
    spoken = sorted((stream for stream in streams if stream.get("codec_type") == "audio"), key=_by_default)
    together = _programme(found.get("programs", []), video)
    spoken = [stream for stream in spoken if _is_true(stream, path)]
    audio = [stream for stream in spoken if stream["index"] in together] or spoken
    return Listing(
        video=video,
        audio=tuple(stream["index"] for stream in audio[:_MOST_TRACKS]),
        titled=any("title" in stream.get("tags", {}) for stream in audio),
        mono=all(stream.get("channels") == 1 for stream in audio),
        packets=tuple(_packets(path)),
    )


def _by_default(stream: dict[str, Any]) -> tuple[bool, int]:
    return not stream.get("disposition", {}).get("default"), stream["index"]


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _is_true(stream: dict[str, Any], path: Path) -> bool:
    """Tell whether this ffmpeg knows the samples' size: MP4 states it in a box of its own that 5.1 does not read."""
    if stream.get("codec_tag_string") not in {"ipcm", "fpcm"}:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = data.find(b"pcmC")
        bits = data[place + _PCM_BITS] if place >= 0 else stream["bits_per_sample"]
    return bool(stream["bits_per_sample"] == bits)


def _programme(programmes: list[dict[str, Any]], video: int | None) -> set[int]:
    """Return the streams of the first programme that has the picture."""
    for programme in programmes:
        streams = {stream["index"] for stream in programme.get("streams", [])}
        if video in streams:
            return streams
    return set()


def _packets(path: Path) -> list[Packet]:
    entries = "packet=stream_index,pts_time,dts_time,duration_time"
    packets = []
    for line in _ffprobe(path, "-show_entries", entries, "-of", "compact=p=0").splitlines():
        fields = dict(part.split("=", 1) for part in line.split("|") if "=" in part)
        if "stream_index" in fields:
            pts, dts, seconds = (_number(fields.get(name)) for name in ("pts_time", "dts_time", "duration_time"))
            packets.append(Packet(int(fields["stream_index"]), pts if pts is not None else dts, dts, seconds))
    return packets


def _number(text: str | None) -> float | None:
    return None if text in {None, "", "N/A"} else float(str(text))


def _ffprobe(path: Path, *asked: str) -> str:
    command = ["ffprobe", "-v", "error", *LOOK, *asked, f"file:{path}"]
    answer = subprocess.run(command, check=False, capture_output=True, timeout=_DEADLINE_SECONDS)
    return answer.stdout.decode(errors="replace")
