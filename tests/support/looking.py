"""Looking at finished videos with ffprobe and ffmpeg: what a player would find."""

from __future__ import annotations

import json
import subprocess
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DEADLINE_SECONDS = 120
SAMPLE_RATE = 48_000
_SIDE = 16  # pixels of the small pictures that brightness is taken of


@dataclass(frozen=True, slots=True)
class Looked:
    """Streams as ffprobe describes them, packets counted, by kind (`video`, `audio`)."""

    streams: dict[str, dict[str, Any]]
    chapters: int
    tags: dict[str, str]

    @property
    def frames(self) -> int:
        """Packets of the video stream."""
        return int(self.streams["video"]["nb_read_packets"])

    def seconds(self, kind: str) -> float:
        """Return the stream's length."""
        return float(self.streams[kind]["duration"])


def look(path: Path) -> Looked:
    """Return what ffprobe finds in the file, its packets counted."""
    answer = json.loads(
        _run("ffprobe", "-v", "error", "-count_packets", "-show_streams", "-show_chapters", "-show_format")(path)
    )
    streams = {stream["codec_type"]: stream for stream in answer["streams"]}
    assert len(streams) == len(answer["streams"]), "two streams of a kind"
    return Looked(streams, len(answer["chapters"]), answer["format"].get("tags", {}))


def _run(*command: str) -> Any:
    def run(path: Path) -> bytes:
        options = ["-of", "json", str(path)] if command[0] == "ffprobe" else ["-i", str(path)]
        return subprocess.run(
            [*command, *options], check=True, timeout=_DEADLINE_SECONDS, capture_output=True
        ).stdout

    return run


def frame_times(path: Path) -> list[float]:
    """Return the presentation times of all pictures, in order, in seconds on the file's own clock."""
    answer = json.loads(
        _run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time")(path)
    )
    return [float(frame["pts_time"]) for frame in answer["frames"]]


def brightness(path: Path) -> list[float]:
    """Return the mean brightness of each decoded picture, 0..255."""
    size = _SIDE * _SIDE
    raw = _decoded(path, "-map", "0:v:0", "-vsync", "passthrough", "-vf", f"scale={_SIDE}:{_SIDE}",
                   "-pix_fmt", "gray", "-f", "rawvideo")  # fmt: skip
    return [sum(raw[start : start + size]) / size for start in range(0, len(raw), size)]


def loudness(path: Path) -> array[int]:
    """Return the samples of the sound at SAMPLE_RATE, mono, from time 0 of the file's clock on."""
    filters = f"aresample={SAMPLE_RATE}:async=1:first_pts=0"
    samples = array("h")
    samples.frombytes(_decoded(path, "-map", "0:a:0", "-af", filters, "-ac", "1", "-f", "s16le"))
    return samples


def _decoded(path: Path, *output: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *output, "-"]
    return subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, capture_output=True).stdout


def flashes(path: Path) -> list[float]:
    """Return when the picture turns bright, in seconds."""
    bright = [value > 128 for value in brightness(path)]  # noqa: PLR2004 - half of the range
    return _beginnings(list(zip(frame_times(path), bright, strict=True)))


def beeps(path: Path, *, loud: int = 3000, quiet_seconds: float = 0.2) -> list[float]:
    """Return when a tone begins after silence, in seconds."""
    found: list[float] = []
    last = float("-inf")
    for number, sample in enumerate(loudness(path)):
        if abs(sample) > loud:
            now = number / SAMPLE_RATE
            if now - last > quiet_seconds:
                found.append(now)
            last = now
    return found


def _beginnings(states: list[tuple[float, bool]]) -> list[float]:
    return [time for (time, on), before in zip(states, [False, *(on for _, on in states)], strict=False) if on and not before]


def top_boxes(path: Path) -> list[str]:
    """Return the types of the file's top-level boxes, in order."""
    data, place, kinds = path.read_bytes(), 0, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        kinds.append(data[place + 4 : place + 8].decode())
        assert size >= 8, "no box of our files has a long size"  # noqa: PLR2004 - a box's header
        place += size
    return kinds
